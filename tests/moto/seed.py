"""Fills an AWS stand-in: an organization of two accounts, each with trails, roles and a user. Prints their ids."""

import json
import sys

import boto3

ENDPOINT = sys.argv[1]
VENDOR = "464622532012"


def client(service, credentials=None, region="us-east-1"):
    keys = credentials or {"AccessKeyId": "testing", "SecretAccessKey": "testing", "SessionToken": None}
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def trust(*principals):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{principal}:root" for principal in principals]},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "1f0e7a52-6c1b-4b0e-9a53-0f4d8f2f4f11"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def fill(credentials, other):
    iam = client("iam", credentials)
    iam.create_role(RoleName="Vendor", AssumeRolePolicyDocument=trust(VENDOR))
    iam.create_role(RoleName="Peer", AssumeRolePolicyDocument=trust(other))
    actions = ["ec2:DescribeInstances", "ec2:RunInstances", "ec2:StopInstances", "s3:GetObject"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName="Vendor", PolicyName="work", PolicyDocument=json.dumps(document))
    iam.create_user(UserName="jane")
    iam.create_access_key(UserName="jane")
    bucket = "logs-" + (credentials["Account"] if credentials else "main")
    client("s3", credentials).create_bucket(Bucket=bucket)
    trails = client("cloudtrail", credentials)
    trails.create_trail(Name="whole-trail", S3BucketName=bucket, IsMultiRegionTrail=True)
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    trails.put_event_selectors(TrailName="whole-trail", EventSelectors=[selector])
    trails.start_logging(Name="whole-trail")


organizations = client("organizations")
organizations.create_organization(FeatureSet="ALL")
second = organizations.create_account(AccountName="second", Email="second@example.com")["CreateAccountStatus"]["AccountId"]
first = client("sts").get_caller_identity()["Account"]
assumed = client("sts").assume_role(RoleArn=f"arn:aws:iam::{second}:role/Audit", RoleSessionName="seed")["Credentials"]
fill(None, second)
fill({**assumed, "Account": second}, first)
print(json.dumps([first, second]))
