-- usage: the calls of one party through one role to one API in one Region.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`usage` (
  `role_arn` string COMMENT 'the role, or empty for access without a role',
  `sessions` bigint COMMENT 'sessions that made such calls',
  `party_id` string COMMENT 'who stands behind it',
  `party_name` string COMMENT 'its name',
  `channel` string COMMENT 'how it came in',
  `region` string COMMENT 'Region',
  `event_source` string COMMENT 'as recorded',
  `event_name` string COMMENT 'as recorded',
  `actions` array<string> COMMENT 'IAM actions it uses',
  `rule` string COMMENT 'rule that mapped it',
  `calls` bigint COMMENT 'calls in all, refused and failed ones included',
  `denied` bigint COMMENT 'refused calls',
  `failed` bigint COMMENT 'calls that failed after authorization',
  `first_seen` timestamp COMMENT 'first call',
  `last_seen` timestamp COMMENT 'last call',
  `resources` array<string> COMMENT 'resources, up to a limit',
  `error_codes` array<string> COMMENT 'error codes, up to a limit',
  `sample_event_ids` array<string> COMMENT 'some event ids'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/usage/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/usage/account_id=${account_id}/'
);
