-- Question: with which programs does each party call?
-- Meaning:  Beginnings of user agents, up to the first space; first and last call in UTC.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name   | agent                   | calls | addresses | first_call          | last_call
-- Cloudability | aws-sdk-java/2.28.11    | 51    | 10        | 2026-05-01 10:02:28 | 2026-07-30 07:02:05
-- Cloudhealth  | aws-sdk-nodejs/2.1692.0 | 44    | 8         | 2026-05-02 18:39:43 | 2026-07-28 22:29:59
-- Datadog      | aws-sdk-go-v2/1.32.3    | 502   | 73        | 2026-05-01 04:43:29 | 2026-07-29 14:24:05
-- (19 rows)
SELECT
    party_name,
    split_part(user_agent, ' ', 1) AS agent,
    count(*) AS calls,
    count(DISTINCT source_ip) AS addresses,
    min(time) AS first_call,
    max(time) AS last_call
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND NOT hand_off
GROUP BY party_name, split_part(user_agent, ' ', 1)
ORDER BY party_name, calls DESC, agent
