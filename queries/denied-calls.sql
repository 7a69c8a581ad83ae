-- Question: what were outside parties refused?
-- Columns:  party_name, role_arn (empty for access without a role), event_source, event_name, actions; denied (how
--           many), error_codes, last_seen (UTC), sample_event_ids to look them up in the trail.
-- Fill in:  ${database}, ${account} (12 digits).
--
-- party_name | role_arn                                  | event_source      | event_name | actions     | denied | error_codes  | last_seen           | sample_event_ids
-- Datadog    | arn:aws:iam::012345678901:role/vendors/DD | kms.amazonaws.com | Decrypt    | kms:Decrypt |      4 | AccessDenied | 2026-07-20 11:30:00 | 0a1b2c3d-0000-4000-8000-000000000001
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    array_join(array_distinct(flatten(array_agg(actions))), ', ') AS actions,
    sum(denied) AS denied,
    array_join(array_distinct(flatten(array_agg(error_codes))), ', ') AS error_codes,
    max(last_seen) AS last_seen,
    array_join(slice(array_distinct(flatten(array_agg(sample_event_ids))), 1, 5), ', ') AS sample_event_ids
FROM ${database}.usage
WHERE account_id = '${account}'
  AND denied > 0
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY denied DESC, role_arn, event_source, event_name
