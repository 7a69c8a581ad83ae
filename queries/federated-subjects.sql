-- Question: who signed on by an identity provider, into which role?
-- Meaning:  party_id: the provider with the subject; channel: web_identity or saml.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- party_id                                         | channel      | role_arn                                         | sessions | calls | first_opened        | last_opened
-- contractors/pat@contractor.example               | saml         | arn:aws:iam::210987654321:role/ExternalContract… | 8        | 45    | 2026-05-02 02:42:03 | 2026-07-28 18:53:12
-- token.actions.githubusercontent.com/repo:acme/s… | web_identity | arn:aws:iam::012345678901:role/GitHubDeploy      | 10       | 65    | 2026-05-01 08:28:58 | 2026-07-30 04:51:47
-- (2 rows)
SELECT
    party_id,
    channel,
    role_arn,
    count(*) AS sessions,
    sum(calls) AS calls,
    min(opened_at) AS first_opened,
    max(opened_at) AS last_opened
FROM ${database}.sessions
WHERE account_id IN ('${account}')
  AND party_kind = 'identity_provider'
GROUP BY party_id, channel, role_arn
ORDER BY party_id, role_arn
