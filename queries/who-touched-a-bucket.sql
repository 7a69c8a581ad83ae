-- Question: which outside party touched this bucket, when, from where, and what came of it?
-- Columns:  time (UTC), party_name, role_arn (empty for access without a role), event_name, outcome, source_ip, object (ARN of
--           the bucket or of an object in it), event_id to look the call up in the trail.
-- Fill in:  ${database}, ${account} (12 digits), ${bucket} (its name). Objects show only where the trail records data
--           events of S3. Add `AND time >= TIMESTAMP '...'` to read less.
--
-- time                | party_name | role_arn                                       | event_name | outcome | source_ip   | object           | event_id
-- 2026-06-02 10:00:02 | Datadog    | arn:aws:iam::012345678901:role/vendors/Datadog | GetObject  | allowed | 203.0.113.7 | arn:aws:s3:::b/k | 0a1b2c3d-0000-4000-8000-000000000001
SELECT
    time,
    party_name,
    role_arn,
    event_name,
    outcome,
    source_ip,
    min(object) AS object,
    event_id
FROM ${database}.activity
CROSS JOIN UNNEST(resources) AS touched (object)
WHERE account_id = '${account}'
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND (object = 'arn:aws:s3:::${bucket}' OR object LIKE 'arn:aws:s3:::${bucket}/%')
GROUP BY time, party_name, role_arn, event_name, outcome, source_ip, event_id
ORDER BY time, event_id
