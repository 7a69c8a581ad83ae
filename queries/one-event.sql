-- Question: which call is behind this event id?
-- Meaning:  The id as a finding, a certificate or report.json names it.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${event_id}.
--
-- time                | account_id   | region    | party_name | role_arn                                         | session_name     | event_source             | event_name     | actions                   | outcome | source_ip      | user_agent
-- 2026-07-09 16:55:13 | 012345678901 | us-east-1 | Datadog    | arn:aws:iam::012345678901:role/DatadogIntegrati… | Datadog-skk3eccf | cloudtrail.amazonaws.com | DescribeTrails | cloudtrail:DescribeTrails | denied  | 198.51.100.250 | aws-sdk-go-v2/1.32.3 ua/2.1 os/linux lang/go#1.…
-- (1 rows)
SELECT
    time,
    account_id,
    region,
    party_name,
    role_arn,
    session_name,
    event_source,
    event_name,
    array_join(actions, ', ') AS actions,
    outcome,
    source_ip,
    user_agent
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND event_id = '${event_id}'
ORDER BY time, account_id, region
