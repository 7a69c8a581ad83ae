-- Question: how much did each party call, day by day?
-- Meaning:  day in UTC; a day on which a party did not call has no row, and a day of which the trail knows nothing has
--           none either.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- day        | party_name   | calls | denied | sessions
-- 2026-05-01 | Cloudability | 4     | 2      | 1
-- 2026-05-01 | Datadog      | 12    | 0      | 3
-- 2026-05-01 | Fivetran     | 8     | 0      | 1
-- (231 rows)
SELECT
    CAST(time AS date) AS day,
    party_name,
    count(*) AS calls,
    count_if(outcome = 'denied') AS denied,
    count(DISTINCT session_id) AS sessions
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND NOT hand_off
GROUP BY CAST(time AS date), party_name
ORDER BY day, party_name
