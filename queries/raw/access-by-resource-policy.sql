-- Question: which foreign accounts reached our resources without a role?
-- Meaning:  Calls of principals of other accounts, AssumeRole apart; data events only where the trail records them.
--           Every account that is not named counts as foreign: name all of your own.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD).
--
-- caller_account | eventsource      | eventname | calls | with_error | last_seen
-- 107630771604   | s3.amazonaws.com | GetObject | 31    | 0          | 2026-07-31T11:48:52Z
-- (1 rows)
SELECT
    useridentity.accountid AS caller_account,
    eventsource,
    eventname,
    count(DISTINCT eventid) AS calls,
    count(DISTINCT CASE WHEN errorcode IS NOT NULL THEN eventid END) AS with_error,
    max(eventtime) AS last_seen
FROM ${trail}
WHERE trail_account IN ('${account}')
  AND trail_day BETWEEN '${first_day}' AND '${last_day}'
  AND useridentity.type IN ('AWSAccount', 'AssumedRole', 'IAMUser', 'Role')
  AND useridentity.accountid NOT IN ('${account}')
  AND NOT (eventsource = 'sts.amazonaws.com' AND eventname LIKE 'AssumeRole%')
GROUP BY useridentity.accountid, eventsource, eventname
ORDER BY calls DESC, caller_account, eventsource, eventname
