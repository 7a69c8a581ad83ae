//! A hand-off: the `AssumeRole*` record that opens a session and names who opened it.
//!
//! Source of the shapes: AWS IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail".

use crate::aws::{AccountId, Arn};

use super::reader::Json;
use super::record::Record;

/// By which API the session was opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HandOffKind {
    /// `AssumeRole`.
    AssumeRole,
    /// `AssumeRoleWithWebIdentity` (S13).
    WebIdentity,
    /// `AssumeRoleWithSAML` (S13).
    Saml,
}

/// What a hand-off record says of the session it opens, or would have opened.
#[derive(Clone, Copy, Debug)]
pub struct HandOff<'a> {
    /// The API.
    pub kind: HandOffKind,
    /// The role asked for, with its path.
    pub role_arn: &'a str,
    /// The account that owns the role.
    pub role_account: Option<AccountId>,
    /// The role's name.
    pub role_name: &'a str,
    /// `AROA...`; empty where the record does not tell (denied, or without response).
    pub role_id: &'a str,
    /// The session's name.
    pub session_name: &'a str,
    /// The access key id of the new credentials; empty where the record does not tell.
    pub access_key: &'a str,
    /// The external id that was sent. A secret: to be fingerprinted, never kept (S42).
    pub external_id: Option<&'a str>,
    /// `sourceIdentity` set on the new session.
    pub source_identity: &'a str,
    /// OIDC or SAML provider; empty for `AssumeRole`.
    pub provider: &'a str,
    /// The subject the provider vouched for.
    pub subject: &'a str,
}

impl<'a> HandOff<'a> {
    /// The hand-off in a record, if it is one.
    #[must_use]
    pub fn read(record: &Record<'a>) -> Option<Self> {
        if record.source != "sts" {
            return None;
        }
        let kind = match record.name {
            "AssumeRole" => HandOffKind::AssumeRole,
            "AssumeRoleWithWebIdentity" => HandOffKind::WebIdentity,
            "AssumeRoleWithSAML" => HandOffKind::Saml,
            _ => return None,
        };
        let text = |json: Option<Json<'a>>, path: &[&str]| json.and_then(|json| json.text_at(path)).unwrap_or_default();
        let role_arn = first(text(record.parameters, &["roleArn"]), role_among_resources(record));
        let role = Arn::parse(role_arn);
        let assumed = text(record.response, &["assumedRoleUser", "assumedRoleId"]);
        let (role_id, session_name) = assumed.split_once(':').unwrap_or_default();
        Some(Self {
            kind,
            role_arn,
            role_account: role.and_then(|arn| arn.account_id()),
            role_name: role.and_then(|arn| arn.role_name()).unwrap_or_default(),
            role_id,
            session_name: first(session_name, text(record.parameters, &["roleSessionName"])),
            access_key: text(record.response, &["credentials", "accessKeyId"]),
            external_id: record.parameters.and_then(|json| json.text_at(&["externalId"])),
            source_identity: text(record.parameters, &["sourceIdentity"]),
            provider: match kind {
                HandOffKind::AssumeRole => "",
                HandOffKind::WebIdentity => first(record.identity.provider, text(record.response, &["provider"])),
                // For SAML `identityProvider` is a digest of the issuer, which tells nobody anything.
                HandOffKind::Saml => first(text(record.parameters, &["principalArn"]), record.identity.provider),
            },
            subject: match kind {
                HandOffKind::AssumeRole => "",
                HandOffKind::WebIdentity => {
                    first(text(record.response, &["subjectFromWebIdentityToken"]), record.identity.user_name)
                }
                HandOffKind::Saml => first(text(record.response, &["subject"]), record.identity.user_name),
            },
        })
    }
}

fn first<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.is_empty() { b } else { a }
}

fn role_among_resources<'a>(record: &Record<'a>) -> &'a str {
    let Some(resources) = record.resources else { return "" };
    let arns = resources.elements().filter_map(|resource| resource.text_at(&["ARN"]));
    arns.filter(|arn| Arn::parse(arn).is_some_and(|arn| arn.role_name().is_some())).last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::reader::Parser;

    fn with<R>(name: &str, rest: &str, check: impl FnOnce(Option<HandOff<'_>>) -> R) -> R {
        let json = format!(
            r#"{{"eventTime":"2026-05-01T00:00:01Z","eventSource":"sts.amazonaws.com","eventName":"{name}",{rest}}}"#
        );
        Parser::default()
            .parse_copy(json.as_bytes(), |json| check(HandOff::read(&Record::read(json).unwrap())))
            .unwrap()
    }

    /// S9, S10: the hand-off tells role, session and new key, and whether an external id was sent.
    #[test]
    fn assume_role_names_role_session_and_key() {
        let rest = r#""requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/v/Audit","roleSessionName":"s","externalId":"x"},
            "responseElements":{"credentials":{"accessKeyId":"ASIAN"},"assumedRoleUser":{"assumedRoleId":"AROAX:s"}}"#;
        with("AssumeRole", rest, |handoff| {
            let handoff = handoff.unwrap();
            assert_eq!((handoff.role_name, handoff.role_id, handoff.session_name), ("Audit", "AROAX", "s"));
            assert_eq!((handoff.access_key, handoff.external_id), ("ASIAN", Some("x")));
        });
        with(
            "AssumeRole",
            r#""requestParameters":null,"resources":[{"ARN":"arn:aws:iam::111122223333:role/A"}]"#,
            |handoff| {
                let handoff = handoff.unwrap();
                assert_eq!((handoff.role_name, handoff.access_key, handoff.external_id), ("A", "", None));
            },
        );
        with("GetCallerIdentity", r#""a":1"#, |handoff| assert!(handoff.is_none()));
    }

    /// S13: federated hand-offs name provider and subject.
    #[test]
    fn web_identity_names_provider_and_subject() {
        let rest = r#""userIdentity":{"type":"WebIdentityUser","userName":"repo:acme/app:ref:refs/heads/main",
            "identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#;
        with("AssumeRoleWithWebIdentity", rest, |handoff| {
            let handoff = handoff.unwrap();
            assert!(handoff.provider.ends_with("token.actions.githubusercontent.com"));
            assert_eq!(handoff.subject, "repo:acme/app:ref:refs/heads/main");
        });
    }
}
