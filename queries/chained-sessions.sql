-- Question: which parties went on from one role into another?
-- Meaning:  role_arn: the role at the end of the chain; attribution: how surely the party is known.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name | role_arn                                  | attribution | sessions | calls | denied | last_call
-- Zesty      | arn:aws:iam::012345678901:role/ZestyActor | exact       | 9        | 36    | 0      | 2026-07-31 22:54:50
-- Zesty      | arn:aws:iam::210987654321:role/ZestySpoke | exact       | 9        | 27    | 0      | 2026-07-31 23:24:26
-- (2 rows)
SELECT
    party_name,
    role_arn,
    attribution,
    count(*) AS sessions,
    sum(calls) AS calls,
    sum(denied) AS denied,
    max(last_call) AS last_call
FROM ${database}.sessions
WHERE account_id IN ('${account}')
  AND channel = 'role_chain'
GROUP BY party_name, role_arn, attribution
ORDER BY sessions DESC, party_name, role_arn
