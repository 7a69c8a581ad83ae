-- Question: what were outside parties refused?
-- Meaning:  Refused hand-offs too: their role is the one that was asked for. samples: event ids to look up in the
--           trail.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name   | role_arn                                         | event_source             | event_name                | actions                       | denied | error_codes                  | last_call           | samples
-- Datadog      | arn:aws:iam::012345678901:role/DatadogIntegrati… | cloudtrail.amazonaws.com | DescribeTrails            | cloudtrail:DescribeTrails     | 7      | AccessDenied                 | 2026-07-29 02:26:23 | 31db98b0-ee76-4585-af45-102247d26741, 61a61e8b-…
-- Datadog      | arn:aws:iam::333344445555:role/DatadogIntegrati… | cloudtrail.amazonaws.com | DescribeTrails            | cloudtrail:DescribeTrails     | 5      | AccessDenied                 | 2026-07-29 10:45:31 | 645f9a84-bf31-4b07-a8ca-8f6a834a501f, 8d012693-…
-- Cloudability | arn:aws:iam::012345678901:role/CloudabilityRole  | ec2.amazonaws.com        | DescribeReservedInstances | ec2:DescribeReservedInstances | 4      | Client.UnauthorizedOperation | 2026-07-20 10:21:50 | 57f1fc01-ff69-4d47-a6aa-f2c30d2e09c8, 952a94a4-…
-- (5 rows)
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    array_join(array_sort(array_distinct(flatten(array_agg(actions)))), ', ') AS actions,
    count(*) AS denied,
    array_join(array_sort(array_distinct(array_agg(error_code))), ', ') AS error_codes,
    max(time) AS last_call,
    array_join(min(event_id, 3), ', ') AS samples
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND outcome = 'denied'
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY denied DESC, party_name, role_arn, event_source, event_name
