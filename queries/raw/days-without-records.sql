-- Question: of which days are there records at all?
-- Meaning:  A day that is missing for an account has no record in any Region: a hole, or a very quiet day. Nobody
--           knows what was done on it, so nothing may be called unused because of it.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD).
--
-- trail_account | day        | records | regions
-- 012345678901  | 2026-05-01 | 40      | 3
-- 012345678901  | 2026-05-02 | 21      | 2
-- 012345678901  | 2026-05-03 | 1       | 1
-- (277 rows)
SELECT
    trail_account,
    substr(eventtime, 1, 10) AS day,
    count(DISTINCT eventid) AS records,
    count(DISTINCT awsregion) AS regions
FROM ${trail}
WHERE trail_account IN ('${account}')
  AND trail_day BETWEEN '${first_day}' AND '${last_day}'
GROUP BY trail_account, substr(eventtime, 1, 10)
ORDER BY trail_account, day
