//! A small trail of two accounts in which hand-offs and calls fit together in every odd way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Our two accounts.
const OWN: [&str; 2] = ["111122223333", "222233334444"];
/// Two vendors and an account that nobody knows.
const VENDORS: [&str; 3] = ["464622532012", "017663287629", "999988887777"];

/// Its records.
#[derive(Default)]
struct Trail {
    records: Vec<Value>,
}

/// A session of a role of `account`; an empty key is not written.
#[derive(Clone, Copy)]
struct Of {
    account: &'static str,
    role: &'static str,
    name: &'static str,
    key: &'static str,
    created: &'static str,
}

const fn of(
    account: &'static str,
    role: &'static str,
    name: &'static str,
    key: &'static str,
    created: &'static str,
) -> Of {
    Of { account, role, name, key, created }
}

impl Of {
    /// The id of a role is its name, but for one that was made again.
    fn identity(&self) -> Value {
        let (id, role) = (format!("AROA{}", self.role.to_uppercase()), self.role.trim_end_matches("Old"));
        let mut identity = json!({"type": "AssumedRole", "principalId": format!("{id}:{}", self.name),
            "arn": format!("arn:aws:sts::{}:assumed-role/{role}/{}", self.account, self.name), "accountId": self.account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": id, "accountId": self.account,
                "arn": format!("arn:aws:iam::{}:role/{role}", self.account), "userName": role},
                "attributes": {"creationDate": format!("2026-05-{}Z", self.created), "mfaAuthenticated": "false"}}});
        if !self.key.is_empty() {
            identity["accessKeyId"] = self.key.into();
        }
        identity
    }
}

fn account(id: &str) -> Value {
    json!({"type": "AWSAccount", "accountId": id, "principalId": "AIDAOUTSIDE"})
}

fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "principalId": "AIDAUSER", "accountId": OWN[0], "userName": name,
        "arn": format!("arn:aws:iam::{}:user/{name}", OWN[0]), "accessKeyId": "AKIAUSER"})
}

fn service(name: &str) -> Value {
    json!({"type": "AWSService", "invokedBy": name})
}

impl Trail {
    fn add(&mut self, time: &str, identity: Value, (source, name): (&str, &str), changes: Value) -> &mut Self {
        let number = self.records.len();
        let mut record = json!({"eventVersion": "1.10", "userIdentity": identity, "eventTime": format!("2026-05-{time}Z"),
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.7", "userAgent": "agent/1", "requestParameters": null, "responseElements": null,
            "eventID": format!("00000000-0000-4000-8000-{number:012}"), "eventType": "AwsApiCall",
            "managementEvent": true, "eventCategory": "Management", "readOnly": false, "recipientAccountId": OWN[0]});
        for (key, value) in changes.as_object().unwrap() {
            record[key] = value.clone();
        }
        self.records.push(record);
        self
    }

    /// A hand-off that opens `to`, as its account records it.
    fn open(&mut self, time: &str, by: Value, to: &Of, changes: Value) -> &mut Self {
        let mut all = json!({"recipientAccountId": to.account,
            "requestParameters": {"roleArn": format!("arn:aws:iam::{}:role/{}", to.account, to.role.trim_end_matches("Old")),
                "roleSessionName": to.name},
            "responseElements": {"assumedRoleUser": {"assumedRoleId": format!("AROA{}:{}", to.role.to_uppercase(), to.name)}}});
        if !to.key.is_empty() {
            all["responseElements"]["credentials"] = json!({"accessKeyId": to.key});
        }
        for (key, value) in changes.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.add(time, by, ("sts", "AssumeRole"), all)
    }

    /// A call.
    fn call(&mut self, time: &str, by: &Of, call: (&str, &str)) -> &mut Self {
        self.add(time, by.identity(), call, json!({"recipientAccountId": by.account}))
    }
}

