"""Puts every file below a folder into a bucket, under its path."""

import pathlib
import sys

import boto3

ENDPOINT, BUCKET, FOLDER = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=ENDPOINT,
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
)
for path in sorted(pathlib.Path(FOLDER).rglob("*")):
    if path.is_file():
        s3.put_object(Bucket=BUCKET, Key=path.relative_to(FOLDER).as_posix(), Body=path.read_bytes())
