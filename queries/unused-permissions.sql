-- Question: which granted actions did each role not use, the dangerous ones first?
-- Columns:  role_arn, action, access_level, danger, granted_by (policy and statement), reason.
-- Fill in:  ${database}, ${account} (12 digits).
-- Only verdict 'unused' is listed: what the trail would not have shown is 'not_observable' and no candidate.
--
-- role_arn                                  | action       | access_level | danger               | granted_by           | reason
-- arn:aws:iam::012345678901:role/vendors/DD | iam:PassRole | write        | privilege escalation | VendorAccess Compute | no call in 92 days
SELECT
    role_arn,
    action,
    access_level,
    danger,
    array_join(granted_by, ', ') AS granted_by,
    reason
FROM ${database}.permissions
WHERE account_id = '${account}'
  AND verdict = 'unused'
ORDER BY danger IS NULL, role_arn, action
