-- Question: which permissions were used before a day and not since?
-- Meaning:  They are used and stay in a proposal; the next window may call them unused.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`), ${day} (YYYY-MM-DD).
--
-- role_arn                                     | action                       | access_level | danger | calls | last_seen
-- arn:aws:iam::333344445555:role/vanta-auditor | iam:ListUsers                | list         |        | 3     | 2026-05-01 01:57:56
-- arn:aws:iam::333344445555:role/vanta-auditor | iam:GenerateCredentialReport | read         |        | 1     | 2026-05-01 02:11:16
-- arn:aws:iam::333344445555:role/vanta-auditor | s3:GetBucketVersioning       | read         |        | 2     | 2026-05-01 02:31:33
-- (15 rows)
SELECT
    role_arn,
    action,
    access_level,
    danger,
    calls,
    last_seen
FROM ${database}.permissions
WHERE account_id IN ('${account}')
  AND verdict = 'used'
  AND last_seen < TIMESTAMP '${day} 00:00:00'
ORDER BY danger IS NULL, last_seen, role_arn, action
