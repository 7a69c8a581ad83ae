-- Question: which outside party touched this bucket, when, from where, and what came of it?
-- Meaning:  object: ARN of the bucket or of an object in it. Objects show only where the trail records data events of
--           S3. Add `AND time >= TIMESTAMP '...'` to read less.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${bucket} (its name).
--
-- time                | party_name | role_arn                                         | event_name        | outcome | source_ip      | object                                | event_id
-- 2026-05-01 08:09:52 | Fivetran   | arn:aws:iam::210987654321:role/FivetranConnector | GetBucketLocation | allowed | 198.51.100.145 | arn:aws:s3:::acme-export-210987654321 | fc29a689-a323-4d9c-aeca-002c1debf749
-- 2026-05-01 08:15:04 | Fivetran   | arn:aws:iam::210987654321:role/FivetranConnector | GetObject         | allowed | 198.51.100.145 | arn:aws:s3:::acme-export-210987654321 | d6510470-7f8f-4666-aa2c-f35f259d6190
-- 2026-05-01 08:16:31 | Fivetran   | arn:aws:iam::210987654321:role/FivetranConnector | HeadObject        | failed  | 198.51.100.145 | arn:aws:s3:::acme-export-210987654321 | ad50bb3f-1c9a-4278-a6db-835e70ad14fe
-- (122 rows)
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
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND (object LIKE 'arn:aws%:s3:::${bucket}' OR object LIKE 'arn:aws%:s3:::${bucket}/%')
GROUP BY time, party_name, role_arn, event_name, outcome, source_ip, event_id
ORDER BY time, event_id
