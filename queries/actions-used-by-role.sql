-- Question: which IAM actions did each role really use?
-- Meaning:  calls: denied and failed ones included. One call can use several actions, so calls do not sum up over
--           actions.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                        | action                  | calls | denied | first_seen          | last_seen           | sessions
-- arn:aws:iam::012345678901:role/CloudabilityRole | ec2:DescribeInstances   | 16    | 0      | 2026-05-01 10:14:36 | 2026-07-30 07:00:14 | 9
-- arn:aws:iam::012345678901:role/CloudabilityRole | ce:GetCostAndUsage      | 15    | 0      | 2026-05-01 10:25:47 | 2026-07-30 06:53:38 | 8
-- arn:aws:iam::012345678901:role/CloudabilityRole | rds:DescribeDBInstances | 6     | 0      | 2026-05-11 15:13:55 | 2026-07-30 06:38:12 | 6
-- (114 rows)
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
WHERE account_id IN ('${account}')
  AND calls > denied
  AND role_arn <> ''
GROUP BY role_arn, action
ORDER BY role_arn, calls DESC, action
