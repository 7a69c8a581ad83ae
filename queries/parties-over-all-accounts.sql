-- Question: who comes into any of our accounts, and what of it is on our bill?
-- Meaning:  charged_calls: calls that AWS charges for; throttled: refused because there were too many.
-- Fill in:  ${database}.
--
-- id           | kind   | name          | channels                | roles | sessions | calls | denied | throttled | charged_calls | last_seen
-- 464622532012 | vendor | Datadog       | assume_role             | 3     | 84       | 502   | 14     | 12        | 0             | 2026-07-29 14:24:05
-- 672188301118 | vendor | Zesty         | assume_role, role_chain | 3     | 30       | 140   | 0      | 0         | 0             | 2026-07-31 23:24:26
-- 976280145156 | vendor | Orca Security | assume_role             | 1     | 10       | 91    | 0      | 0         | 38            | 2026-07-30 17:06:58
-- (22 rows)
SELECT
    id,
    kind,
    name,
    array_join(channels, ', ') AS channels,
    cardinality(roles) AS roles,
    sessions,
    calls,
    denied,
    throttled,
    charged_calls,
    last_seen
FROM ${database}.parties
WHERE account_id = 'none'
  AND kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
ORDER BY calls DESC, id
