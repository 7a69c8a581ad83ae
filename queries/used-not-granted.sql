-- Question: what was used although no policy in the inventory grants it?
-- Meaning:  A policy that was changed since, a resource policy, or an inventory of another day.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                    | action         | calls | first_seen          | last_seen           | reason
-- arn:aws:iam::012345678901:role/ZestyActor   | sts:TagSession | 9     | 2026-05-10 22:02:28 | 2026-07-31 22:54:50 | may have been needed by sts:AssumeRole (9 calls…
-- arn:aws:iam::012345678901:role/ZestyManager | sts:TagSession | 9     | 2026-05-10 21:43:07 | 2026-07-31 22:15:15 | may have been needed by sts:AssumeRole (9 calls…
-- (2 rows)
SELECT
    role_arn,
    action,
    calls,
    first_seen,
    last_seen,
    reason
FROM ${database}.permissions
WHERE account_id IN ('${account}')
  AND verdict = 'used_not_granted'
ORDER BY last_seen DESC, role_arn, action
