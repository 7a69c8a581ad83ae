//! A change of access: a record by which somebody was let in, or was given more than before.
//!
//! Only what the record itself says: who may come in now by the policy that it sets, and under which condition keys. The
//! values of conditions are left out, because an external id is among them (S42). Whether those named are outsiders is
//! judged later.
//!
//! Source of the shapes: the services' CloudTrail documentation, and records of real attacks for most of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::reader::{Json, Parser};
use super::record::Record;

/// What kind of access changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChangeKind {
    /// Who may assume a role.
    Trust,
    /// What a role may do.
    RolePermissions,
    /// What a managed policy says, wherever it is attached.
    ManagedPolicy,
    /// What a user may do.
    UserPermissions,
    /// What the users of a group may do.
    GroupPermissions,
    /// A user's credentials.
    UserCredentials,
    /// Whom an identity provider or a certificate authority vouches for.
    Provider,
    /// Who may use a resource without a role.
    Resource,
}

/// Where the names of those who are let in stand.
#[derive(Clone, Copy)]
enum Named {
    Nobody,
    /// In a policy, as JSON or as a text of it.
    Policy(&'static [&'static str]),
    /// In texts with these keys, anywhere below a place.
    Keys(&'static [&'static str], &'static [&'static str]),
}

struct Api {
    source: &'static str,
    name: &'static str,
    kind: ChangeKind,
    /// What is changed, in the parameters.
    target: &'static [&'static str],
    named: Named,
    /// What is given, in the parameters or the response.
    gives: &'static [&'static str],
}

const fn api(
    (source, name): (&'static str, &'static str),
    kind: ChangeKind,
    target: &'static [&'static str],
    named: Named,
    gives: &'static [&'static str],
) -> Api {
    Api { source, name, kind, target, named, gives }
}

const NUMBERS: &[&str] = &["aWSAccountId", "aWSAccountIds", "awsAccountIds", "accountIds"];
const SHARED: &[&str] = &["userId", "group", "organizationArn", "organizationalUnitArn"];

use ChangeKind::{
    GroupPermissions, ManagedPolicy, Provider, Resource, RolePermissions, Trust, UserCredentials, UserPermissions,
};
use Named::{Keys, Nobody, Policy};

