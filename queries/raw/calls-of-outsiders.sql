-- Question: what did each foreign account do in the sessions that it opened?
-- Meaning:  Sessions are joined with their hand-off by the access key id that the hand-off gave out. Chains of roles,
--           renamed services and IAM actions are beyond this query: `thirdtrail analyze` knows them. Every account
--           that is not named counts as foreign: name all of your own.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD).
--
-- caller_account | role_arn                                         | eventsource       | eventname         | calls | with_error | last_seen
-- 834469178297   | arn:aws:iam::210987654321:role/FivetranConnector | s3.amazonaws.com  | GetObject         | 38    | 0          | 2026-07-25T19:38:19Z
-- 464622532012   | arn:aws:iam::210987654321:role/DatadogIntegrati… | ec2.amazonaws.com | DescribeInstances | 35    | 0          | 2026-07-29T14:11:37Z
-- 672188301118   | arn:aws:iam::012345678901:role/ZestyManager      | ec2.amazonaws.com | DescribeInstances | 33    | 0          | 2026-07-31T22:05:07Z
-- (110 rows)
WITH handed AS (
    SELECT DISTINCT
        json_extract_scalar(responseelements, '$.credentials.accessKeyId') AS access_key,
        useridentity.accountid AS caller_account,
        json_extract_scalar(requestparameters, '$.roleArn') AS role_arn
    FROM ${trail}
    WHERE trail_account IN ('${account}')
      AND trail_day BETWEEN '${first_day}' AND '${last_day}'
      AND eventsource = 'sts.amazonaws.com'
      AND eventname = 'AssumeRole'
      AND errorcode IS NULL
      AND useridentity.accountid NOT IN ('${account}')
)
SELECT
    handed.caller_account,
    handed.role_arn,
    calls.eventsource,
    calls.eventname,
    count(DISTINCT calls.eventid) AS calls,
    count(DISTINCT CASE WHEN calls.errorcode IS NOT NULL THEN calls.eventid END) AS with_error,
    max(calls.eventtime) AS last_seen
FROM ${trail} AS calls
JOIN handed ON calls.useridentity.accesskeyid = handed.access_key
WHERE calls.trail_account IN ('${account}')
  AND calls.trail_day BETWEEN '${first_day}' AND '${last_day}'
GROUP BY handed.caller_account, handed.role_arn, calls.eventsource, calls.eventname
ORDER BY calls DESC, caller_account, role_arn, eventsource, eventname
