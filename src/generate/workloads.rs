//! The bulk of a trail: own workloads, people, users and AWS services, who are nobody's third party.

use super::apis::{self, Api};
use super::cast::{Cast, Role, SERVICES, User, Workload};
use super::clock::DAY;
use super::desk::{Caller, Desk, Extra};
use super::options::{Hole, Size};
use super::sessions::{self, Opening};
use super::templates::Outcome;

impl User {
    /// The `userIdentity` of the user's calls.
    pub(crate) fn identity(&self, account: &str) -> String {
        format!(
            r#"{{"type":"IAMUser","principalId":"{}","arn":"{}","accountId":"{account}","accessKeyId":"{}","userName":"{}"}}"#,
            self.user_id, self.arn, self.key_id, self.name
        )
    }
}

/// Fills the day up to its share of the trail; every account has at least one record on every day.
pub(crate) fn day(desk: &mut Desk<'_>, midnight: i64) {
    let cast = desk.cast;
    let done = ((midnight - cast.since) / DAY + 1) as f64 / f64::from(desk.options.days.max(1));
    let goal = match desk.options.size {
        Size::Records(records) => records as f64,
        Size::Bytes(bytes) => bytes as f64,
    } * done;
    for account in 0..cast.accounts.len() {
        one_user_call(desk, account, midnight);
    }
    if (midnight - cast.since) / DAY % 30 == 1 {
        (0..cast.accounts.len()).for_each(|account| service_event(desk, account, midnight));
    }
    quiet_region(desk, midnight);
    switches(desk, midnight);
    let shares = cast.accounts.len() as u64 + 2;
    let mut idle_rounds = 0;
    while progress(desk) < goal && idle_rounds < 100 {
        let before = progress(desk);
        // Account 0 has three shares of the load, the others one each.
        let at = usize::try_from(desk.rng.below(shares)).unwrap_or(0).saturating_sub(2);
        one_visit(desk, at, midnight, goal - before);
        idle_rounds = if progress(desk) > before { 0 } else { idle_rounds + 1 };
    }
}

fn progress(desk: &Desk<'_>) -> f64 {
    match desk.options.size {
        Size::Records(_) => desk.mail.posted as f64,
        Size::Bytes(_) => desk.mail.accepted_bytes as f64,
    }
}

/// One session of a workload, or a few calls of a user or a service.
fn one_visit(desk: &mut Desk<'_>, account: usize, midnight: i64, missing: f64) {
    let cast = desk.cast;
    let records = if matches!(desk.options.size, Size::Bytes(_)) { missing / 1_300.0 } else { missing };
    let limit = if records > 400.0 { 60 } else { 8 };
    match desk.rng.below(10) {
        0 => (0..desk.rng.between(1, limit)).for_each(|_| one_user_call(desk, account, midnight)),
        1 => service_calls(desk, account, midnight, limit),
        _ => {
            let own = |role: &&Role| role.account == account && role.workload.is_some();
            let at = usize::try_from(desk.rng.below(4)).unwrap_or(0);
            let Some(role) = cast.roles.iter().filter(own).nth(at) else { return };
            let Some(workload) = role.workload else { return };
            let party = role.parties.first().copied().unwrap_or(0);
            let (opening, name) = match workload {
                Workload::Service(service) => (Opening::Service { party, service }, desk.rng.id("", 12).to_lowercase()),
                Workload::SingleSignOn => {
                    let user = if desk.rng.chance(0.5) { "alex@acme.example" } else { "sam@acme.example" };
                    (Opening::Saml { party, user }, user.to_owned())
                }
            };
            let start = midnight + desk.seconds(0, 80_000);
            let Some(mut session) = sessions::open(desk, role, opening, &name, start) else { return };
            let mut time = start;
            for _ in 0..desk.rng.between(2, limit) {
                time = (time + desk.seconds(1, 3_000 / limit)).min(midnight + DAY - 1);
                let Some(call) = desk.choose(&role.calls) else { continue };
                sessions::call(desk, &mut session, (call.api, call.entry), call.outcome, None, time);
            }
        }
    }
}