static APIS: [Api; 52] = [
    api(("iam", "CreateRole"), Trust, &["roleName"], Policy(&["assumeRolePolicyDocument"]), &[]),
    api(("iam", "UpdateAssumeRolePolicy"), Trust, &["roleName"], Policy(&["policyDocument"]), &[]),
    api(("iam", "AttachRolePolicy"), RolePermissions, &["roleName"], Nobody, &["policyArn"]),
    api(("iam", "PutRolePolicy"), RolePermissions, &["roleName"], Nobody, &["policyName"]),
    api(("iam", "DeleteRolePermissionsBoundary"), RolePermissions, &["roleName"], Nobody, &[]),
    api(("iam", "PutRolePermissionsBoundary"), RolePermissions, &["roleName"], Nobody, &["permissionsBoundary"]),
    api(("iam", "CreatePolicyVersion"), ManagedPolicy, &["policyArn"], Nobody, &[]),
    api(("iam", "SetDefaultPolicyVersion"), ManagedPolicy, &["policyArn"], Nobody, &["versionId"]),
    api(("iam", "AttachUserPolicy"), UserPermissions, &["userName"], Nobody, &["policyArn"]),
    api(("iam", "PutUserPolicy"), UserPermissions, &["userName"], Nobody, &["policyName"]),
    api(("iam", "AddUserToGroup"), UserPermissions, &["userName"], Nobody, &["groupName"]),
    api(("iam", "AttachGroupPolicy"), GroupPermissions, &["groupName"], Nobody, &["policyArn"]),
    api(("iam", "PutGroupPolicy"), GroupPermissions, &["groupName"], Nobody, &["policyName"]),
    api(("iam", "PutUserPermissionsBoundary"), UserPermissions, &["userName"], Nobody, &["permissionsBoundary"]),
    api(("iam", "DeleteUserPermissionsBoundary"), UserPermissions, &["userName"], Nobody, &[]),
    api(("iam", "CreateUser"), UserCredentials, &["userName"], Nobody, &[]),
    api(("iam", "CreateAccessKey"), UserCredentials, &["userName"], Nobody, &["accessKey", "accessKeyId"]),
    api(("iam", "UpdateAccessKey"), UserCredentials, &["userName"], Nobody, &["accessKeyId"]),
    api(("iam", "CreateLoginProfile"), UserCredentials, &["userName"], Nobody, &[]),
    api(("iam", "UpdateLoginProfile"), UserCredentials, &["userName"], Nobody, &[]),
    api(("iam", "CreateOpenIDConnectProvider"), Provider, &["url"], Nobody, &[]),
    api(("iam", "AddClientIDToOpenIDConnectProvider"), Provider, &["openIDConnectProviderArn"], Nobody, &["clientID"]),
    api(("iam", "UpdateOpenIDConnectProviderThumbprint"), Provider, &["openIDConnectProviderArn"], Nobody, &[]),
    api(("iam", "CreateSAMLProvider"), Provider, &["name"], Nobody, &[]),
    api(("iam", "UpdateSAMLProvider"), Provider, &["sAMLProviderArn"], Nobody, &[]),
    api(("rolesanywhere", "CreateTrustAnchor"), Provider, &["name"], Nobody, &[]),
    api(("rolesanywhere", "CreateProfile"), Provider, &["name"], Nobody, &[]),
    api(("s3", "PutBucketPolicy"), Resource, &["bucketName"], Policy(&["bucketPolicy"]), &[]),
    api(("s3", "PutBucketAcl"), Resource, &["bucketName"], Keys(&[], &["URI", "x-amz-acl"]), &[]),
    api(("s3", "PutAccessPointPolicy"), Resource, &["name"], Policy(&["PutAccessPointPolicyRequest", "Policy"]), &[]),
    api(("kms", "PutKeyPolicy"), Resource, &["keyId"], Policy(&["policy"]), &[]),
    api(("kms", "CreateKey"), Resource, &["keyMetadata", "arn"], Policy(&["policy"]), &[]),
    api(("kms", "CreateGrant"), Resource, &["keyId"], Keys(&[], &["granteePrincipal"]), &[]),
    api(("lambda", "AddPermission20150331v2"), Resource, &["functionName"], Keys(&[], &["principal"]), &["action"]),
    api(("lambda", "AddPermission20150331"), Resource, &["functionName"], Keys(&[], &["principal"]), &["action"]),
    api(("lambda", "AddLayerVersionPermission20181031"), Resource, &["layerName"], Keys(&[], &["principal"]), &[]),
    api(("sns", "SetTopicAttributes"), Resource, &["topicArn"], Policy(&["attributeValue"]), &[]),
    api(("sns", "AddPermission"), Resource, &["topicArn"], Keys(&[], NUMBERS), &[]),
    api(("sqs", "SetQueueAttributes"), Resource, &["queueUrl"], Policy(&["attributes", "Policy"]), &[]),
    api(("sqs", "AddPermission"), Resource, &["queueUrl"], Keys(&[], NUMBERS), &[]),
    api(("secretsmanager", "PutResourcePolicy"), Resource, &["secretId"], Policy(&["resourcePolicy"]), &[]),
    api(("ecr", "SetRepositoryPolicy"), Resource, &["repositoryName"], Policy(&["policyText"]), &[]),
    api(("dynamodb", "PutResourcePolicy"), Resource, &["resourceArn"], Policy(&["policy"]), &[]),
    api(("glue", "PutResourcePolicy"), Resource, &["resourceArn"], Policy(&["policyInJson"]), &[]),
    api(("events", "PutPermission"), Resource, &["eventBusName"], Keys(&[], &["principal"]), &["action"]),
    api(("backup", "PutBackupVaultAccessPolicy"), Resource, &["backupVaultName"], Policy(&["policy"]), &[]),
    api(
        ("ec2", "ModifySnapshotAttribute"),
        Resource,
        &["snapshotId"],
        Keys(&["createVolumePermission", "add"], SHARED),
        &[],
    ),
    api(("ec2", "ModifyImageAttribute"), Resource, &["imageId"], Keys(&["launchPermission", "add"], SHARED), &[]),
    api(("rds", "ModifyDBSnapshotAttribute"), Resource, &["dBSnapshotIdentifier"], Keys(&[], &["valuesToAdd"]), &[]),
    api(
        ("rds", "ModifyDBClusterSnapshotAttribute"),
        Resource,
        &["dBClusterSnapshotIdentifier"],
        Keys(&[], &["valuesToAdd"]),
        &[],
    ),
    api(("ram", "CreateResourceShare"), Resource, &["name"], Keys(&[], &["principals"]), &[]),
    api(("ram", "AssociateResourceShare"), Resource, &["resourceShareArn"], Keys(&[], &["principals"]), &[]),
];

