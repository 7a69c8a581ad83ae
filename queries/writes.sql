-- Question: what did outside parties change?
-- Meaning:  Calls that the record does not call read-only and that succeeded; samples: event ids to look up in the
--           trail.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name     | role_arn                                    | event_source         | event_name                   | calls | first_call          | last_call           | samples
-- GitHub Actions | arn:aws:iam::012345678901:role/GitHubDeploy | lambda.amazonaws.com | UpdateFunctionCode20150331v2 | 17    | 2026-05-01 08:56:33 | 2026-07-20 18:21:14 | 0ef81953-ab1c-4ef2-ae3c-0a6283195230, 19167aa8-…
-- Zesty          | arn:aws:iam::012345678901:role/ZestyActor   | ec2.amazonaws.com    | CreateTags                   | 16    | 2026-05-10 21:56:30 | 2026-07-31 22:54:35 | 0ae791b6-2c68-4511-a69e-fe232a08a286, 0d11375b-…
-- Zesty          | arn:aws:iam::012345678901:role/ZestyManager | ec2.amazonaws.com    | StopInstances                | 14    | 2026-05-01 10:16:57 | 2026-07-07 04:46:53 | 2ee6103e-e4b7-40bb-abf9-4d05c321c383, 440ac2a2-…
-- (5 rows)
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    count(*) AS calls,
    min(time) AS first_call,
    max(time) AS last_call,
    array_join(slice(array_sort(array_agg(event_id)), 1, 3), ', ') AS samples
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND read_only = false
  AND outcome = 'allowed'
  AND NOT hand_off
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY calls DESC, party_name, role_arn, event_source, event_name
