//! What AWS answers in the tests: one account with two roles, two users and two trails, in an organization of four; every
//! paged answer in two pages.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a call that nobody expects stops the test")]

use serde_json::{Value, json};

use super::{Answer, Call};

/// The caller's account.
pub(crate) const OWN: &str = "111122223333";
/// An account that lets the role be assumed.
pub(crate) const SECOND: &str = "222233334444";
/// One that refuses.
pub(crate) const CLOSED: &str = "333344445555";
/// Whom the roles trust.
pub(crate) const VENDOR: &str = "464622532012";

/// Whose key that is: the caller's, or one that the stand-in gave out for another account.
fn account_of(call: &Call) -> String {
    call.key.strip_prefix("ASIA").unwrap_or(OWN).to_owned()
}

fn trust() -> &'static str {
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS\
     %22%3A%22464622532012%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D"
}

/// A role that the vendor may assume.
pub(crate) fn role(account: &str, name: &str) -> String {
    format!(
        "<member><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA{name}</RoleId>\
         <Arn>arn:aws:iam::{account}:role/{name}</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument><RoleLastUsed/></member>",
        trust().replace(' ', "")
    )
}

/// One list of a query answer in two pages: the first names the second.
fn paged(call: &Call, list: &str, pages: [String; 2]) -> Answer {
    let [first, second] = pages;
    Answer::Xml(match call.parameter("Marker") {
        "" => format!("<{list}>{first}</{list}><IsTruncated>true</IsTruncated><Marker>second+/=</Marker>"),
        "second+/=" => format!("<{list}>{second}</{list}><IsTruncated>false</IsTruncated>"),
        other => panic!("{}: a marker that nobody gave: {other}", call.action),
    })
}

fn tracked(service: &str, action: &str, at: &str) -> String {
    format!(
        "<member><ServiceName>x</ServiceName><ServiceNamespace>{service}</ServiceNamespace>\
         <LastAuthenticated>{at}</LastAuthenticated><TrackedActionsLastAccessed><member><ActionName>{action}</ActionName>\
         <LastAccessedTime>{at}</LastAccessedTime></member><member><ActionName>Other</ActionName></member>\
         </TrackedActionsLastAccessed></member>"
    )
}

/// A job of last-accessed details in that state.
pub(crate) fn details(call: &Call, status: &str) -> Answer {
    let head = format!(
        "<JobStatus>{status}</JobStatus><JobType>ACTION_LEVEL</JobType>\
         <JobCreationDate>2026-09-01T00:00:00Z</JobCreationDate><JobCompletionDate>2026-09-01T00:00:05Z</JobCompletionDate>"
    );
    if status != "COMPLETED" {
        let error = "<Error><Message>internal trouble</Message><Code>X</Code></Error>";
        let error = if status == "FAILED" { error } else { "" };
        return Answer::Xml(format!("{head}<ServicesLastAccessed/><IsTruncated>false</IsTruncated>{error}"));
    }
    let pages =
        [tracked("ec2", "RunInstances", "2026-04-01T00:00:00Z"), tracked("s3", "CreateBucket", "2026-06-01T00:00:00Z")];
    match paged(call, "ServicesLastAccessed", pages) {
        Answer::Xml(page) => Answer::Xml(format!("{head}{page}")),
        other => other,
    }
}

fn trail(name: &str, region: &str, multi_region: bool) -> Value {
    json!({"Name": name, "TrailARN": format!("arn:aws:cloudtrail:{region}:{OWN}:trail/{name}"), "HomeRegion": region,
        "S3BucketName": "logs", "IsMultiRegionTrail": multi_region, "IncludeGlobalServiceEvents": true,
        "HasCustomEventSelectors": true})
}

fn cloudtrail(call: &Call) -> Answer {
    let info = |name: &str, region: &str| json!({"TrailARN": trail(name, region, true)["TrailARN"], "Name": name, "HomeRegion": region});
    let arn = || call.parameter("TrailName").to_owned();
    Answer::Json(match (call.action.as_str(), call.region.as_str()) {
        ("ListTrails", _) if call.parameter("NextToken").is_empty() => {
            json!({"Trails": [info("main", "us-east-1")], "NextToken": "more"})
        }
        ("ListTrails", _) => json!({"Trails": [info("far", "eu-west-1")]}),
        ("DescribeTrails", "eu-west-1") => json!({"trailList": [trail("far", "eu-west-1", false)]}),
        ("DescribeTrails", _) => json!({"trailList": [trail("main", "us-east-1", true)]}),
        ("GetEventSelectors", "us-east-1") => json!({"TrailARN": arn(), "EventSelectors": [
            {"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources":
                [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}], "ExcludeManagementEventSources": []}]}),
        ("GetEventSelectors", _) => {
            json!({"TrailARN": arn(), "AdvancedEventSelectors": [{"Name": "n", "FieldSelectors":
            [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["true"]}]}]})
        }
        ("GetTrailStatus", _) => json!({"IsLogging": true, "StartLoggingTime": 1_767_225_600}),
        other => panic!("{other:?}"),
    })
}

