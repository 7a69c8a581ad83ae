-- findings: one finding; those of no account lie under account_id=none.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`findings` (
  `id` string COMMENT 'stable id of the finding',
  `code` string COMMENT 'code of docs/FINDINGS.md',
  `severity` string COMMENT 'critical, high, medium, low or info',
  `subject` string COMMENT 'ARN, party id or account id',
  `party` string COMMENT 'party concerned',
  `title` string COMMENT 'one line',
  `detail` string COMMENT 'a few sentences',
  `evidence` string COMMENT 'what it rests on, as JSON',
  `remediation` string COMMENT 'what to do next',
  `suppressed_by` string COMMENT 'file and line of the suppression, null when it is not suppressed',
  `suppressed_owner` string COMMENT 'who answers for the suppression',
  `suppressed_reason` string COMMENT 'why it is suppressed'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/findings/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/findings/account_id=${account_id}/'
);
