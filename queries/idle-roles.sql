-- Question: which roles that outsiders can assume are idle or were never used?
-- Columns:  role_arn, idle_verdict, idle_days, last_activity_at (UTC), last_activity_source, trusted_parties, granted.
-- Fill in:  ${database}, ${account} (12 digits).
--
-- role_arn                                     | idle_verdict | idle_days | last_activity_at    | last_activity_source | trusted_parties | granted
-- arn:aws:iam::012345678901:role/vendors/Trial | idle         |       120 | 2026-04-03 00:00:00 | iam                  | Datadog         |     131
SELECT
    role_arn,
    idle_verdict,
    idle_days,
    last_activity_at,
    last_activity_source,
    array_join(trusted_parties, ', ') AS trusted_parties,
    granted
FROM ${database}.roles
WHERE account_id = '${account}'
  AND idle_verdict IN ('idle', 'never_used')
ORDER BY idle_days DESC NULLS FIRST, role_arn