fn one_user_call(desk: &mut Desk<'_>, account: usize, midnight: i64) {
    let cast = desk.cast;
    let Some(user) = cast.users.iter().find(|user| user.account == account) else { return };
    let Some(call) = desk.choose(&user.calls) else { return };
    let time = midnight + desk.seconds(30, 80_000);
    user_call(desk, cast, account, call.entry, time);
}

/// The account's own IAM user calls an API.
pub(crate) fn user_call(desk: &mut Desk<'_>, cast: &Cast, account: usize, api: &Api, time: i64) {
    let region = desk.busy_region();
    user_call_in(desk, cast, (account, region, time), api);
}

fn user_call_in(desk: &mut Desk<'_>, cast: &Cast, place: (usize, usize, i64), api: &Api) {
    user_call_with(desk, cast, place, api, Extra::default());
}

/// The same with what is unusual about the record; says whether the trail holds it.
pub(crate) fn user_call_with(
    desk: &mut Desk<'_>,
    cast: &Cast,
    place: (usize, usize, i64),
    api: &Api,
    extra: Extra<'_>,
) -> bool {
    let Some(user) = cast.users.iter().find(|user| user.account == place.0) else { return false };
    let identity = user.identity(cast.account(place.0));
    let agent = "aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/linux#6.5.0 md/arch#x86_64 lang/python#3.11.9";
    let caller = Caller { identity: &identity, arn: &user.arn, address: "192.0.2.44", agent };
    let written = desk.write(place, caller, (api, Outcome::Ok), extra);
    if written {
        desk.ledger.direct(user.party, Some("access_key"), Outcome::Ok, place.2);
    }
    written
}

/// AWS services act for themselves, without a role (S12).
fn service_calls(desk: &mut Desk<'_>, account: usize, midnight: i64, limit: u64) {
    let cast = desk.cast;
    let Some(service) = desk.rng.pick(&SERVICES).copied() else { return };
    let Some((_, api)) = apis::find("kms:GenerateDataKey") else { return };
    let identity = format!(r#"{{"type":"AWSService","invokedBy":"{service}"}}"#);
    let party = cast.party_of(service);
    for _ in 0..desk.rng.between(1, limit) {
        let (time, region) = (midnight + desk.seconds(0, 85_000), desk.busy_region());
        let caller = Caller { identity: &identity, arn: "", address: service, agent: service };
        if desk.write((account, region, time), caller, (api, Outcome::Ok), Extra::default()) {
            desk.ledger.direct(party, None, Outcome::Ok, time);
        }
    }
}

/// KMS turns a key over, which nobody called for (S8).
fn service_event(desk: &mut Desk<'_>, account: usize, midnight: i64) {
    let Some((_, api)) = apis::find("kms:RotateKey") else { return };
    let (identity, service) = (r#"{"type":"AWSService","invokedBy":"kms.amazonaws.com"}"#, "kms.amazonaws.com");
    let caller = Caller { identity, arn: "", address: service, agent: service };
    desk.write((account, 0, midnight + 21_600), caller, (api, Outcome::Ok), Extra::default());
}

/// The last Region has two records on the first two days and is quiet afterwards.
fn quiet_region(desk: &mut Desk<'_>, midnight: i64) {
    let cast = desk.cast;
    let day = (midnight - cast.since) / DAY;
    if cast.quiet_region.is_none() || day > 1 {
        return;
    }
    let Some((_, api)) = apis::find("ec2:DescribeVpcs") else { return };
    let region = desk.options.regions.len().saturating_sub(1);
    user_call_in(desk, cast, (0, region, midnight + 30_000), api);
}

/// `StopLogging` and `StartLogging` around a hole (S26).
fn switches(desk: &mut Desk<'_>, midnight: i64) {
    let (cast, options) = (desk.cast, desk.options);
    let day = (midnight - cast.since) / DAY;
    for hole in &options.holes {
        let Hole::LoggingStopped { account, first_day, last_day } = *hole else { continue };
        let account = usize::try_from(account).unwrap_or(0);
        let edges = [("cloudtrail:StopLogging", first_day, 36_000), ("cloudtrail:StartLogging", last_day, 57_600)];
        for (name, at, second) in edges.into_iter().filter(|(_, at, _)| i64::from(*at) == day) {
            let Some((_, api)) = apis::find(name) else { continue };
            let _ = at;
            user_call_in(desk, cast, (account, 0, midnight + second), api);
        }
    }
}