const INSTANCES: (&str, &str) = ("ec2", "DescribeInstances");
const BUCKETS: (&str, &str) = ("s3", "ListBuckets");

/// Keys that are missing on one side, or on both.
fn without_keys(trail: &mut Trail) {
    let (vendor, other) = (VENDORS[0], VENDORS[1]);
    // The hand-off tells no key, the calls do.
    let s = of(OWN[0], "Shared", "no-key-at-first", "", "10T10:00:00");
    trail.open("10T10:00:00", account(vendor), &s, json!({}));
    trail.call("10T10:01:00", &Of { key: "ASIA1", ..s }, INSTANCES);
    // The calls tell no key, the hand-off does; another call of the session tells it.
    let s = of(OWN[0], "Shared", "no-key-later", "ASIA2", "10T11:00:00");
    trail.open("10T11:00:00", account(vendor), &s, json!({}));
    trail.call("10T11:01:00", &Of { key: "", ..s }, INSTANCES);
    let s = of(OWN[0], "Shared", "key-now-and-then", "ASIA3", "10T12:00:00");
    trail.open("10T12:00:00", account(vendor), &s, json!({}));
    trail.call("10T12:01:00", &s, INSTANCES).call("10T12:02:00", &Of { key: "", ..s }, BUCKETS);
    // Two vendors open sessions of one name in one second: nobody can tell whose calls these are.
    let s = of(OWN[0], "Shared", "twins", "", "10T13:00:00");
    trail.open("10T13:00:00", account(vendor), &s, json!({})).open("10T13:00:00", account(other), &s, json!({}));
    trail.call("10T13:01:00", &Of { key: "ASIA4", ..s }, INSTANCES);
    // The same of one vendor.
    let s = of(OWN[0], "Shared", "siblings", "", "10T14:00:00");
    trail.open("10T14:00:00", account(vendor), &s, json!({})).open("10T14:00:00", account(vendor), &s, json!({}));
    trail.call("10T14:01:00", &Of { key: "ASIA5", ..s }, INSTANCES);
    // A key that fits beats a name that fits.
    let s = of(OWN[0], "Shared", "key-first", "ASIA6", "10T15:00:00");
    trail.open("10T15:00:00", account(other), &Of { key: "", ..s }, json!({}));
    trail.open("10T15:00:00", account(vendor), &s, json!({})).call("10T15:01:00", &s, INSTANCES);
    // Another name, or another second.
    let s = of(OWN[0], "Shared", "another-second", "", "10T16:00:00");
    trail.open("10T16:00:00", account(vendor), &s, json!({}));
    trail.call("10T16:01:00", &Of { key: "ASIA7", created: "10T16:00:09", ..s }, INSTANCES);
    trail.call("10T16:01:00", &Of { key: "ASIA8", name: "another-name", ..s }, INSTANCES);
    // Another key is another session, whatever else is the same.
    let s = of(OWN[0], "Shared", "another-key", "ASIA13", "10T16:30:00");
    trail.open("10T16:30:00", account(vendor), &s, json!({}));
    trail.call("10T16:31:00", &Of { key: "ASIA14", ..s }, INSTANCES);
    // No hand-off at all: the role's only outside party, or nobody.
    trail.call("10T17:01:00", &of(OWN[0], "Vendor", "unseen", "ASIA9", "10T17:00:00"), INSTANCES);
    trail.call("10T17:02:00", &of(OWN[0], "Shared", "unseen", "ASIA10", "10T17:00:00"), INSTANCES);
    trail.call("10T17:03:00", &of(OWN[0], "Ours", "unseen", "ASIA11", "10T17:00:00"), INSTANCES);
    trail.call("10T17:04:00", &of(OWN[0], "VendorOld", "unseen", "ASIA12", "10T17:00:00"), INSTANCES);
    trail.call("10T17:05:00", &of(OWN[0], "Vendor", "unseen", "", "10T17:30:00"), INSTANCES);
}

