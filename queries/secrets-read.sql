-- Question: which parties read secrets, parameters, or decrypted data?
-- Meaning:  Up to five resources; calls that were refused are in denied.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_name    | role_arn                                        | event_source                 | event_name     | calls | denied | last_call           | resources
-- Orca Security | arn:aws:iam::012345678901:role/OrcaSecurityRole | secretsmanager.amazonaws.com | GetSecretValue | 28    | 0      | 2026-07-30 17:06:58 |
-- Orca Security | arn:aws:iam::012345678901:role/OrcaSecurityRole | kms.amazonaws.com            | Decrypt        | 10    | 0      | 2026-07-30 17:06:58 | arn:aws:kms:eu-west-1:012345678901:key/5d1a9c3e…
-- (2 rows)
SELECT
    party_name,
    role_arn,
    event_source,
    event_name,
    count(*) AS calls,
    count_if(outcome = 'denied') AS denied,
    max(time) AS last_call,
    array_join(slice(array_sort(array_distinct(flatten(array_agg(resources)))), 1, 5), ', ') AS resources
FROM ${database}.activity
WHERE account_id IN ('${account}')
  AND party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
  AND ((event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue'))
       OR (event_source = 'ssm.amazonaws.com' AND event_name LIKE 'GetParameter%')
       OR (event_source = 'kms.amazonaws.com' AND event_name IN ('Decrypt', 'GenerateDataKey', 'ReEncrypt')))
GROUP BY party_name, role_arn, event_source, event_name
ORDER BY calls DESC, party_name, role_arn, event_source, event_name
