-- Question: which parties reach resources without a role, by a resource policy or an access key?
-- Meaning:  resources: up to five of them; last_seen in UTC.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name | channel         | event_source      | event_name        | calls | denied | last_seen           | resources
-- SegmentIO  | resource_policy | s3.amazonaws.com  | GetObject         | 31    | 0      | 2026-07-31 11:48:52 | arn:aws:s3:::acme-export-210987654321, arn:aws:…
-- Spotinst   | access_key      | ec2.amazonaws.com | DescribeInstances | 16    | 0      | 2026-07-28 14:34:31 |
-- Spotinst   | access_key      | ec2.amazonaws.com | DescribeVolumes   | 16    | 0      | 2026-07-30 14:31:56 |
-- (4 rows)
SELECT
    party_name,
    channel,
    event_source,
    event_name,
    sum(calls) AS calls,
    sum(denied) AS denied,
    max(last_seen) AS last_seen,
    array_join(slice(array_sort(array_distinct(flatten(array_agg(resources)))), 1, 5), ', ') AS resources
FROM ${database}.usage
WHERE account_id IN ('${account}')
  AND role_arn = ''
  AND channel IN ('resource_policy', 'access_key')
GROUP BY party_name, channel, event_source, event_name
ORDER BY calls DESC, party_name, event_source, event_name