/// Chains, whole and broken (S11).
fn chains(trail: &mut Trail) {
    let first = of(OWN[0], "Vendor", "first", "ASIA21", "11T10:00:00");
    let second = of(OWN[0], "Second", "second", "ASIA22", "11T10:01:00");
    let third = of(OWN[1], "Third", "third", "ASIA23", "11T10:02:00");
    trail.open("11T10:00:00", account(VENDORS[0]), &first, json!({}));
    trail.open("11T10:01:00", first.identity(), &second, json!({}));
    // Both sides' records of one hand-off (S4).
    trail.open("11T10:02:00", second.identity(), &third, json!({"sharedEventID": "s-1", "recipientAccountId": OWN[0]}));
    trail.open("11T10:02:00", account(OWN[0]), &third, json!({"sharedEventID": "s-1"}));
    trail.call("11T10:03:00", &second, INSTANCES).call("11T10:04:00", &third, BUCKETS);
    // A chain whose first hand-off was not seen, from a role that only one party can assume, and from one that more can.
    let second = of(OWN[0], "Second", "of-one", "ASIA24", "11T11:01:00");
    trail.open("11T11:01:00", of(OWN[0], "Vendor", "gone", "ASIA25", "11T11:00:00").identity(), &second, json!({}));
    let third = of(OWN[1], "Third", "of-one", "ASIA26", "11T11:02:00");
    trail.open("11T11:02:00", second.identity(), &third, json!({"sharedEventID": "s-2", "recipientAccountId": OWN[0]}));
    trail.call("11T11:03:00", &third, BUCKETS);
    let second = of(OWN[0], "Second", "of-more", "ASIA27", "11T12:01:00");
    trail.open("11T12:01:00", of(OWN[0], "Shared", "gone", "ASIA28", "11T12:00:00").identity(), &second, json!({}));
    // From a role of ours that no outsider can assume, and from a service's session.
    let second = of(OWN[0], "Second", "of-ours", "ASIA29", "11T13:01:00");
    trail.open("11T13:01:00", of(OWN[0], "Ours", "gone", "ASIA30", "11T13:00:00").identity(), &second, json!({}));
    let instance = of(OWN[0], "Ours", "i-1", "ASIA31", "11T14:00:00");
    trail.open("11T14:00:00", service("ec2.amazonaws.com"), &instance, json!({}));
    trail.open("11T14:01:00", instance.identity(), &of(OWN[0], "Second", "of-ec2", "ASIA32", "11T14:01:00"), json!({}));
    trail.open("11T14:02:00", service("ec2.amazonaws.com"), &of(OWN[0], "Shared", "i-2", "ASIA33", ""), json!({}));
    // A chain by name and time alone.
    let first = of(OWN[0], "Vendor", "keyless", "", "11T15:00:00");
    trail.open("11T15:00:00", account(VENDORS[0]), &first, json!({}));
    trail.open(
        "11T15:01:00",
        Of { key: "ASIA34", ..first }.identity(),
        &of(OWN[0], "Second", "of-keyless", "ASIA35", "11T15:01:00"),
        json!({}),
    );
    // A circle.
    let (one, two) = (
        of(OWN[0], "CircleA", "round", "ASIA36", "11T16:00:00"),
        of(OWN[0], "CircleB", "round", "ASIA37", "11T16:00:00"),
    );
    trail.open("11T16:00:00", two.identity(), &one, json!({})).open("11T16:00:00", one.identity(), &two, json!({}));
    trail.call("11T16:01:00", &one, INSTANCES);
}

