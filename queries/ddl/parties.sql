-- parties: one party over all accounts, under account_id=none.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`parties` (
  `id` string COMMENT 'account id, provider with subject, or a fixed word',
  `kind` string COMMENT 'vendor, unknown_account, identity_provider, iam_user, own_organization, aws_service or unresolved',
  `name` string COMMENT 'name for people',
  `channels` array<string> COMMENT 'how it came in',
  `roles` array<string> COMMENT 'ARNs of roles that it can or did assume',
  `sessions` bigint COMMENT 'sessions opened or used in the window',
  `calls` bigint COMMENT 'calls, hand-offs apart',
  `denied` bigint COMMENT 'refused calls and hand-offs',
  `failed` bigint COMMENT 'calls that failed after authorization',
  `throttled` bigint COMMENT 'failed calls refused because there were too many',
  `charged_calls` bigint COMMENT 'calls that AWS charges for',
  `first_seen` timestamp COMMENT 'first hand-off or call',
  `last_seen` timestamp COMMENT 'last hand-off or call',
  `regions` array<string> COMMENT 'Regions of its calls',
  `networks` array<string> COMMENT 'source networks, up to a limit',
  `agents` array<string> COMMENT 'user agents, up to a limit'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/parties/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/parties/account_id=${account_id}/'
);
