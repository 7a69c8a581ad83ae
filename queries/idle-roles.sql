-- Question: which roles that outsiders can assume are idle or were never used?
-- Meaning:  last_activity_source: cloudtrail or iam, the later.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                         | idle_verdict | idle_days | last_activity_at    | last_activity_source | trusted_parties | granted
-- arn:aws:iam::333344445555:role/DrataAutopilotRo… | never_used   |           |                     |                      | Drata           | 402
-- arn:aws:iam::210987654321:role/nops-integration  | idle         | 139       | 2026-03-14 01:23:20 | iam                  | nOps            | 116
-- arn:aws:iam::333344445555:role/vanta-auditor     | idle         | 91        | 2026-05-01 02:31:33 | cloudtrail           | Vanta           | 402
-- (3 rows)
SELECT
    role_arn,
    idle_verdict,
    idle_days,
    last_activity_at,
    last_activity_source,
    array_join(trusted_parties, ', ') AS trusted_parties,
    granted
FROM ${database}.roles
WHERE account_id IN ('${account}')
  AND idle_verdict IN ('idle', 'never_used')
ORDER BY idle_days DESC NULLS FIRST, role_arn
