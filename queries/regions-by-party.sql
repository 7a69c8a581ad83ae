-- Question: in which Regions does each party work?
-- Meaning:  A Region in which a party never worked is one that a policy could refuse to it.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name   | region    | calls | denied | services | last_seen
-- Cloudability | us-east-1 | 50    | 4      | 5        | 2026-07-30 07:02:05
-- Cloudability | eu-west-1 | 1     | 0      | 1        | 2026-05-31 02:54:13
-- Cloudhealth  | us-east-1 | 37    | 0      | 2        | 2026-07-28 22:29:59
-- (31 rows)
SELECT
    party_name,
    region,
    sum(calls) AS calls,
    sum(denied) AS denied,
    count(DISTINCT event_source) AS services,
    max(last_seen) AS last_seen
FROM ${database}.usage
WHERE account_id IN ('${account}')
GROUP BY party_name, region
ORDER BY party_name, calls DESC, region
