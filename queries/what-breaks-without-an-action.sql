-- Question: what would break if we removed this action?
-- Meaning:  Calls that used it and were not refused, by whom and in which role. One action, without `*`. No row means
--           that the trail shows no use; whether it could have shown one, the table permissions tells (verdict).
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${action} (such as s3:GetObject).
--
-- party_name | role_arn                                         | event_source      | event_name        | calls | sessions | first_call          | last_call           | samples
-- Datadog    | arn:aws:iam::210987654321:role/DatadogIntegrati… | ec2.amazonaws.com | DescribeInstances | 35    | 22       | 2026-05-01 04:52:53 | 2026-07-29 14:11:37 | 047b1d2b-d5a0-4e4c-af06-e5df6817d9bb, 0756bbd7-…
-- Zesty      | arn:aws:iam::012345678901:role/ZestyManager      | ec2.amazonaws.com | DescribeInstances | 33    | 12       | 2026-05-01 09:53:00 | 2026-07-31 22:05:07 | 0b606f94-f6c1-42a1-a232-fe79e9fbaea7, 0be16bc3-…
-- Datadog    | arn:aws:iam::333344445555:role/DatadogIntegrati… | ec2.amazonaws.com | DescribeInstances | 31    | 21       | 2026-05-01 18:14:36 | 2026-07-23 17:35:10 | 072a7dea-18ad-4458-abe8-d8a1407b2e1b, 0a8972e7-…
-- (14 rows)
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    count(*) AS calls,
    count(DISTINCT session_id) AS sessions,
    min(time) AS first_call,
    max(time) AS last_call,
    array_join(min(event_id, 3), ', ') AS samples
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND cardinality(filter(actions, used -> lower(used) = lower('${action}'))) > 0
  AND outcome <> 'denied'
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY calls DESC, party_name, role_arn, event_source, event_name
