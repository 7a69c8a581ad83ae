-- sessions: one session: one set of temporary credentials.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`sessions` (
  `session_id` string COMMENT 'digest that names the session, keys are not written',
  `role_arn` string COMMENT 'the role',
  `role_id` string COMMENT 'its id',
  `session_name` string COMMENT 'name chosen by the caller',
  `party_id` string COMMENT 'who stands behind it',
  `party_kind` string COMMENT 'kind of that party',
  `party_name` string COMMENT 'its name',
  `channel` string COMMENT 'how it came in',
  `attribution` string COMMENT 'exact, inferred or unresolved',
  `opened_at` timestamp COMMENT 'time of the hand-off, or the creation date that its calls tell where none was seen',
  `first_call` timestamp COMMENT 'first call in the window',
  `last_call` timestamp COMMENT 'last call in the window',
  `calls` bigint COMMENT 'calls',
  `denied` bigint COMMENT 'refused calls',
  `failed` bigint COMMENT 'calls that failed after authorization',
  `external_id_sent` boolean COMMENT 'whether the hand-off sent an external id, null when not seen or not of that kind',
  `source_identity` string COMMENT 'sourceIdentity of the session',
  `networks` array<string> COMMENT 'source networks, up to a limit',
  `agents` array<string> COMMENT 'user agents, up to a limit'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/sessions/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/sessions/account_id=${account_id}/'
);
