-- Question: which granted actions did each role not use, the dangerous ones first?
-- Meaning:  Only verdict 'unused' is listed: what the trail would not have shown is 'not_observable' and no candidate.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                        | action                 | access_level | danger      | granted_by             | reason
-- arn:aws:iam::012345678901:role/CloudabilityRole | ec2:StopInstances      | write        | write       | CloudabilityPolicy Act | 0 uses between 2026-04-30T00:00:00Z and 2026-08…
-- arn:aws:iam::012345678901:role/CloudabilityRole | ec2:TerminateInstances | write        | destruction | CloudabilityPolicy Act | 0 uses between 2026-04-30T00:00:00Z and 2026-08…
-- arn:aws:iam::012345678901:role/CloudabilityRole | rds:DeleteDBInstance   | write        | destruction | CloudabilityPolicy Act | 0 uses between 2026-04-30T00:00:00Z and 2026-08…
-- (3954 rows)
SELECT
    role_arn,
    action,
    access_level,
    danger,
    array_join(granted_by, ', ') AS granted_by,
    reason
FROM ${database}.permissions
WHERE account_id IN ('${account}')
  AND verdict = 'unused'
ORDER BY danger IS NULL, role_arn, action
