//! The outsiders' days: how many sessions each role sees, what happens in them, and the situations of certain days.

use std::ops::Range;

use super::apis;
use super::cast::{Cast, Role, SAML_SUBJECT};
use super::clock::DAY;
use super::desk::{Caller, Desk, Extra};
use super::inventory;
use super::sessions::{self, Opening, Session};
use super::templates::{Outcome, Situation, Template, Trust};
use super::truth::Attribution;

/// What is left over from the days before: fractions of sessions, by role.
#[derive(Debug)]
pub(crate) struct Outsiders {
    due: Vec<f64>,
    rates: Vec<f64>,
    turn: u64,
}

/// Records of an average session: its hand-off and about six calls.
const SESSION_RECORDS: f64 = 7.0;

impl Outsiders {
    /// Divides the third-party records among the roles by weight.
    pub(crate) fn new(desk: &Desk<'_>) -> Self {
        let weight = |role: &Role| f64::from(role.template.map_or(0, |template| template.weight));
        let total: f64 = desk.cast.roles.iter().map(weight).sum();
        let days = f64::from(desk.options.days.max(1));
        let daily = desk.cast.records * desk.options.third_party_share / days / SESSION_RECORDS;
        // A deep trail has longer sessions rather than very many, as vendors' sessions last an hour.
        let rates = desk.cast.roles.iter().map(|role| daily * weight(role) / total.max(1.0)).collect::<Vec<_>>();
        Self { due: vec![0.9; rates.len()], rates, turn: 0 }
    }

    /// Everything that outsiders begin on this day (seconds since 1970 of its midnight).
    pub(crate) fn day(&mut self, desk: &mut Desk<'_>, midnight: i64) {
        let cast = desk.cast;
        for role in &cast.roles {
            let Some(template) = role.template else { continue };
            if let (Some(due), Some(rate)) = (self.due.get_mut(role.index), self.rates.get(role.index)) {
                *due += rate;
                let sessions = due.floor();
                *due -= sessions;
                for _ in 0..sessions as u64 {
                    self.turn += 1;
                    regular(desk, role, template, midnight, self.turn);
                }
            }
            if midnight == cast.since {
                first_day(desk, role, template, midnight);
            }
        }
        resource_policy(desk, midnight);
        vendor_user(desk, midnight);
        if desk.options.every_channel {
            let day = midnight..midnight + DAY;
            cast.roles.iter().for_each(|role| give_access(desk, role, &day));
        }
        if midnight <= cast.recreated_at && cast.recreated_at < midnight + DAY {
            recreate(desk, midnight);
        }
    }
}

fn regular(desk: &mut Desk<'_>, role: &Role, template: &'static Template, midnight: i64, turn: u64) {
    let time = midnight + desk.seconds(600, 23 * 3600);
    let second = matches!(template.situation, Situation::Recreated) && role.exists;
    let generation_over = template.situation == Situation::Recreated && !role.exists;
    if (second && time < role.created + 3600) || (generation_over && time > desk.cast.recreated_at + 28_000) {
        return;
    }
    let Some(opening) = opening(role, template, turn) else { return };
    let suffix = desk.rng.id("", 8).to_lowercase();
    let name = session_name(desk.cast, role, template, opening, &suffix);
    let Some(mut session) = sessions::open(desk, role, opening, &name, time) else { return };
    note_opening(desk, role, template, opening);
    let count = match template.situation {
        Situation::WithoutCalls => 0,
        _ => desk.rng.between(3, 9),
    };
    if matches!(opening, Opening::Saml { .. }) {
        sign_in(desk, &mut session, time + 2);
    }
    let end = play(desk, &mut session, role, time, count);
    match template.situation {
        Situation::ViaService => via_service(desk, &mut session, role, end + 2),
        Situation::Delegated => delegate(desk, &session, role, template, end + 30),
        Situation::ChainHead if turn.is_multiple_of(2) => chain(desk, &session, role, end + 20),
        _ => {}
    }
}

fn opening(role: &Role, template: &Template, turn: u64) -> Option<Opening<'static>> {
    let first = role.parties.first().copied();
    let second = role.parties.get(1).copied().filter(|_| turn.is_multiple_of(3));
    let party = second.or(first)?;
    match template.trust {
        Trust::GitHub => Some(Opening::GitHub { party }),
        Trust::Saml => Some(Opening::Saml { party, user: SAML_SUBJECT }),
        Trust::Certificate(subject) => Some(Opening::Certificate { party, subject }),
        Trust::Chain(_) => None,
        Trust::Vendor | Trust::VendorIfExists | Trust::TwoVendors | Trust::OwnOrganization => Some(Opening::Account {
            party,
            external_id: template.situation != Situation::ExternalIdSometimesAbsent || !turn.is_multiple_of(3),
            key: template.situation != Situation::KeyMissing || !turn.is_multiple_of(3),
            source_identity: (template.situation == Situation::ChainHead).then_some("zesty-worker"),
        }),
    }
}

