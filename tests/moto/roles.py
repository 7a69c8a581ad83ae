"""A role with every kind of policy in an AWS stand-in, changed and told.

Argument: endpoint. Each line of the input is a word, and is answered by a line of JSON: `seed` makes the role and tells the
account as `get-account-authorization-details` does; `state` tells what the role has; any other word changes something behind
the scripts' back."""

import json
import sys

import boto3

ENDPOINT = sys.argv[1]
iam = boto3.client(
    "iam", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
)
ROLE = "Vendor"


def document(*actions):
    statement = {"Sid": "Work", "Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def arn(name, path="/"):
    return f"arn:aws:iam::111122223333:policy{path}{name}"


def seed():
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::464622532012:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for role in (ROLE, "Other"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=ROLE, PolicyName="work", PolicyDocument=document("ec2:DescribeInstances", "ec2:RunInstances"))
    iam.put_role_policy(RoleName=ROLE, PolicyName="-idle", PolicyDocument=document("iam:CreateUser", "ec2:StopInstances"))
    used = document("ec2:DescribeVolumes", "ec2:TerminateInstances")
    iam.create_policy(PolicyName="alone", Path="/vendors/", PolicyDocument=document("ec2:DeleteVolume"))
    iam.create_policy_version(PolicyArn=arn("alone", "/vendors/"), PolicyDocument=used, SetAsDefault=True)
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn("alone", "/vendors/"))
    iam.create_policy(PolicyName="shared", PolicyDocument=document("ec2:DescribeSnapshots", "ec2:CreateTags"))
    iam.create_policy(PolicyName="unused", PolicyDocument=document("ec2:RebootInstances"))
    for role in (ROLE, "Other"):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn("shared"))
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn("unused"))
    details = iam.get_account_authorization_details(Filter=["Role", "LocalManagedPolicy", "User", "Group"])
    found = iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")["Policy"]
    version = iam.get_policy_version(PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"])["PolicyVersion"]
    details["Policies"].append({**found, "PolicyVersionList": [version]})
    details.pop("ResponseMetadata")
    return details


def state():
    inline = {
        name: iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    }
    attached = {}
    for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        default = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        version = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=default)["PolicyVersion"]
        attached[policy["PolicyArn"]] = {"version": default, "document": version["Document"]}
    local = sorted(policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"])
    return {"inline": inline, "attached": attached, "policies": local}


CHANGES = {
    "drift": lambda: iam.put_role_policy(RoleName=ROLE, PolicyName="work", PolicyDocument=document("ec2:DescribeHosts")),
    "loosen": lambda: iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn("shared")),
    "share": lambda: iam.attach_role_policy(RoleName="Other", PolicyArn=arn("alone", "/vendors/")),
    "unshare": lambda: iam.detach_role_policy(RoleName="Other", PolicyArn=arn("alone", "/vendors/")),
    "fill": lambda: [
        # The version that an earlier run of the script made.
        iam.delete_policy_version(PolicyArn=arn("alone", "/vendors/"), VersionId="v3"),
    ]
    + [
        iam.create_policy_version(PolicyArn=arn("alone", "/vendors/"), PolicyDocument=document(f"s3:Get{number}*"))
        for number in range(3)
    ],
}
for line in sys.stdin:
    word = line.strip()
    answer = {"seed": seed, "state": state}.get(word) or CHANGES[word]
    print(json.dumps(answer(), default=str), flush=True)