/// One whom a changed policy names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Admitted {
    /// Account id, ARN, provider, service, or `*` for everybody.
    pub principal: Box<str>,
    /// The condition keys of the statement, in lower case, separated by commas, with `!` where the operator is negated or
    /// lets the key be absent; empty without conditions.
    pub conditions: Box<str>,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessChange<'a> {
    /// What was changed: a name or ARN, as the record gives it.
    pub target: &'a str,
    /// What was given: a policy, a key's id.
    pub gives: &'a str,
    /// Whom the new policy names.
    pub admitted: BTreeSet<Admitted>,
}

/// Whether records of an API may be changes of access.
#[must_use]
pub fn changes_access(source: &str, name: &str) -> bool {
    find(source, name).is_some()
}

/// The kind of change that an API makes.
#[must_use]
pub fn kind_of(source: &str, name: &str) -> Option<ChangeKind> {
    find(source, name).map(|api| api.kind)
}

/// One lookup, because it is asked of every record that is read in full.
fn find(source: &str, name: &str) -> Option<&'static Api> {
    static INDEX: LazyLock<HashMap<(&str, &str), &Api>> =
        LazyLock::new(|| APIS.iter().map(|api| ((api.source, api.name), api)).collect());
    INDEX.get(&(source, name)).copied()
}

impl<'a> AccessChange<'a> {
    /// The change in a record, if it is one. A policy of a resource that names nobody is none.
    #[must_use]
    pub fn read(record: &Record<'a>) -> Option<Self> {
        let api = find(record.source, record.name)?;
        let parameters = record.parameters.unwrap_or_default();
        let text = |path: &[&str]| {
            let response = || record.response.and_then(|json| json.text_at(path));
            parameters.text_at(path).or_else(response).unwrap_or_default()
        };
        let mut admitted = BTreeSet::new();
        match api.named {
            Nobody => {}
            Policy(path) => {
                let document = path.iter().try_fold(parameters, |json, key| json.get(key)).unwrap_or_default();
                note_document(document, &mut admitted);
            }
            Keys(place, keys) => {
                let conditions = limited_by(parameters);
                let below = place.iter().try_fold(parameters, |json, key| json.get(key)).unwrap_or_default();
                below.walk(&mut |_, key, value| {
                    if let Some(value) = value.filter(|_| keys.contains(&key)) {
                        admitted
                            .insert(Admitted { principal: Box::from(plain(value)), conditions: conditions.clone() });
                    }
                });
            }
        }
        // A key that is switched off gives nothing.
        let off = record.name == "UpdateAccessKey" && parameters.text_at(&["status"]) != Some("Active");
        if off || (api.kind == Resource && admitted.is_empty()) {
            return None;
        }
        let mut target = text(api.target);
        // Without a name, a user changes its own credentials.
        if target.is_empty() && matches!(api.kind, UserCredentials | UserPermissions) {
            target = text(&["accessKey", "userName"]);
            target = if target.is_empty() { record.identity.user_name } else { target };
        }
        Some(Self { target, gives: text(api.gives), admitted })
    }
}

