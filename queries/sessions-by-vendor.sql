-- Question: which vendors came in, how often, and when last?
-- Columns:  party_id, party_name, role_arn; sessions (how many), calls, denied; last_call (UTC).
-- Fill in:  ${database}, ${account} (12 digits). For several accounts: account_id IN ('...', '...').
--
-- party_id     | party_name | role_arn                                  | sessions | calls | denied | last_call
-- 464622532012 | Datadog    | arn:aws:iam::012345678901:role/vendors/DD |       93 | 18211 |      4 | 2026-07-31 23:10:04
SELECT
    party_id,
    party_name,
    role_arn,
    count(*) AS sessions,
    sum(calls) AS calls,
    sum(denied) AS denied,
    max(last_call) AS last_call
FROM ${database}.sessions
WHERE account_id = '${account}'
  AND party_kind = 'vendor'
GROUP BY party_id, party_name, role_arn
ORDER BY sessions DESC, party_id, role_arn
