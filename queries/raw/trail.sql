-- Table:    CloudTrail's own log objects as Athena reads them, for those who have nothing but Athena.
-- Fill in:  ${trail} (database.table), ${trail_location} (`s3://bucket/prefix/AWSLogs`, with the organization's id behind
--           it where the trail has one), ${first_day} (YYYY/MM/DD, the first day of the trail).
-- Every query must name accounts and should name days: Athena then reads the objects of these alone. Regions that are not in
-- the list, such as those of GovCloud and China, are not read: add those that you use. Layout of the fields: AWS CloudTrail User Guide, "CloudTrail record contents".
CREATE EXTERNAL TABLE IF NOT EXISTS ${trail} (
  eventversion string,
  useridentity struct<
    type: string,
    principalid: string,
    arn: string,
    accountid: string,
    invokedby: string,
    accesskeyid: string,
    username: string,
    sessioncontext: struct<
      attributes: struct<mfaauthenticated: string, creationdate: string>,
      sessionissuer: struct<type: string, principalid: string, arn: string, accountid: string, username: string>>>,
  eventtime string,
  eventsource string,
  eventname string,
  awsregion string,
  sourceipaddress string,
  useragent string,
  errorcode string,
  errormessage string,
  requestparameters string,
  responseelements string,
  additionaleventdata string,
  requestid string,
  eventid string,
  readonly string,
  resources array<struct<arn: string, accountid: string, type: string>>,
  eventtype string,
  recipientaccountid string,
  sharedeventid string,
  vpcendpointid string,
  eventcategory string
)
PARTITIONED BY (trail_account string, trail_region string, trail_day string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '${trail_location}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.trail_account.type' = 'injected',
  'projection.trail_region.type' = 'enum',
  'projection.trail_region.values' = 'us-east-1,us-east-2,us-west-1,us-west-2,ca-central-1,ca-west-1,mx-central-1,sa-east-1,eu-west-1,eu-west-2,eu-west-3,eu-central-1,eu-central-2,eu-north-1,eu-south-1,eu-south-2,ap-south-1,ap-south-2,ap-east-1,ap-east-2,ap-northeast-1,ap-northeast-2,ap-northeast-3,ap-southeast-1,ap-southeast-2,ap-southeast-3,ap-southeast-4,ap-southeast-5,ap-southeast-7,me-south-1,me-central-1,il-central-1,af-south-1',
  'projection.trail_day.type' = 'date',
  'projection.trail_day.format' = 'yyyy/MM/dd',
  'projection.trail_day.range' = '${first_day},NOW',
  'storage.location.template' = '${trail_location}/${trail_account}/CloudTrail/${trail_region}/${trail_day}/'
);
