-- Question: what did this party do, API by API?
-- Meaning:  read_only is null where the records do not tell.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${party} (its id).
--
-- event_source             | event_name        | read_only | calls | denied | failed | first_call          | last_call
-- ec2.amazonaws.com        | DescribeInstances | True      | 92    | 0      | 0      | 2026-05-01 04:52:53 | 2026-07-29 14:11:37
-- tagging.amazonaws.com    | GetResources      | True      | 65    | 0      | 0      | 2026-05-01 10:14:50 | 2026-07-29 10:32:45
-- monitoring.amazonaws.com | DescribeAlarms    | True      | 58    | 0      | 0      | 2026-05-04 08:00:11 | 2026-07-29 13:46:05
-- (14 rows)
SELECT
    event_source,
    event_name,
    read_only,
    count(*) AS calls,
    count_if(outcome = 'denied') AS denied,
    count_if(outcome = 'failed') AS failed,
    min(time) AS first_call,
    max(time) AS last_call
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_id = '${party}'
  AND NOT hand_off
GROUP BY event_source, event_name, read_only
ORDER BY calls DESC, event_source, event_name
