//! The life of one session: the hand-off that opens it, in its many forms, and the identity that its calls carry.

use super::apis;
use super::cast::{GITHUB_SUBJECT, Role};

use super::clock::{expiration_text, time_text};
use super::desk::{Caller, Desk, Extra};
use super::records::TOKEN_MARK;
use super::rng::Rng;
use super::templates::Outcome;
use super::truth::Attribution;

/// The service that hands sessions to holders of certificates.
const ROLES_ANYWHERE: &str = "rolesanywhere.amazonaws.com";

/// An open session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) role: usize,
    pub(crate) account: usize,
    pub(crate) party: usize,
    pub(crate) identity: String,
    pub(crate) arn: String,
    pub(crate) address: String,
    pub(crate) agent: String,
    pub(crate) source_identity: Option<String>,
    key_id: String,
    name: String,
    principal: String,
    region: usize,
    /// `Some` until the session is in the ledger, which its first call brings it into: no hand-off in the window shows it.
    unknown: Option<(Attribution, Option<&'static str>)>,
    /// Opened within the window, and no call yet.
    silent: bool,
}

/// Who opens the session, and how the hand-off shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opening<'a> {
    /// `AssumeRole` by another account's principal.
    Account { party: usize, external_id: bool, key: bool, source_identity: Option<&'a str> },
    /// `AssumeRole` by an open session of ours.
    Chain(&'a Session),
    /// `AssumeRoleWithWebIdentity` by GitHub Actions.
    GitHub { party: usize },
    /// `AssumeRoleWithSAML`.
    Saml { party: usize, user: &'a str },
    /// `AssumeRole` by IAM Roles Anywhere, for the holder of a certificate.
    Certificate { party: usize, subject: &'a str },
    /// `AssumeRole` by an AWS service.
    Service { party: usize, service: &'a str },
    /// Before the trail began: no record of it.
    Before { party: usize, attribution: Attribution },
}

impl Opening<'_> {
    fn channel(&self) -> &'static str {
        match self {
            Self::Account { .. } | Self::Service { .. } | Self::Before { .. } => "assume_role",
            Self::Chain(_) => "role_chain",
            Self::GitHub { .. } => "web_identity",
            Self::Saml { .. } => "saml",
            Self::Certificate { .. } => "roles_anywhere",
        }
    }

    fn party(&self) -> usize {
        match self {
            Self::Chain(session) => session.party,
            Self::Account { party, .. }
            | Self::GitHub { party }
            | Self::Saml { party, .. }
            | Self::Certificate { party, .. }
            | Self::Service { party, .. }
            | Self::Before { party, .. } => *party,
        }
    }
}

/// Opens a session of `role` named `name`; `None` when the trail was silent at that time.
pub(crate) fn open(desk: &mut Desk<'_>, role: &Role, opening: Opening<'_>, name: &str, time: i64) -> Option<Session> {
    if !matches!(opening, Opening::Before { .. }) && !desk.recorded(role.account, time) {
        return None;
    }
    let mut session = draw(desk, role, opening, name, time);
    if session.unknown.is_some() {
        return Some(session);
    }
    let party = session.party;
    hand_off(desk, role, &session, opening, time)?;
    let keyless = matches!(opening, Opening::Account { key: false, .. });
    let attribution = if keyless { Attribution::Inferred } else { Attribution::Exact };
    if time < desk.cast.since {
        session.unknown = Some((attribution, Some(opening.channel())));
        return Some(session);
    }
    desk.ledger.session(role.index, party, Some(opening.channel()), attribution, time);
    session.silent = true;
    desk.ledger.role(role.index, |book| {
        book.handoffs += 1;
        book.without_calls += 1;
    });
    Some(session)
}

fn draw(desk: &mut Desk<'_>, role: &Role, opening: Opening<'_>, name: &str, time: i64) -> Session {
    let id = desk.cast.account(role.account);
    let source_identity = match opening {
        Opening::Account { source_identity, .. } => source_identity.map(str::to_owned),
        Opening::Chain(before) => before.source_identity.clone(),
        Opening::Certificate { subject, .. } => Some(subject.to_owned()),
        _ => None,
    };
    let key_id = desk.rng.id("ASIA", 16);
    let principal = format!("{}:{name}", role.role_id);
    let arn = format!("arn:aws:sts::{id}:assumed-role/{}/{name}", role.name);
    let federation = match opening {
        Opening::GitHub { .. } => format!(
            r#""webIdFederationData":{{"federatedProvider":"arn:aws:iam::{id}:oidc-provider/token.actions.githubusercontent.com","attributes":{{}}}},"#
        ),
        _ => String::new(),
    };
    let source = source_identity.as_ref().map_or(String::new(), |text| format!(r#","sourceIdentity":"{text}""#));
    let identity = format!(
        r#"{{"type":"AssumedRole","principalId":"{principal}","arn":"{arn}","accountId":"{id}","accessKeyId":"{key_id}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{}","arn":"{}","accountId":"{id}","userName":"{}"}},{federation}"attributes":{{"creationDate":"{}","mfaAuthenticated":"false"}}{source}}}}}"#,
        role.role_id,
        role.arn,
        role.name,
        time_text(time)
    );
    let block = if desk.rng.chance(0.5) { "198.51.100" } else { "203.0.113" };
    let (address, agent) = match (opening, role.template) {
        (Opening::Chain(before), _) => (before.address.clone(), before.agent.clone()),
        (Opening::Service { service, .. }, _) => (format!("10.0.{}.7", desk.rng.below(250)), workload_agent(service)),
        (_, template) => {
            let agent = template.map_or("aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0", |known| known.agent);
            (format!("{block}.{}", desk.rng.between(1, 250)), agent.to_owned())
        }
    };
    Session {
        role: role.index,
        account: role.account,
        party: opening.party(),
        identity,
        arn,
        address,
        agent,
        source_identity,
        key_id,
        name: name.to_owned(),
        principal,
        region: desk.busy_region(),
        unknown: match opening {
            Opening::Before { attribution, .. } => {
                Some((attribution, (attribution != Attribution::Unresolved).then_some("assume_role")))
            }
            _ => None,
        },
        silent: false,
    }
}

fn workload_agent(service: &str) -> String {
    format!(
        "aws-sdk-java/2.28.11 md/io#sync ua/2.1 os/Linux#5.10.225 lang/java#21.0.4 exec-env/{}",
        service.split('.').next().unwrap_or(service)
    )
}

/// Writes the hand-off's record or, between two own accounts, its two records.
fn hand_off(desk: &mut Desk<'_>, role: &Role, session: &Session, opening: Opening<'_>, time: i64) -> Option<()> {
    let (api_at, api) = apis::find("sts:AssumeRole")?;
    let account = desk.cast.account(role.account).to_owned();
    let resources = format!(r#"[{{"accountId":"{account}","type":"AWS::IAM::Role","ARN":"{}"}}]"#, role.arn);
    let (params, event) = parameters(desk, role, session, opening, &account);
    let response = response(desk, session, opening, &account, time);
    let (identity, address, agent) = opener(desk, session, opening, &account);
    let shared = desk.rng.uuid_text();
    let across = match opening {
        Opening::Account { .. } => true,
        Opening::Chain(before) => before.account != role.account,
        _ => false,
    };
    let extra = Extra {
        event: Some(event),
        via: None,
        params: Some(&params),
        response: Some(&response),
        resources: Some(&resources),
        shared_event_id: across.then_some(shared.as_str()),
    };
    let caller = Caller { identity: &identity, arn: "", address: &address, agent: &agent };
    if let Opening::Chain(before) = opening {
        let own = Caller { identity: &before.identity, arn: &before.arn, address: &address, agent: &agent };
        if !desk.write((before.account, session.region, time), own, (api, Outcome::Ok), extra) {
            return None;
        }
        desk.ledger.call(before.role, before.party, api_at, Outcome::Ok, time);
        if !across {
            return Some(());
        }
    }
    desk.write((role.account, session.region, time), caller, (api, Outcome::Ok), extra).then_some(())
}

fn parameters(
    desk: &mut Desk<'_>,
    role: &Role,
    session: &Session,
    opening: Opening<'_>,
    account: &str,
) -> (String, &'static str) {
    let common = format!(r#""roleArn":"{}","roleSessionName":"{}""#, role.arn, session.name);
    match opening {
        Opening::GitHub { .. } => (format!(r#"{{{common},"durationSeconds":3600}}"#), "AssumeRoleWithWebIdentity"),
        Opening::Saml { party, .. } => {
            let provider = desk.cast.parties.get(party).map_or("", |known| known.id.as_str());
            let assertion = desk.rng.uuid_text();
            let text = format!(
                r#"{{"sAMLAssertionID":"_{assertion}",{common},"durationSeconds":3600,"principalArn":"{provider}"}}"#
            );
            (text, "AssumeRoleWithSAML")
        }
        Opening::Service { service, .. } => {
            let _ = account;
            let arn = format!(r#"{{{common},"durationSeconds":3600,"policyArns":[]}}"#);
            (if service.starts_with("ec2") { format!("{{{common}}}") } else { arn }, "AssumeRole")
        }
        Opening::Account { external_id, .. } => {
            let external = role.external_id.as_ref().filter(|_| external_id);
            let external = external.map_or(String::new(), |id| format!(r#","externalId":"{id}""#));
            let source = source_text(session);
            (format!(r#"{{{common}{external}{source},"durationSeconds":3600}}"#), "AssumeRole")
        }
        Opening::Chain(_) | Opening::Certificate { .. } | Opening::Before { .. } => {
            (format!(r#"{{{common}{},"durationSeconds":900}}"#, source_text(session)), "AssumeRole")
        }
    }
}

fn source_text(session: &Session) -> String {
    session.source_identity.as_ref().map_or(String::new(), |text| format!(r#","sourceIdentity":"{text}""#))
}

fn response(desk: &mut Desk<'_>, session: &Session, opening: Opening<'_>, account: &str, time: i64) -> String {
    let token = desk.rng.id("IQoJb3JpZ2luX2VjE", 8);
    let user = format!(r#""assumedRoleUser":{{"assumedRoleId":"{}","arn":"{}"}}"#, session.principal, session.arn);
    let credentials = format!(
        r#""credentials":{{"accessKeyId":"{}","sessionToken":"{TOKEN_MARK}{token}","expiration":"{}"}}"#,
        session.key_id,
        expiration_text(time + 3600)
    );
    match opening {
        Opening::Account { key: false, .. } => format!("{{{user}{}}}", source_text(session)),
        Opening::GitHub { .. } => format!(
            r#"{{{credentials},{user},"subjectFromWebIdentityToken":"{GITHUB_SUBJECT}","provider":"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com","audience":"sts.amazonaws.com"}}"#
        ),
        Opening::Saml { user: person, .. } => format!(
            r#"{{{credentials},{user},"subjectType":"persistent","issuer":"https://login.example.com/saml","nameQualifier":"8uSlDRJvUnNCcdRGTtPXrAOiFlU=","subject":"{person}","audience":"https://signin.aws.amazon.com/saml"}}"#
        ),
        _ => format!("{{{credentials},{user}{}}}", source_text(session)),
    }
}

/// The opener's `userIdentity`, source address and agent, as the role's account sees them.
fn opener(desk: &mut Desk<'_>, session: &Session, opening: Opening<'_>, account: &str) -> (String, String, String) {
    let seen = |identity: String| (identity, session.address.clone(), session.agent.clone());
    match opening {
        Opening::Account { party, .. } => {
            let outside = desk.cast.parties.get(party).map_or("", |known| known.id.as_str());
            // One worker for each vendor, as its id does not change from hand-off to hand-off.
            let principal = Rng::new(desk.options.seed, outside).id("AROA", 17);
            seen(format!(r#"{{"type":"AWSAccount","principalId":"{principal}:worker","accountId":"{outside}"}}"#))
        }
        Opening::Chain(before) => {
            let outside = desk.cast.account(before.account);
            seen(format!(r#"{{"type":"AWSAccount","principalId":"{}","accountId":"{outside}"}}"#, before.principal))
        }
        Opening::GitHub { .. } => {
            let provider = format!("arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com");
            seen(format!(
                r#"{{"type":"WebIdentityUser","principalId":"{provider}:sts.amazonaws.com:{GITHUB_SUBJECT}","userName":"{GITHUB_SUBJECT}","identityProvider":"{provider}"}}"#
            ))
        }
        Opening::Saml { user, .. } => seen(format!(
            r#"{{"type":"SAMLUser","principalId":"8uSlDRJvUnNCcdRGTtPXrAOiFlU=:{user}","userName":"{user}","identityProvider":"8uSlDRJvUnNCcdRGTtPXrAOiFlU="}}"#
        )),
        Opening::Certificate { .. } => opener_service(ROLES_ANYWHERE),
        Opening::Service { service, .. } => opener_service(service),
        Opening::Before { .. } => seen(String::new()),
    }
}

fn opener_service(service: &str) -> (String, String, String) {
    let identity = format!(r#"{{"type":"AWSService","invokedBy":"{service}"}}"#);
    (identity, service.to_owned(), service.to_owned())
}

impl Session {
    /// The same session in the hands of somebody to whom it was delegated (S14).
    pub(crate) fn delegated(&self, party: usize, account: &str) -> Self {
        let open = self.identity.strip_suffix('}').unwrap_or(&self.identity);
        Self {
            party,
            identity: format!(r#"{open},"invokedByDelegate":{{"accountId":"{account}"}}}}"#),
            unknown: Some((Attribution::Exact, Some("temporary_delegation"))),
            silent: false,
            ..self.clone()
        }
    }
}

/// The session calls an API; says whether the trail holds it.
pub(crate) fn call(
    desk: &mut Desk<'_>,
    session: &mut Session,
    name: (usize, &apis::Api),
    outcome: Outcome,
    via: Option<&str>,
    time: i64,
) -> bool {
    let (api_at, api) = name;
    let region = if desk.rng.chance(0.9) { session.region } else { desk.busy_region() };
    let caller =
        Caller { identity: &session.identity, arn: &session.arn, address: &session.address, agent: &session.agent };
    let extra = Extra { via, ..Extra::default() };
    if !desk.write((session.account, region, time), caller, (api, outcome), extra) {
        return false;
    }
    if let Some((attribution, channel)) = session.unknown.take() {
        desk.ledger.session(session.role, session.party, channel, attribution, time);
    }
    if api.event_type != "AwsApiCall" {
        return true;
    }
    if std::mem::take(&mut session.silent) {
        desk.ledger.role(session.role, |book| book.without_calls -= 1);
    }
    desk.ledger.call(session.role, session.party, api_at, outcome, time);
    true
}
