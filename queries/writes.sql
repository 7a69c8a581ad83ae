-- Question: what did outside parties change?
-- Meaning:  Calls that are not known to be read-only and that went through without an error, so no dry runs; samples:
--           event ids.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name     | role_arn                                         | event_source         | event_name                   | calls | first_call          | last_call           | samples
-- GitHub Actions | arn:aws:iam::012345678901:role/GitHubDeploy      | lambda.amazonaws.com | UpdateFunctionCode20150331v2 | 17    | 2026-05-01 08:56:33 | 2026-07-20 18:21:14 | 0ef81953-ab1c-4ef2-ae3c-0a6283195230, 19167aa8-…
-- Zesty          | arn:aws:iam::012345678901:role/ZestyActor        | ec2.amazonaws.com    | CreateTags                   | 16    | 2026-05-10 21:56:30 | 2026-07-31 22:54:35 | 0ae791b6-2c68-4511-a69e-fe232a08a286, 0d11375b-…
-- Fivetran       | arn:aws:iam::210987654321:role/FivetranConnector | s3.amazonaws.com     | PutObject                    | 12    | 2026-05-01 08:17:49 | 2026-07-11 19:32:57 | 024ce824-3104-41d5-a4bf-9193862998a6, 3e83a2f5-…
-- (4 rows)
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    count(*) AS calls,
    min(time) AS first_call,
    max(time) AS last_call,
    array_join(min(event_id, 3), ', ') AS samples
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND coalesce(read_only, false) = false
  AND outcome = 'allowed'
  AND error_code IS NULL
  AND NOT hand_off
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY calls DESC, party_name, role_arn, event_source, event_name