/// Users, providers, services, delegates, and those who come without a role.
fn others(trail: &mut Trail) {
    trail.open("12T10:00:00", user("datadog-integration"), &of(OWN[0], "Vendor", "key", "ASIA41", ""), json!({}));
    trail.open("12T10:01:00", user("jane"), &of(OWN[0], "Vendor", "jane", "ASIA42", ""), json!({}));
    trail.add("12T10:02:00", user("datadog-integration"), INSTANCES, json!({}));
    trail.add("12T10:03:00", user("jane"), INSTANCES, json!({}));
    let saml = json!({"type": "SAMLUser", "principalId": "x:pat", "userName": "pat", "identityProvider": "digest"});
    for (name, provider, key) in [("saml", "Contractors", "ASIA43"), ("sso", "AWSSSO_0a_DO_NOT_DELETE", "ASIA44")] {
        let s = of(OWN[0], "Federated", name, key, "12T11:00:00");
        let role = format!("arn:aws:iam::{}:role/Federated", OWN[0]);
        trail.open(
            "12T11:00:00",
            saml.clone(),
            &s,
            json!({"eventName": "AssumeRoleWithSAML", "requestParameters": {
            "principalArn": format!("arn:aws:iam::{}:saml-provider/{provider}", OWN[0]), "roleArn": role,
            "roleSessionName": name}}),
        );
        trail.call("12T11:01:00", &s, INSTANCES);
    }
    // S14: calls in a session of ours by somebody who was let act so; and a session in which nobody else called.
    let ours = of(OWN[0], "Admin", "jane", "ASIA45", "12T12:00:00");
    trail.open("12T12:00:00", user("jane"), &ours, json!({})).call("12T12:01:00", &ours, INSTANCES);
    for (session, time) in
        [(ours, "12T12:02:00"), (of(OWN[0], "Admin", "only", "ASIA46", "12T12:30:00"), "12T12:31:00")]
    {
        let mut delegated = session.identity();
        delegated["invokedByDelegate"] = json!({"accountId": VENDORS[1]});
        trail.add(time, delegated, BUCKETS, json!({}));
    }
    // S15, S17: through a resource policy, by a vendor, by nobody known, by AWS, and by an account of ours.
    for outside in [VENDORS[0], VENDORS[2], "127311923021", OWN[1]] {
        trail.add("12T13:00:00", account(outside), ("kms", "Decrypt"), json!({}));
        trail.add("12T13:01:00", account(outside), ("kms", "Decrypt"), json!({"errorCode": "AccessDenied"}));
    }
    trail.open("12T14:00:00", account("127311923021"), &of(OWN[0], "Shared", "aws", "ASIA47", ""), json!({}));
    trail.open("12T14:01:00", account(VENDORS[2]), &of(OWN[0], "Shared", "unknown", "ASIA48", ""), json!({}));
}

/// What came of calls, how often they were delivered, and when (S3, S4, S8, S12, S21).
fn outcomes(trail: &mut Trail) {
    let s = of(OWN[0], "Vendor", "calls", "ASIA51", "13T10:00:00");
    trail.open("13T10:00:00", account(VENDORS[0]), &s, json!({}));
    trail.call("13T10:01:00", &s, INSTANCES).call("13T10:02:00", &s, INSTANCES);
    for (at, code) in [
        "AccessDenied",
        "Client.UnauthorizedOperation",
        "AccessDeniedException",
        "ThrottlingException",
        "Client.DryRunOperation",
        "NoSuchThing",
    ]
    .into_iter()
    .enumerate()
    {
        trail.add(&format!("13T10:03:0{at}"), s.identity(), INSTANCES, json!({"errorCode": code}));
    }
    trail.add("13T10:04:00", s.identity(), ("iam", "ListUsers"), json!({"errorCode": "AccessDenied"}));
    let mut by_service = s.identity();
    by_service["invokedBy"] = "cloudformation.amazonaws.com".into();
    trail.add("13T10:05:00", by_service, BUCKETS, json!({}));
    trail.add("13T10:06:00", s.identity(), ("signin", "SwitchRole"), json!({"eventType": "AwsConsoleSignIn"}));
    trail.add("13T10:07:00", s.identity(), INSTANCES, json!({"awsRegion": "eu-west-1"}));
    let twice = trail.records.last().unwrap().clone();
    trail.records.push(twice);
    // Refused, and failed otherwise.
    let s = of(OWN[0], "Vendor", "refused", "", "");
    let code = |code: &str| json!({"errorCode": code, "responseElements": null});
    trail.open("13T11:00:00", account(VENDORS[0]), &s, code("AccessDenied"));
    trail.open("13T11:01:00", account(VENDORS[0]), &s, code("ExpiredTokenException"));
    // Opened before the window: used in it, and not.
    let s = of(OWN[0], "Vendor", "early", "ASIA52", "01T13:00:00");
    trail.open("01T13:00:00", account(VENDORS[0]), &s, json!({})).call("02T00:30:00", &s, INSTANCES);
    trail.open("01T14:00:00", account(VENDORS[0]), &of(OWN[0], "Vendor", "earlier", "ASIA53", ""), json!({}));
    trail.open("03T14:00:00", account(VENDORS[0]), &of(OWN[0], "Vendor", "idle", "ASIA54", ""), json!({}));
}

