-- Question: what should somebody act on, the gravest first?
-- Meaning:  Suppressed findings are left out. Findings of no account lie under the account 'none'.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- severity | code             | account_id   | subject                                          | party          | title                                            | remediation
-- high     | dangerous-unused | 012345678901 | arn:aws:iam::012345678901:role/CloudabilityRole  | Cloudability   | role CloudabilityRole grants 4 dangerous action… | Review the right-sized policies and their diff,…
-- high     | dangerous-unused | 012345678901 | arn:aws:iam::012345678901:role/DatadogIntegrati… | Datadog        | role DatadogIntegrationRole grants 1 dangerous … | Review the right-sized policies and their diff,…
-- high     | dangerous-unused | 012345678901 | arn:aws:iam::012345678901:role/GitHubDeploy      | GitHub Actions | role GitHubDeploy grants 2 dangerous actions th… | Review the right-sized policies and their diff,…
-- (98 rows)
SELECT
    severity,
    code,
    account_id,
    subject,
    party,
    title,
    remediation
FROM ${database}.findings
WHERE account_id IN ('${account}', 'none')
  AND suppressed_by IS NULL
ORDER BY
    CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END,
    code,
    subject
