-- Question: which dangerous permissions do outsiders hold, used or not?
-- Meaning:  roles: how many hold it; unused: of these, without a use; not_observable: of these, where a use could not
--           have been seen.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- danger         | action                 | roles | used | unused | not_observable
-- code_execution | ssm:SendCommand        | 4     | 0    | 4      | 0
-- write          | ec2:StopInstances      | 3     | 1    | 2      | 0
-- destruction    | ec2:TerminateInstances | 2     | 0    | 2      | 0
-- (47 rows)
SELECT
    danger,
    action,
    count(*) AS roles,
    count_if(verdict = 'used') AS used,
    count_if(verdict = 'unused') AS unused,
    count_if(verdict = 'not_observable') AS not_observable
FROM ${database}.permissions
WHERE account_id IN ('${account}')
  AND danger IS NOT NULL
  AND verdict IN ('used', 'unused', 'not_observable', 'dependent')
GROUP BY danger, action
ORDER BY unused DESC, roles DESC, action
