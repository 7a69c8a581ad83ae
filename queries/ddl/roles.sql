-- roles: one role that an outside party can or did assume.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`roles` (
  `role_arn` string COMMENT 'the role',
  `role_name` string COMMENT 'its name',
  `role_id` string COMMENT 'its id, or empty when never seen',
  `created_at` timestamp COMMENT 'when it was created',
  `in_inventory` boolean COMMENT 'whether the inventory holds it',
  `trusted_parties` array<string> COMMENT 'outside parties that its trust policy names',
  `party_ids` array<string> COMMENT 'ids of the parties that came in',
  `last_activity_at` timestamp COMMENT 'last activity by the trail or by IAM, the later',
  `last_activity_source` string COMMENT 'cloudtrail or iam',
  `idle_verdict` string COMMENT 'active, idle, never_used, too_new or insufficient_evidence',
  `idle_days` bigint COMMENT 'whole days since the last activity',
  `idle_reason` string COMMENT 'one sentence',
  `sessions` bigint COMMENT 'sessions',
  `sessions_exact` bigint COMMENT 'of these, attributed by their access key id',
  `sessions_inferred` bigint COMMENT 'attributed by role, name and time',
  `sessions_unresolved` bigint COMMENT 'not attributed',
  `sessions_without_external_id` bigint COMMENT 'outside hand-offs that sent no external id',
  `sessions_without_calls` bigint COMMENT 'sessions without a call in the window',
  `rightsizing` string COMMENT 'proposed, unchanged or withheld',
  `rightsizing_reason` string COMMENT 'why withheld or unchanged',
  `granted` bigint COMMENT 'actions granted now',
  `kept` bigint COMMENT 'actions granted by the proposal',
  `removed` bigint COMMENT 'the difference'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/roles/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/roles/account_id=${account_id}/'
);
