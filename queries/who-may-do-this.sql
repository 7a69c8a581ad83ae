-- Question: which roles that outsiders can assume are granted this action, and is it used?
-- Meaning:  kept: whether it stays in the proposal.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${action} (such as s3:GetObject).
--
-- role_arn                                         | trusted_parties | verdict | calls | last_seen           | granted_by                        | kept
-- arn:aws:iam::210987654321:role/DatadogIntegrati… | Datadog         | used    | 35    | 2026-07-29 14:11:37 | DatadogIntegrationPolicy Describe | True
-- arn:aws:iam::012345678901:role/ZestyManager      | Zesty           | used    | 33    | 2026-07-31 22:05:07 | scheduler Plan                    | True
-- arn:aws:iam::333344445555:role/DatadogIntegrati… | Datadog         | used    | 31    | 2026-07-23 17:35:10 | DatadogIntegrationPolicy Describe | True
-- (20 rows)
SELECT
    permissions.role_arn,
    array_join(roles.trusted_parties, ', ') AS trusted_parties,
    permissions.verdict,
    permissions.calls,
    permissions.last_seen,
    array_join(permissions.granted_by, ', ') AS granted_by,
    permissions.kept
FROM ${database}.permissions
JOIN ${database}.roles
  ON roles.account_id = permissions.account_id AND roles.role_arn = permissions.role_arn AND roles.role_id = permissions.role_id
WHERE permissions.account_id IN ('${account}')
  AND roles.account_id IN ('${account}')
  AND lower(permissions.action) = lower('${action}')
ORDER BY permissions.calls DESC, permissions.role_arn