/// The condition keys that stand for parameters which limit a permission given without a policy.
///
/// Source: Lambda API Reference, `AddPermission` and `AddLayerVersionPermission`; EventBridge API Reference, `PutPermission`.
fn limited_by(parameters: Json<'_>) -> Box<str> {
    let keys: BTreeSet<String> = parameters
        .members()
        .filter_map(|(name, value)| match name {
            "principalOrgID" | "organizationId" => Some("aws:principalorgid".to_owned()),
            "sourceAccount" => Some("aws:sourceaccount".to_owned()),
            "sourceArn" => Some("aws:sourcearn".to_owned()),
            "condition" => value.text_at(&["key"]).map(str::to_ascii_lowercase),
            _ => None,
        })
        .collect();
    Box::from(keys.into_iter().collect::<Vec<_>>().join(","))
}

/// The many words for everybody are one.
fn plain(principal: &str) -> &str {
    match principal {
        "all" | "public-read" | "public-read-write" | "authenticated-read" => "*",
        uri if uri.ends_with("/global/AllUsers") || uri.ends_with("/global/AuthenticatedUsers") => "*",
        other => other,
    }
}

/// A condition's key; with `!` where the statement is for those whom the key does not tell.
fn named(operator: &str, key: &str) -> String {
    let operator = operator.to_ascii_lowercase();
    let open = operator.contains("not") || operator.ends_with("ifexists") || operator == "null";
    format!("{}{}", if open { "!" } else { "" }, key.to_ascii_lowercase())
}

/// Some services give the policy as JSON, others as a text of it.
fn note_document(document: Json<'_>, admitted: &mut BTreeSet<Admitted>) {
    match document.as_str() {
        // What cannot be read names nobody; AWS would have refused it.
        Some(text) => {
            let _ = Parser::default().parse_copy(text.as_bytes(), |json| note_policy(json, admitted));
        }
        None => note_policy(document, admitted),
    }
}