fn role(account: &str, name: &str, principal: Value) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{}", name.to_uppercase()), "Path": "/", "AttachedManagedPolicies": [],
        "Arn": format!("arn:aws:iam::{account}:role/{name}"), "CreateDate": "2025-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]},
        "RolePolicyList": [{"PolicyName": "reads", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["ec2:Describe*", "s3:List*", "sts:AssumeRole"], "Resource": "*"}]}}]})
}

/// Writes the trail with its inventories and the window for which it is to be read.
pub(crate) fn write(folder: &Path) {
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let of_role = |account: &str, name: &str| json!({"AWS": format!("arn:aws:iam::{account}:role/{name}")});
    let roles = [
        vec![
            role(OWN[0], "Vendor", json!({"AWS": root(VENDORS[0])})),
            role(
                OWN[0],
                "Shared",
                json!({"AWS": [root(VENDORS[0]), root(VENDORS[1])], "Service": "ec2.amazonaws.com"}),
            ),
            role(OWN[0], "Second", of_role(OWN[0], "Vendor")),
            role(OWN[0], "Ours", json!({"Service": "ec2.amazonaws.com"})),
            role(OWN[0], "Admin", json!({"AWS": root(OWN[0])})),
            role(OWN[0], "CircleA", of_role(OWN[0], "CircleB")),
            role(OWN[0], "CircleB", of_role(OWN[0], "CircleA")),
            role(
                OWN[0],
                "Federated",
                json!({"Federated": format!("arn:aws:iam::{}:saml-provider/Contractors", OWN[0])}),
            ),
        ],
        vec![role(OWN[1], "Third", of_role(OWN[0], "Second"))],
    ];
    fs::create_dir_all(folder.join("inventory")).unwrap();
    for (account, roles) in OWN.iter().zip(roles) {
        let inventory = json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": roles});
        fs::write(folder.join("inventory").join(format!("{account}.json")), inventory.to_string()).unwrap();
    }
    let window = json!({"since": "2026-05-02T00:00:00Z", "until": "2026-06-01T00:00:00Z"});
    fs::write(folder.join("truth.json"), json!({"window": window, "idle_days": 90}).to_string()).unwrap();
    let mut trail = Trail::default();
    without_keys(&mut trail);
    chains(&mut trail);
    others(&mut trail);
    outcomes(&mut trail);
    for account in OWN {
        let records: Vec<&Value> =
            trail.records.iter().filter(|record| record["recipientAccountId"] == account).collect();
        let place = folder.join(format!("AWSLogs/{account}/CloudTrail/us-east-1/2026/05/13"));
        fs::create_dir_all(&place).unwrap();
        let name = format!("{account}_CloudTrail_us-east-1_20260513T1100Z_abcdefghijklmnop.json.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, json!({"Records": records}).to_string().as_bytes()).unwrap();
        fs::write(place.join(name), packed.finish().unwrap()).unwrap();
    }
}
