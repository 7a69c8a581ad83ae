-- Question: did an outside party change who may do what?
-- Meaning:  Calls of IAM, STS, Organizations and KMS grants, and changes of resource policies, that are not read-only.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- time | party_name | role_arn | event_source | event_name | outcome | resources | event_id
-- (0 rows)
SELECT
    time,
    party_name,
    role_arn,
    event_source,
    event_name,
    outcome,
    array_join(resources, ', ') AS resources,
    event_id
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND NOT hand_off
  AND coalesce(read_only, false) = false
  AND (event_source IN ('iam.amazonaws.com', 'organizations.amazonaws.com', 'sso.amazonaws.com')
       OR event_name IN ('CreateGrant', 'AssumeRole', 'GetFederationToken')
       OR event_name LIKE 'Put%Policy' OR event_name LIKE 'Set%Policy' OR event_name LIKE 'AddPermission%')
ORDER BY time, event_id
