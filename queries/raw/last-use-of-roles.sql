-- Question: when was each role last used, as far as these days tell?
-- Meaning:  A role that is not in the answer made no recorded call; it may still have been assumed, or used before.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD).
--
-- role_arn                                         | last_seen            | calls | sessions
-- arn:aws:iam::333344445555:role/vanta-auditor     | 2026-05-01T02:31:33Z | 6     | 1
-- arn:aws:iam::333344445555:role/ecs-worker        | 2026-06-26T16:51:32Z | 15    | 3
-- arn:aws:iam::333344445555:role/service-role/nig… | 2026-07-02T12:27:22Z | 13    | 3
-- (33 rows)
SELECT
    useridentity.sessioncontext.sessionissuer.arn AS role_arn,
    max(eventtime) AS last_seen,
    count(DISTINCT eventid) AS calls,
    count(DISTINCT useridentity.accesskeyid) AS sessions
FROM ${trail}
WHERE trail_account IN ('${account}')
  AND trail_day BETWEEN '${first_day}' AND '${last_day}'
  AND useridentity.sessioncontext.sessionissuer.arn IS NOT NULL
GROUP BY useridentity.sessioncontext.sessionissuer.arn
ORDER BY last_seen, role_arn
