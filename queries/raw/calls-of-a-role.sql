-- Question: what was called in this role, whoever had it?
-- Meaning:  sample: an event id.
-- Fill in:  ${trail} (the table of trail.sql), ${account} (12 digits; several as `1', '2`), ${first_day}, ${last_day}
--           (YYYY/MM/DD), ${role} (its ARN).
--
-- eventsource           | eventname         | calls | with_error | first_seen           | last_seen            | sample
-- ec2.amazonaws.com     | DescribeInstances | 26    | 0          | 2026-05-04T18:02:36Z | 2026-07-26T18:55:20Z | 09848987-ab1b-4337-a5f8-113fff9c1534
-- tagging.amazonaws.com | GetResources      | 25    | 0          | 2026-05-01T10:14:50Z | 2026-07-29T02:22:21Z | 08726a87-812a-4442-a9bd-1aa1a3694cc2
-- ec2.amazonaws.com     | DescribeVolumes   | 20    | 0          | 2026-05-01T10:15:35Z | 2026-07-26T18:48:44Z | 03ebfb50-10d1-43cd-a761-1f845e7d27ed
-- (14 rows)
SELECT
    eventsource,
    eventname,
    count(DISTINCT eventid) AS calls,
    count(DISTINCT CASE WHEN errorcode IS NOT NULL THEN eventid END) AS with_error,
    min(eventtime) AS first_seen,
    max(eventtime) AS last_seen,
    min(eventid) AS sample
FROM ${trail}
WHERE trail_account IN ('${account}')
  AND trail_day BETWEEN '${first_day}' AND '${last_day}'
  AND useridentity.sessioncontext.sessionissuer.arn = '${role}'
GROUP BY eventsource, eventname
ORDER BY calls DESC, eventsource, eventname
