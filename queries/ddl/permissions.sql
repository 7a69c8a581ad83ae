-- permissions: one action that a role is granted or used.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`permissions` (
  `role_arn` string COMMENT 'the role',
  `role_name` string COMMENT 'its name',
  `role_id` string COMMENT 'its id, which tells it from a role that had its name before',
  `service` string COMMENT 'service prefix of the action',
  `action` string COMMENT 'IAM action',
  `verdict` string COMMENT 'used, unused, not_observable, dependent or used_not_granted',
  `access_level` string COMMENT 'list, read, tagging, write or permissions_management',
  `danger` string COMMENT 'why it is dangerous, if it is',
  `calls` bigint COMMENT 'calls that needed it, refused and failed ones included',
  `denied` bigint COMMENT 'calls refused',
  `failed` bigint COMMENT 'calls that failed after authorization',
  `first_seen` timestamp COMMENT 'first use',
  `last_seen` timestamp COMMENT 'last use',
  `resources` array<string> COMMENT 'resources of uses, up to a limit',
  `sample_event_ids` array<string> COMMENT 'some event ids',
  `granted_by` array<string> COMMENT 'policy and statement that grant it, with a space between',
  `kept` boolean COMMENT 'whether it stays in the proposal',
  `reason` string COMMENT 'why the verdict is what it is'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/permissions/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/permissions/account_id=${account_id}/'
);