fn note_policy(policy: Json<'_>, admitted: &mut BTreeSet<Admitted>) {
    let statements = policy.get("Statement").unwrap_or_default();
    let single = statements.is_object().then_some(statements);
    for statement in single.into_iter().chain(statements.elements()) {
        if statement.text_at(&["Effect"]) != Some("Allow") {
            continue;
        }
        let operators = statement.get("Condition").unwrap_or_default();
        let keys: BTreeSet<String> = operators
            .members()
            .flat_map(|(operator, keys)| keys.members().map(move |(key, _)| named(operator, key)))
            .collect();
        let conditions = keys.into_iter().collect::<Vec<_>>().join(",");
        let mut note = |principal: &str| {
            admitted.insert(Admitted { principal: Box::from(principal), conditions: Box::from(conditions.as_str()) });
        };
        // All but those named.
        if statement.get("NotPrincipal").is_some() {
            note("*");
        }
        let principal = statement.get("Principal").unwrap_or_default();
        if let Some(text) = principal.as_str() {
            note(text);
        }
        principal.walk(&mut |_, _, value| value.into_iter().for_each(&mut note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn change(source: &str, name: &str, parameters: Value, response: Value) -> Option<(String, String, Vec<String>)> {
        let record = json!({"eventTime": "2026-05-01T00:00:01Z", "eventSource": format!("{source}.amazonaws.com"),
            "eventName": name, "requestParameters": parameters, "responseElements": response});
        let read = |json: Json<'_>| {
            let record = Record::read(json).unwrap();
            let change = AccessChange::read(&record)?;
            let named = change.admitted.iter().map(|one| format!("{}?{}", one.principal, one.conditions));
            Some((change.target.to_owned(), change.gives.to_owned(), named.collect()))
        };
        Parser::default().parse_copy(record.to_string().as_bytes(), read).unwrap()
    }

    fn check(source: &str, name: &str, parameters: Value, expected: (&str, &str, &[&str])) {
        let (target, gives, named) = change(source, name, parameters, json!(null)).expect(name);
        assert_eq!((target.as_str(), gives.as_str()), (expected.0, expected.1), "{name}");
        assert_eq!(named, expected.2, "{name}");
    }

    fn policy() -> Value {
        json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::464622532012:root", "999988887777"]},
                "Condition": {"StringEquals": {"sts:ExternalId": "s3cr3t"}}},
            {"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
            {"Effect": "Deny", "Principal": {"AWS": "123456789012"}}]})
    }

    const NAMED: &[&str] =
        &["*?aws:principalorgid", "999988887777?sts:externalid", "arn:aws:iam::464622532012:root?sts:externalid"];

    /// S42: whom a trust names is told, with the keys of its conditions; no value of a condition is.
    #[test]
    fn a_trust_names_whom_it_lets_in() {
        let text = policy().to_string();
        check("iam", "CreateRole", json!({"roleName": "r", "assumeRolePolicyDocument": text}), ("r", "", NAMED));
        check("iam", "UpdateAssumeRolePolicy", json!({"roleName": "r", "policyDocument": text}), ("r", "", NAMED));
        check("iam", "CreateRole", json!({"roleName": "r", "assumeRolePolicyDocument": "{"}), ("r", "", &[]));
        check("s3", "PutBucketPolicy", json!({"bucketName": "b", "bucketPolicy": policy()}), ("b", "", NAMED));
    }

    #[test]
    fn every_word_for_everybody_is_one() {
        let all = &["*?"];
        check(
            "ec2",
            "ModifySnapshotAttribute",
            json!({"snapshotId": "snap-1", "createVolumePermission":
            {"add": {"items": [{"group": "all"}]}, "remove": {"items": [{"userId": "1"}]}}}),
            ("snap-1", "", all),
        );
        check(
            "rds",
            "ModifyDBSnapshotAttribute",
            json!({"dBSnapshotIdentifier": "d", "attributeName": "restore",
            "valuesToAdd": ["all"]}),
            ("d", "", all),
        );
        check(
            "lambda",
            "AddPermission20150331v2",
            json!({"functionName": "f", "principal": "*",
            "action": "lambda:InvokeFunction"}),
            ("f", "lambda:InvokeFunction", all),
        );
        check(
            "s3",
            "PutBucketAcl",
            json!({"bucketName": "b", "AccessControlPolicy": {"AccessControlList": {"Grant": [
            {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}]}}}),
            ("b", "", all),
        );
        let text = json!({"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}}}).to_string();
        check(
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": "q", "attributes": {"Policy": text}}),
            ("q", "", &["*?", "1?"][..1]),
        );
    }

    #[test]
    fn parameters_that_limit_a_permission_are_conditions() {
        let given = json!({"functionName": "f", "principal": "*", "principalOrgID": "o-1", "sourceArn": "arn:x"});
        check("lambda", "AddPermission20150331v2", given, ("f", "", &["*?aws:principalorgid,aws:sourcearn"]));
        let given = json!({"eventBusName": "b", "principal": "*", "action": "events:PutEvents",
            "condition": {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1"}});
        check("events", "PutPermission", given, ("b", "events:PutEvents", &["*?aws:principalorgid"]));
    }

    #[test]
    fn what_is_given_is_told_and_a_policy_for_nobody_is_none() {
        check("iam", "AttachRolePolicy", json!({"roleName": "r", "policyArn": "arn:p"}), ("r", "arn:p", &[]));
        let key = json!({"accessKey": {"accessKeyId": "AKIAX"}});
        let made = change("iam", "CreateAccessKey", json!({"userName": "u"}), key);
        assert_eq!(made, Some(("u".to_owned(), "AKIAX".to_owned(), vec![])));
        for (source, name, parameters) in [
            (
                "sns",
                "SetTopicAttributes",
                json!({"topicArn": "t", "attributeName": "DisplayName", "attributeValue": "x"}),
            ),
            ("ec2", "ModifyImageAttribute", json!({"imageId": "i", "launchPermission": {"remove": {"items": []}}})),
            ("iam", "UpdateAccessKey", json!({"userName": "u", "accessKeyId": "AKIAX", "status": "Inactive"})),
            ("s3", "GetBucketPolicy", json!({"bucketName": "b"})),
        ] {
            assert_eq!(change(source, name, parameters, json!(null)), None, "{name}");
        }
    }

    #[test]
    fn no_api_is_listed_twice() {
        let names: BTreeSet<(&str, &str)> = APIS.iter().map(|api| (api.source, api.name)).collect();
        assert_eq!(names.len(), APIS.len());
        assert!(changes_access("iam", "CreateRole") && !changes_access("iam", "GetRole"));
    }
}
