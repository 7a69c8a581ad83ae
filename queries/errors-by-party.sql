-- Question: which errors do parties run into, and how often?
-- Meaning:  Refusals and failures; an error that began on a certain day may be a permission that somebody took.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name | error_code                | outcome | calls | apis | first_call          | last_call
-- Datadog    | AccessDenied              | denied  | 14    | 1    | 2026-05-04 08:05:10 | 2026-07-29 10:45:31
-- Zesty      | Client.DryRunOperation    | allowed | 14    | 1    | 2026-05-01 10:16:57 | 2026-07-07 04:46:53
-- Datadog    | ResourceNotFoundException | failed  | 12    | 1    | 2026-05-07 12:44:11 | 2026-07-29 14:24:05
-- (10 rows)
SELECT
    party_name,
    error_code,
    outcome,
    count(*) AS calls,
    count(DISTINCT event_source || ':' || event_name) AS apis,
    min(time) AS first_call,
    max(time) AS last_call
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND error_code IS NOT NULL
GROUP BY party_name, error_code, outcome
ORDER BY calls DESC, party_name, error_code
