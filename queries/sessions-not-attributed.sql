-- Question: which sessions could not be attributed with certainty?
-- Meaning:  attribution: inferred (by role, name and time, or by the only outside party) or unresolved.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                         | attribution | party_name     | sessions | calls | last_call
-- arn:aws:iam::333344445555:role/GrafanaShared     | unresolved  | not attributed | 1        | 4     | 2026-05-01 00:41:07
-- arn:aws:iam::210987654321:role/NewRelicInfrastr… | inferred    | New Relic      | 1        | 3     | 2026-06-20 21:53:20
-- arn:aws:iam::333344445555:role/SumoLogicCollect… | inferred    | Sumo Logic     | 1        | 4     | 2026-05-01 00:52:48
-- (3 rows)
SELECT
    role_arn,
    attribution,
    party_name,
    count(*) AS sessions,
    sum(calls) AS calls,
    max(last_call) AS last_call
FROM ${database}.sessions
WHERE account_id IN ('${account}')
  AND attribution <> 'exact'
  AND channel NOT IN ('resource_policy', 'access_key')
GROUP BY role_arn, attribution, party_name
ORDER BY attribution DESC, sessions DESC, role_arn, party_name
