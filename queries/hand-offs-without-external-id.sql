-- Question: into which roles was a hand-off from outside without an external id?
-- Meaning:  without_external_id: such hand-offs; sessions: all of the role.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                         | trusted_parties              | without_external_id | sessions | last_activity_at
-- arn:aws:iam::012345678901:role/partners/Partner… | unknown account 905418777103 | 6                   | 6        | 2026-07-24 06:38:06
-- arn:aws:iam::210987654321:role/CloudHealth       | Cloudhealth                  | 1                   | 8        | 2026-07-28 22:29:59
-- (2 rows)
SELECT
    role_arn,
    array_join(trusted_parties, ', ') AS trusted_parties,
    sessions_without_external_id AS without_external_id,
    sessions,
    last_activity_at
FROM ${database}.roles
WHERE account_id IN ('${account}')
  AND sessions_without_external_id > 0
ORDER BY without_external_id DESC, role_arn