fn session_name(cast: &Cast, role: &Role, template: &Template, opening: Opening<'_>, suffix: &str) -> String {
    let vendor = role.parties.first().and_then(|at| cast.parties.get(*at)).map_or("", |party| party.name.as_str());
    match opening {
        Opening::Saml { user, .. } => user.to_owned(),
        Opening::GitHub { .. } => format!("GitHubActions-{suffix}"),
        Opening::Certificate { .. } => suffix.to_owned(),
        _ if vendor.is_empty() => format!("{}-{suffix}", template.role),
        _ => format!("{}-{suffix}", vendor.replace(' ', "")),
    }
}

fn note_opening(desk: &mut Desk<'_>, role: &Role, template: &Template, opening: Opening<'_>) {
    let outside = !matches!(template.trust, Trust::OwnOrganization);
    if let Opening::Account { external_id, key, .. } = opening {
        let sent = external_id && role.external_id.is_some();
        desk.ledger.role(role.index, |book| {
            book.without_external_id += u64::from(outside && !sent);
            if !key {
                book.situations.insert("handoff_without_access_key_id");
            }
        });
    }
}

/// `count` calls, a few minutes apart; the time of the last one.
fn play(desk: &mut Desk<'_>, session: &mut Session, role: &Role, start: i64, count: u64) -> i64 {
    let mut time = start;
    for _ in 0..count {
        time += desk.seconds(5, 900);
        let Some(call) = desk.choose(&role.calls) else { continue };
        sessions::call(desk, session, (call.api, call.entry), call.outcome, None, time);
    }
    time
}

/// The vendor to whom somebody delegated the session goes on in it (S14).
fn delegate(desk: &mut Desk<'_>, session: &Session, role: &Role, template: &Template, time: i64) {
    let (account, _) = template.vendor;
    let mut delegated = session.delegated(desk.cast.party_of(account), account);
    play(desk, &mut delegated, role, time, 3);
    desk.ledger.role(role.index, |book| book.situations.extend(["delegated"]));
}

/// Secrets Manager decrypts with the session's permission (S12).
fn via_service(desk: &mut Desk<'_>, session: &mut Session, role: &Role, time: i64) {
    let calls = [("secretsmanager:GetSecretValue", None), ("kms:Decrypt", Some("secretsmanager.amazonaws.com"))];
    for (name, via) in calls {
        let Some(found) = apis::find(name) else { continue };
        if sessions::call(desk, session, found, Outcome::Ok, via, time) && via.is_some() {
            desk.ledger.role(role.index, |book| book.situations.extend(["calls_through_a_service"]));
        }
    }
}

/// A person enters the console, which uses no permission (S8).
fn sign_in(desk: &mut Desk<'_>, session: &mut Session, time: i64) {
    if let Some(found) = apis::find("signin:ConsoleLogin") {
        sessions::call(desk, session, found, Outcome::Ok, None, time);
    }
}

/// The session assumes the next role, and that one the next, each with a few calls (S11).
fn chain(desk: &mut Desk<'_>, session: &Session, role: &Role, time: i64) {
    let cast = desk.cast;
    let follows = |next: &&Role| {
        next.template.is_some_and(|template| matches!(template.trust, Trust::Chain(before) if before == role.name))
    };
    let Some(next) = cast.roles.iter().find(follows) else { return };
    if !desk.recorded(next.account, time) || !desk.recorded(role.account, time) {
        return;
    }
    let suffix = desk.rng.id("", 6).to_lowercase();
    let opened = sessions::open(desk, next, Opening::Chain(session), &format!("zesty-next-{suffix}"), time);
    let Some(mut opened) = opened else { return };
    let situation = if next.account == role.account { "chained_same_account" } else { "chained_other_account" };
    desk.ledger.role(next.index, |book| book.situations.extend([situation]));
    let end = play(desk, &mut opened, next, time, 3);
    chain(desk, &opened, next, end + 15);
}

