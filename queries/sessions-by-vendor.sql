-- Question: which vendors came in, how often, and when last?
-- Meaning:  sessions: how many; calls, denied: in them; last_call in UTC.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_id     | party_name | account_id   | role_arn                                         | sessions | calls | denied | last_call
-- 107630771604 | SegmentIO  | 210987654321 |                                                  | 31       | 31    | 0      | 2026-07-31 11:48:52
-- 464622532012 | Datadog    | 012345678901 | arn:aws:iam::012345678901:role/DatadogIntegrati… | 28       | 182   | 7      | 2026-07-29 02:26:23
-- 464622532012 | Datadog    | 210987654321 | arn:aws:iam::210987654321:role/DatadogIntegrati… | 28       | 155   | 2      | 2026-07-29 14:24:05
-- (19 rows)
SELECT
    party_id,
    party_name,
    account_id,
    role_arn,
    count(*) AS sessions,
    sum(calls) AS calls,
    sum(denied) AS denied,
    max(last_call) AS last_call
FROM ${database}.sessions
WHERE account_id IN ('${account}')
  AND party_kind = 'vendor'
GROUP BY party_id, party_name, account_id, role_arn
ORDER BY sessions DESC, party_id, role_arn
