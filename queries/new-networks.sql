-- Question: from which addresses did a party come since a day, from which it had not come before?
-- Meaning:  Calls and hand-offs from addresses first seen from that day on, of parties that had come before it. Many
--           vendors change theirs often.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${day} (YYYY-MM-DD).
--
-- party_name | source_ip      | first_call          | calls | services
-- Zesty      | 198.51.100.17  | 2026-07-07 04:39:21 | 15    | ec2.amazonaws.com, sts.amazonaws.com
-- Zesty      | 198.51.100.238 | 2026-07-31 21:46:31 | 15    | ec2.amazonaws.com, sts.amazonaws.com
-- Zesty      | 198.51.100.124 | 2026-07-23 10:15:29 | 12    | ec2.amazonaws.com, sts.amazonaws.com
-- (61 rows)
SELECT
    party_name,
    source_ip,
    min(time) AS first_call,
    count(*) AS calls,
    array_join(array_sort(array_distinct(array_agg(event_source))), ', ') AS services
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND party_id IN (
    SELECT party_id FROM ${database}.activity WHERE account_id IN ('${account}') AND time < TIMESTAMP '${day} 00:00:00'
  )
GROUP BY party_name, source_ip
HAVING min(time) >= TIMESTAMP '${day} 00:00:00'
ORDER BY calls DESC, party_name, source_ip
