-- Question: what was done in this session, call by call?
-- Meaning:  One row a call, and one for the hand-off that opened the session; time in UTC.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${session} (its session_id).
--
-- time                | region    | event_source             | event_name        | outcome | error_code | source_ip    | resources                                        | event_id
-- 2026-06-06 02:23:35 | us-east-1 | sts.amazonaws.com        | AssumeRole        | allowed |            | 198.51.100.6 | arn:aws:iam::012345678901:role/DatadogIntegrati… | 21906368-0b1e-46ed-aa04-168a48f58c37
-- 2026-06-06 02:24:21 | us-east-1 | ec2.amazonaws.com        | DescribeInstances | allowed |            | 198.51.100.6 |                                                  | 390a657a-a870-418b-a060-3c75b9e38fda
-- 2026-06-06 02:29:49 | us-east-1 | monitoring.amazonaws.com | DescribeAlarms    | allowed |            | 198.51.100.6 |                                                  | 35580f89-2fa2-4e71-ae05-6a6bcc017090
-- (10 rows)
SELECT
    time,
    region,
    event_source,
    event_name,
    outcome,
    error_code,
    source_ip,
    array_join(resources, ', ') AS resources,
    event_id
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND session_id = '${session}'
ORDER BY time, event_id