fn organizations(call: &Call) -> Answer {
    let account = |id: &str, status: &str| json!({"Id": id, "Name": id, "Status": status, "Email": "who@example.com"});
    Answer::Json(match (call.action.as_str(), call.parameter("NextToken")) {
        ("DescribeOrganization", _) => json!({"Organization": {"Id": "o-exampleorgid", "MasterAccountId": OWN}}),
        ("ListAccounts", "") => {
            json!({"Accounts": [account(OWN, "ACTIVE"), account(SECOND, "ACTIVE")], "NextToken": "more"})
        }
        ("ListAccounts", "more") => {
            json!({"Accounts": [account(CLOSED, "ACTIVE"), account("444455556666", "SUSPENDED")]})
        }
        other => panic!("{other:?}"),
    })
}

fn sts(call: &Call) -> Answer {
    if call.action == "GetCallerIdentity" {
        let arn = format!("arn:aws:iam::{OWN}:user/auditor");
        return Answer::Xml(format!("<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{OWN}</Account>"));
    }
    let account = call.parameter("RoleArn").split(':').nth(4).unwrap();
    if account == CLOSED {
        return Answer::Error(403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole");
    }
    Answer::Xml(format!(
        "<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
    ))
}

fn iam(call: &Call) -> Answer {
    let account = account_of(call);
    let user = |name: &str| {
        format!(
            "<member><Path>/</Path><UserName>{name}</UserName><UserId>AIDA</UserId>\
             <Arn>arn:aws:iam::{account}:user/{name}</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate></member>"
        )
    };
    let key = |user: &str, at: u32| {
        format!(
            "<member><UserName>{user}</UserName><AccessKeyId>AKIA{}{at}</AccessKeyId><Status>Active</Status>\
             <CreateDate>2025-01-01T00:00:00Z</CreateDate></member>",
            user.to_uppercase()
        )
    };
    match call.action.as_str() {
        "GetAccountAuthorizationDetails" => {
            paged(call, "RoleDetailList", [role(&account, "First"), role(&account, "Second")])
        }
        "ListUsers" => paged(call, "Users", [user("jane"), user("john")]),
        "ListAccessKeys" => {
            let user = call.parameter("UserName");
            paged(call, "AccessKeyMetadata", [key(user, 1), key(user, 2)])
        }
        "GetAccessKeyLastUsed" => Answer::Xml(
            "<UserName>x</UserName><AccessKeyLastUsed><LastUsedDate>2026-06-01T00:00:00Z</LastUsedDate>\
             <ServiceName>s3</ServiceName><Region>us-east-1</Region></AccessKeyLastUsed>"
                .to_owned(),
        ),
        "GenerateCredentialReport" => Answer::Xml("<State>COMPLETE</State>".to_owned()),
        "GetCredentialReport" => {
            Answer::Xml(format!("<Content>{REPORT}</Content><ReportFormat>text/csv</ReportFormat>"))
        }
        "GenerateServiceLastAccessedDetails" => {
            Answer::Xml(format!("<JobId>{:0>36}</JobId>", call.parameter("Arn").rsplit('/').next().unwrap()))
        }
        "GetServiceLastAccessedDetails" => details(call, "COMPLETED"),
        other => panic!("{other}"),
    }
}

/// `user,arn,password_last_used,access_key_1_active,...` with one user, in base64.
const REPORT: &str = "dXNlcixhcm4scGFzc3dvcmRfbGFzdF91c2VkLGFjY2Vzc19rZXlfMV9hY3RpdmUsYWNjZXNzX2tleV8xX2xhc3RfdXNlZF9kYXRlLGFjY2Vzc19\
    rZXlfMl9hY3RpdmUsYWNjZXNzX2tleV8yX2xhc3RfdXNlZF9kYXRlCmphbmUsYXJuOmF3czppYW06OjExMTEyMjIyMzMzMzp1c2VyL2phbmUsTi9BLHRydWUsMjAyNi0wNi0wMVQwMDowMDowMCswMDowMCxmYWxzZSxOL0EK";

/// Whatever is asked.
pub(crate) fn aws(call: &Call) -> Answer {
    match call.service.as_str() {
        "sts" => sts(call),
        "iam" => iam(call),
        "organizations" => organizations(call),
        "cloudtrail" => cloudtrail(call),
        other => panic!("{other}"),
    }
}
