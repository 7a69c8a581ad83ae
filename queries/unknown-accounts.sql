-- Question: which accounts that nobody could name came in, by which way, and what did they do?
-- Meaning:  apis: how many different ones; writes: calls not known to be read-only that went through without an error.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_id     | channel     | role_arn                                         | sessions | calls | apis | writes | first_call          | last_call
-- 905418777103 | assume_role | arn:aws:iam::012345678901:role/partners/Partner… | 6        | 37    | 3    | 0      | 2026-05-02 15:07:35 | 2026-07-24 06:38:06
-- 730335440098 | assume_role | arn:aws:iam::333344445555:role/GrafanaShared     | 2        | 9     | 3    | 0      | 2026-05-19 04:33:02 | 2026-07-07 13:02:37
-- (2 rows)
SELECT
    party_id,
    channel,
    role_arn,
    count(DISTINCT session_id) AS sessions,
    count(*) AS calls,
    count(DISTINCT event_source || ':' || event_name) AS apis,
    count_if(coalesce(read_only, false) = false AND error_code IS NULL) AS writes,
    min(time) AS first_call,
    max(time) AS last_call
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind = 'unknown_account'
  AND NOT hand_off
GROUP BY party_id, channel, role_arn
ORDER BY calls DESC, party_id, role_arn
