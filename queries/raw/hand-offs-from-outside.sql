-- Question: which foreign accounts opened sessions in which of our roles, and with an external id?
-- Meaning:  refused: hand-offs that were refused, of which records often do not tell the role; they are not counted as
--           without an external id. Every account that is not named counts as foreign: name all of your own. A record
--           that was delivered twice counts once.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD).
--
-- caller_account | role_arn                                         | hand_offs | without_external_id | refused | first_seen           | last_seen
-- 464622532012   | arn:aws:iam::012345678901:role/DatadogIntegrati… | 28        | 0                   | 0       | 2026-05-01T10:01:28Z | 2026-07-29T01:56:21Z
-- 464622532012   | arn:aws:iam::210987654321:role/DatadogIntegrati… | 28        | 0                   | 0       | 2026-05-01T04:41:50Z | 2026-07-29T13:10:38Z
-- 464622532012   | arn:aws:iam::333344445555:role/DatadogIntegrati… | 28        | 0                   | 0       | 2026-05-01T18:02:35Z | 2026-07-29T10:12:24Z
-- (18 rows)
SELECT
    useridentity.accountid AS caller_account,
    json_extract_scalar(requestparameters, '$.roleArn') AS role_arn,
    count(DISTINCT eventid) AS hand_offs,
    count(DISTINCT CASE WHEN errorcode IS NULL AND json_extract_scalar(requestparameters, '$.externalId') IS NULL
        THEN eventid END) AS without_external_id,
    count(DISTINCT CASE WHEN errorcode IS NOT NULL THEN eventid END) AS refused,
    min(eventtime) AS first_seen,
    max(eventtime) AS last_seen
FROM ${trail}
WHERE trail_account IN ('${account}')
  AND trail_day BETWEEN '${first_day}' AND '${last_day}'
  AND eventsource = 'sts.amazonaws.com'
  AND eventname = 'AssumeRole'
  AND useridentity.accountid IS NOT NULL
  AND useridentity.accountid NOT IN ('${account}')
GROUP BY useridentity.accountid, json_extract_scalar(requestparameters, '$.roleArn')
ORDER BY hand_offs DESC, caller_account, role_arn
