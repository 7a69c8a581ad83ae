-- Question: how much of each role could go, and where is a proposal withheld?
-- Meaning:  removed: actions that the proposal takes back, of those granted.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                         | trusted_parties | rightsizing | granted | kept | removed | rightsizing_reason
-- arn:aws:iam::012345678901:role/OrcaSecurityRole  | Orca Security   | proposed    | 452     | 64   | 388     |
-- arn:aws:iam::012345678901:role/security/vendors… | Lacework        | proposed    | 449     | 66   | 383     |
-- arn:aws:iam::333344445555:role/DrataAutopilotRo… | Drata           | proposed    | 402     | 44   | 358     |
-- (25 rows)
SELECT
    role_arn,
    array_join(trusted_parties, ', ') AS trusted_parties,
    rightsizing,
    granted,
    kept,
    removed,
    rightsizing_reason
FROM ${database}.roles
WHERE account_id IN ('${account}')
ORDER BY removed DESC, role_arn
