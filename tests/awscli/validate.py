"""Validates a folder as if it were a bucket, with the code behind `aws cloudtrail validate-logs`.

Arguments: a folder with the bucket's objects below its name, `signatures.json` (what the bucket keeps as metadata) and
`keys.json` (what list-public-keys answers); the bucket; the prefix above `AWSLogs`. Prints what is valid and what is not,
by key below the prefix. S3 and CloudTrail are stood in for here; every verdict is the AWS CLI's.
"""

import io
import json
import pathlib
import re
import sys
from datetime import datetime, timedelta

from awscli.customizations.cloudtrail import validation

FOLDER, BUCKET, PREFIX = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
SIGNATURES = json.loads((FOLDER / "signatures.json").read_text())
KEYS = json.loads((FOLDER / "keys.json").read_text())["PublicKeyList"]
OBJECTS = sorted(str(path.relative_to(FOLDER / BUCKET)) for path in (FOLDER / BUCKET).rglob("*") if path.is_file())
DIGEST = re.compile(r"AWSLogs/(?:(?P<organization>o-[^/]+)/)?(?P<account>\d{12})/CloudTrail-Digest/(?P<region>[^/]+)/")


class Bucket:
    """As much of an S3 client as the validator asks for."""

    def get_object(self, Bucket, Key):
        assert Bucket == BUCKET
        if Key not in OBJECTS:
            raise validation.ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        signature = SIGNATURES.get(Key.removeprefix(PREFIX), "")
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if validation.is_backfill_digest_key(Key):
            metadata["backfill-generation-timestamp"] = "2026-06-01T00:00:00Z"
        return {"Body": io.BytesIO((FOLDER / BUCKET / Key).read_bytes()), "Metadata": metadata}

    def get_paginator(self, _operation):
        return self

    def paginate(self, Bucket, Marker, **_more):
        self.found = [key for key in OBJECTS if key > Marker]
        return self

    def search(self, _expression):
        return iter(self.found)


class Buckets:
    def get_client(self, _bucket):
        return Bucket()


class Keys:
    def get_public_keys(self, _start, _end):
        return {key["Fingerprint"]: key for key in KEYS}


def below(key):
    return key.removeprefix(PREFIX)


FOUND = {name: set() for name in ("digests_valid", "digests_invalid", "logs_valid", "logs_changed", "logs_missing")}


def check_log(log):
    command = validation.CloudTrailValidateLogs.__new__(validation.CloudTrailValidateLogs)
    command.s3_client_provider = Buckets()
    command._valid_logs = 0
    command._write_status = lambda *_arguments, **_more: None
    key, valid = below(log["s3Object"]), command._valid_logs
    command._on_log_invalid = lambda _log: FOUND["logs_changed"].add(key)
    command._on_log_trailing_data = lambda _log: FOUND["logs_changed"].add(key)
    command._on_invalid_log_format = lambda _log: FOUND["logs_changed"].add(key)
    command._on_missing_log = lambda _log: FOUND["logs_missing"].add(key)
    command._download_log(log)
    if command._valid_logs > valid:
        FOUND["logs_valid"].add(key)


def main():
    chains = {match.groups() for match in map(DIGEST.search, OBJECTS) if match}
    times = [datetime.strptime(re.search(r"_(\d{8}T\d{6}Z)", key)[1], "%Y%m%dT%H%M%SZ") for key in OBJECTS if DIGEST.search(key)]
    for organization, account, region in sorted(chains, key=str):
        provider = validation.DigestProvider(
            s3_client_provider=Buckets(), account_id=account, trail_name="main", trail_home_region="us-east-1",
            trail_source_region=region, organization_id=organization,
        )
        invalid = lambda last_key, **_more: FOUND["digests_invalid"].add(below(last_key))
        traverser = validation.DigestTraverser(
            digest_provider=provider, starting_bucket=BUCKET, starting_prefix=PREFIX.rstrip("/"),
            public_key_provider=Keys(), on_invalid=invalid, on_gap=None, on_missing=None,
        )
        start, end = min(times) - timedelta(hours=1), max(times) + timedelta(hours=1)
        for backfill in (False, True):
            for digest in traverser.traverse_digests(start, end, is_backfill=backfill):
                FOUND["digests_valid"].add(below(digest["digestS3Object"]))
                for log in digest["logFiles"]:
                    check_log(log)
    print(json.dumps({name: sorted(keys) for name, keys in FOUND.items()}))


main()
