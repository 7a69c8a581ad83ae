-- Question: which actions did a party use for the first time since a day?
-- Meaning:  Of parties that had called before that day. New behaviour is a new feature, or somebody else.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${day} (YYYY-MM-DD).
--
-- party_name    | action                    | first_call          | calls | denied
-- Orca Security | redshift:DescribeClusters | 2026-07-30 16:22:24 | 1     | 0
-- (1 rows)
SELECT
    party_name,
    action,
    min(time) AS first_call,
    count(*) AS calls,
    count_if(outcome = 'denied') AS denied
FROM ${database}.activity
CROSS JOIN UNNEST(actions) AS used (action)
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND party_id IN (
    SELECT party_id FROM ${database}.activity WHERE account_id IN ('${account}') AND time < TIMESTAMP '${day} 00:00:00'
  )
GROUP BY party_name, action
HAVING min(time) >= TIMESTAMP '${day} 00:00:00'
ORDER BY first_call, party_name, action
