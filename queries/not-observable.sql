-- Question: of which granted actions could the trail not have shown a use?
-- Meaning:  They are never called unused. Data events and network activity events are recorded only where a trail is
--           told to.
-- Fill in:  ${database}, ${account} (12 digits; several as `1', '2`).
--
-- service    | actions | roles | reason
-- cloudwatch | 63      | 4     | a data event (AWS::CloudWatch::Metric) that thi…
-- ce         | 57      | 2     | no API of this name exists, so CloudTrail can n…
-- ec2        | 23      | 14    | no API of this name exists, so CloudTrail can n…
-- (18 rows)
SELECT
    service,
    count(DISTINCT action) AS actions,
    count(DISTINCT role_arn) AS roles,
    min(reason) AS reason
FROM ${database}.permissions
WHERE account_id IN ('${account}')
  AND verdict = 'not_observable'
GROUP BY service
ORDER BY actions DESC, service
