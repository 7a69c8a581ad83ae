-- Question: which IAM actions did each role really use?
-- Meaning:  Calls that were not refused. One call can use several actions, so calls do not sum up over actions.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- role_arn                                        | action                  | calls | failed | sessions | first_call          | last_call
-- arn:aws:iam::012345678901:role/CloudabilityRole | ec2:DescribeInstances   | 16    | 0      | 9        | 2026-05-01 10:14:36 | 2026-07-30 07:00:14
-- arn:aws:iam::012345678901:role/CloudabilityRole | ce:GetCostAndUsage      | 15    | 0      | 8        | 2026-05-01 10:25:47 | 2026-07-30 06:53:38
-- arn:aws:iam::012345678901:role/CloudabilityRole | rds:DescribeDBInstances | 6     | 0      | 6        | 2026-05-11 15:13:55 | 2026-07-30 06:38:12
-- (114 rows)
SELECT
    role_arn,
    action,
    count(*) AS calls,
    count_if(outcome = 'failed') AS failed,
    count(DISTINCT session_id) AS sessions,
    min(time) AS first_call,
    max(time) AS last_call
FROM ${database}.activity
CROSS JOIN UNNEST(actions) AS used (action)
WHERE account_id IN ('${account}')
  AND outcome <> 'denied'
  AND role_arn <> ''
  AND NOT hand_off
GROUP BY role_arn, action
ORDER BY role_arn, calls DESC, action
