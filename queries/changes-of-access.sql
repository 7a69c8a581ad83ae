-- Question: did an outside party change who may do what?
-- Meaning:  Calls of IAM, Organizations and IAM Identity Center that the record does not call read-only, grants of
--           keys, and changes of policies, ACLs, public access and sharing of resources; refused ones too.
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
       OR event_name IN ('CreateGrant', 'RetireGrant', 'RevokeGrant')
       OR event_name LIKE '%Policy' OR event_name LIKE '%Policies' OR event_name LIKE '%Acl'
       OR event_name LIKE '%PublicAccessBlock' OR event_name LIKE '%Permission%'
       OR event_name LIKE 'Modify%Attribute' OR event_name LIKE '%ResourceShare%')
ORDER BY time, event_id
