-- Question: which IAM actions did each role really use?
-- Columns:  role_arn, action; calls (denied and failed ones included), denied; first_seen, last_seen (UTC); sessions.
-- Fill in:  ${database}, ${account} (12 digits).
-- One call can use several actions, so calls do not sum up over actions.
--
-- role_arn                                  | action              | calls | denied | first_seen          | last_seen           | sessions
-- arn:aws:iam::012345678901:role/vendors/DD | ec2:DescribeRegions |   212 |      0 | 2026-05-01 00:04:11 | 2026-07-31 23:10:04 |       93
SELECT
    role_arn,
    action,
    sum(calls) AS calls,
    sum(denied) AS denied,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(sessions) AS sessions
FROM ${database}.usage
CROSS JOIN UNNEST(actions) AS used (action)
WHERE account_id = '${account}'
  AND calls > denied
  AND role_arn <> ''
GROUP BY role_arn, action
ORDER BY role_arn, calls DESC, action