/// Sessions that exist because the window begins (S10, S28).
fn first_day(desk: &mut Desk<'_>, role: &Role, template: &'static Template, midnight: i64) {
    let start = midnight + 300 + desk.seconds(0, 600);
    match template.situation {
        Situation::BeforeTrail => {
            let several = role.parties.len() > 1;
            let first = role.parties.first().copied().unwrap_or(0);
            let (party, attribution) =
                if several { (0, Attribution::Unresolved) } else { (first, Attribution::Inferred) };
            let opening = Opening::Before { party, attribution };
            let opened = sessions::open(desk, role, opening, "worker-long-running", midnight - 5_000);
            let Some(mut session) = opened else { return };
            play(desk, &mut session, role, start, 4);
            desk.ledger.role(role.index, |book| book.situations.extend(["handoff_before_trail"]));
        }
        Situation::FirstDayOnly => regular(desk, role, template, midnight, 1),
        Situation::EarlyHandOff => {
            let Some(opening) = opening(role, template, 1) else { return };
            let opened = sessions::open(desk, role, opening, "export-over-midnight", midnight - 9_000);
            let Some(mut session) = opened else { return };
            play(desk, &mut session, role, start, 4);
            desk.ledger.role(role.index, |book| book.situations.extend(["handoff_before_window"]));
        }
        _ => {}
    }
}

/// An outsider reads a bucket whose policy names it, without any role (S15).
fn resource_policy(desk: &mut Desk<'_>, midnight: i64) {
    let cast = desk.cast;
    let outsider = "107630771604";
    let party = cast.party_of(outsider);
    let day = (midnight - cast.since) / DAY;
    let Some((_, api)) = apis::find("s3:GetObject").filter(|_| party != 0 && day % 3 == 1) else { return };
    let time = midnight + 40_000 + desk.seconds(0, 9_000);
    let principal = desk.rng.id("AIDA", 17);
    let identity = format!(r#"{{"type":"AWSAccount","principalId":"{principal}","accountId":"{outsider}"}}"#);
    let caller = Caller { identity: &identity, arn: "", address: "198.51.100.77", agent: "aws-sdk-nodejs/2.1692.0" };
    if desk.write((1, 0, time), caller, (api, Outcome::Ok), Extra::default()) {
        desk.ledger.direct(party, Some("resource_policy"), Outcome::Ok, time);
    }
}

/// A vendor's IAM user calls with its key (S16).
fn vendor_user(desk: &mut Desk<'_>, midnight: i64) {
    let cast = desk.cast;
    let day = (midnight - cast.since) / DAY;
    let vendors = |user: &&super::cast::User| cast.parties.get(user.party).is_some_and(|party| party.third_party);
    for user in cast.users.iter().filter(vendors).filter(|_| day % 2 == 0) {
        let time = midnight + 50_000 + desk.seconds(0, 9_000);
        let Some(call) = desk.choose(&user.calls) else { continue };
        let identity = user.identity(cast.account(user.account));
        let caller =
            Caller { identity: &identity, arn: &user.arn, address: "203.0.113.9", agent: "Boto3/1.28.57 Spotinst" };
        let region = desk.busy_region();
        if desk.write((user.account, region, time), caller, (call.entry, call.outcome), Extra::default()) {
            desk.ledger.direct(user.party, Some("access_key"), call.outcome, time);
        }
    }
}

/// An administrator makes a role for an outsider within the window, or lets one into a role that was there.
fn give_access(desk: &mut Desk<'_>, role: &Role, day: &Range<i64>) {
    let cast = desk.cast;
    let Some(template) = role.template else { return };
    let (name, key, time) = match (template.situation, template.trust) {
        (Situation::TooNew, _) => ("iam:CreateRole", "assumeRolePolicyDocument", role.created),
        (_, Trust::Certificate(_)) => ("iam:UpdateAssumeRolePolicy", "policyDocument", cast.since + 10 * DAY + 33_000),
        _ => return,
    };
    let Some((_, api)) = apis::find(name).filter(|_| day.contains(&time)) else { return };
    let policy = serde_json::Value::String(inventory::trust(cast, role).to_string());
    let params = format!(r#"{{"roleName":"{}","{key}":{policy}}}"#, role.name);
    let extra = Extra { params: Some(&params), ..Extra::default() };
    if super::workloads::user_call_with(desk, cast, (role.account, 0, time), api, extra) {
        desk.ledger.role(role.index, |book| book.situations.extend(["access_given"]));
    }
}

/// An administrator deletes the role and creates it again (S18).
fn recreate(desk: &mut Desk<'_>, midnight: i64) {
    let cast = desk.cast;
    for (name, second) in [("iam:DeleteRole", 36_000), ("iam:CreateRole", 36_600)] {
        let Some((_, api)) = apis::find(name) else { continue };
        super::workloads::user_call(desk, cast, 0, api, midnight + second);
    }
}
