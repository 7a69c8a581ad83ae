-- activity: one call in a role, by a user or through a resource policy that lets third parties in, or one hand-off into such a role, by time.
-- Every query must name accounts: WHERE account_id = '...' or account_id IN ('...', '...').
CREATE EXTERNAL TABLE IF NOT EXISTS `${database}`.`activity` (
  `time` timestamp COMMENT 'when, to the second',
  `event_id` string COMMENT '`eventID` of the record',
  `region` string COMMENT 'Region',
  `party_id` string COMMENT 'party id',
  `party_kind` string COMMENT 'kind of the party',
  `party_name` string COMMENT 'name of the party',
  `channel` string COMMENT 'how it came in',
  `role_arn` string COMMENT 'the role in which it called, or which a hand-off asked for, empty without a role',
  `role_id` string COMMENT 'its id, which tells it from a role that had its name before, empty when no record tells',
  `session_id` string COMMENT 'the session, as in the table `sessions`, empty for a hand-off that opened none',
  `session_name` string COMMENT 'name chosen by whoever opened it',
  `event_source` string COMMENT 'service, such as ec2.amazonaws.com',
  `event_name` string COMMENT 'API',
  `invoked_by` string COMMENT 'the service that called on behalf of the party',
  `actions` array<string> COMMENT 'IAM actions that the call uses, the most certain first, empty when it needs none or is not known',
  `resources` array<string> COMMENT 'ARNs in the record',
  `source_ip` string COMMENT '`sourceIPAddress`: an address, or the name of a service',
  `user_agent` string COMMENT '`userAgent`, up to 512 bytes',
  `outcome` string COMMENT 'allowed, denied, or failed after authorization',
  `error_code` string COMMENT '`errorCode`, null when there was none',
  `read_only` boolean COMMENT '`readOnly`, null when the record does not tell',
  `hand_off` boolean COMMENT 'whether it opened or asked for a session and is no call of another session: such a call counts as a session and not as a call'
)
PARTITIONED BY (`account_id` string COMMENT 'account, 12 digits, or none')
STORED AS PARQUET
LOCATION '${location}/parquet/activity/'
TBLPROPERTIES (
  'parquet.compression' = 'ZSTD',
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = '${location}/parquet/activity/account_id=${account_id}/'
);
