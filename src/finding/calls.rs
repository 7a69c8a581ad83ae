//! What a replay needs of each distinct observed call: action, resource, and the condition keys that records show (S37).

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::activity::action_map::{ActionMap, Mapping};
use crate::activity::action_resources::Resources;
use crate::activity::usage::SeenCall;
use crate::aws::Action;
use crate::aws::window::{Time, rfc3339};
use crate::cloudtrail::parameters::{Hints, partition_of_region};
use crate::policy::certificate::ObservedCall;
use crate::policy::context::Context;
use crate::policy::evaluate::{NamedPolicy, Resource};
use crate::policy::inventory::Role;

/// The condition keys whose value is the moment of the call.
const TIME_KEYS: [&str; 2] = ["aws:CurrentTime", "aws:EpochTime"];

/// Whether a condition of one of the policies asks for the time, so that calls must be replayed at their times.
#[must_use]
pub fn ask_for_time<'a>(policies: impl IntoIterator<Item = &'a NamedPolicy<'a>>) -> bool {
    let statements = policies.into_iter().flat_map(|policy| &policy.document.statements);
    let mut keys = statements.flat_map(|statement| &statement.conditions).map(|block| &block.key);
    keys.any(|key| TIME_KEYS.iter().any(|time| time.eq_ignore_ascii_case(key)))
}

/// The distinct calls that were uses, in the order of the sessions; with `timed`, each at its first and its last moment.
#[must_use]
pub fn observed_calls<'a, 'e: 'a>(
    calls: impl Iterator<Item = &'a SeenCall<'e>>,
    map: ActionMap<'_>,
    role: &Role,
    timed: bool,
) -> Vec<ObservedCall> {
    let mut observed: Vec<ObservedCall> = Vec::new();
    let mut known: HashSet<(&Action, Resource, Circumstances<'_>)> = HashSet::new();
    let mut contexts: HashMap<Circumstances<'_>, Context> = HashMap::new();
    let mut alike = HashSet::new();
    for seen in calls {
        let Some(used) = seen.sighting.used else { continue };
        let times = timed.then_some((used.first, used.last));
        // Most sessions do what others did before them.
        if !alike.insert((Alike::of(seen), times)) {
            continue;
        }
        let arns = seen.sighting.resources.to_vec();
        let moments = if timed { vec![Some(used.first), Some(used.last)] } else { vec![None] };
        let at = |network, time| Circumstances {
            region: seen.region(),
            network,
            via: seen.via(),
            kms: seen.source() == "kms",
            mfa: seen.mfa,
            time,
        };
        let circumstances: Vec<Circumstances<'_>> = seen
            .sighting
            .networks
            .iter()
            .flat_map(|network| moments.iter().map(move |time| at(network, *time)))
            .collect();
        for mapped in &seen.mapping.actions {
            let resources = match map.resources(&mapped.action, &arns, seen.key.hints) {
                Resources::Exact(arns) if !seen.sighting.resources.has_more() => {
                    arns.into_iter().map(Resource::Known).collect()
                }
                Resources::Any => vec![Resource::Known("*".to_owned())],
                Resources::Exact(_) | Resources::Unknown => vec![Resource::Unknown],
            };
            for resource in resources {
                for at in &circumstances {
                    if known.insert((&mapped.action, resource.clone(), *at)) {
                        observed.push(ObservedCall {
                            action: mapped.action.clone(),
                            resource: resource.clone(),
                            context: contexts.entry(*at).or_insert_with(|| at.context(role)).clone(),
                            id: sample(seen),
                        });
                    }
                }
            }
        }
    }
    observed
}

/// One event of a sighting, or nothing.
fn sample(seen: &SeenCall<'_>) -> String {
    let mut first = String::new();
    seen.sighting.samples(|id| {
        if first.is_empty() {
            id.clone_into(&mut first);
        }
    });
    first
}

/// All of a sighting that the calls told of it follow from, its times apart.
#[derive(PartialEq, Eq, Hash)]
struct Alike<'a> {
    /// By its place in memory: sightings of one API and variety share it.
    mapping: *const Mapping,
    hints: Hints,
    region: &'a str,
    source: &'a str,
    via: &'a str,
    mfa: bool,
    networks: &'a [Box<str>],
    resources: &'a [Box<str>],
    has_more: bool,
}

impl<'a> Alike<'a> {
    fn of(seen: &SeenCall<'a>) -> Self {
        let resources = &seen.sighting.resources;
        Self {
            mapping: Arc::as_ptr(&seen.mapping),
            hints: seen.key.hints,
            region: seen.region(),
            source: seen.source(),
            via: seen.via(),
            mfa: seen.mfa,
            networks: seen.sighting.networks.as_slice(),
            resources: resources.as_slice(),
            has_more: resources.has_more(),
        }
    }
}

/// What may make two calls to the same thing differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Circumstances<'a> {
    region: &'a str,
    network: &'a str,
    via: &'a str,
    /// Whether KMS was called.
    kms: bool,
    mfa: bool,
    time: Option<Time>,
}

impl Circumstances<'_> {
    /// The condition keys that a record shows; all others stay unknown (S31).
    ///
    /// Source: IAM User Guide, "AWS global condition context keys", and the KMS Developer Guide for `kms:ViaService`.
    fn context(self, role: &Role) -> Context {
        let mut context = Context::partial()
            .with("aws:RequestedRegion", [self.region])
            .with("aws:PrincipalArn", [role.arn.as_str()])
            .with("aws:PrincipalAccount", [role.account.as_str()])
            .with("aws:PrincipalType", ["AssumedRole"])
            .with("aws:PrincipalIsAWSService", ["false"]);
        for (key, value) in role.session_tags().into_iter().flatten() {
            context = context.with(&format!("aws:PrincipalTag/{key}"), [value.as_str()]);
        }
        // Through a VPC endpoint the record shows a private address, and the key is absent; a service has its own address.
        if self.via.is_empty() && is_public(self.network) {
            context = context.with("aws:SourceIp", [self.network]);
        }
        if self.mfa {
            // Records also say `false` where the key was absent, so only a yes is certain.
            context = context.with("aws:MultiFactorAuthPresent", ["true"]);
        }
        if let Some(time) = self.time {
            context = context.with("aws:CurrentTime", [rfc3339(time)]);
            context = context.with("aws:EpochTime", [time.timestamp().to_string()]);
        }
        match self.via.strip_suffix(".amazonaws.com") {
            _ if self.via.is_empty() => context.with("aws:ViaAWSService", ["false"]),
            // S12: a service's call on the session's behalf to KMS carries the service's name.
            Some(service) if self.kms && !service.contains('.') && partition_of_region(self.region) == "aws" => {
                context.with("kms:ViaService", [format!("{service}.{}.amazonaws.com", self.region)])
            }
            _ => context,
        }
    }
}

fn is_public(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => !address.is_private() && !address.is_link_local() && !address.is_loopback(),
        Ok(IpAddr::V6(address)) => !address.is_unique_local() && !address.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::context::Lookup;
    use crate::policy::document::PolicyDocument;

    /// A role with a tag, whose trust allows these actions.
    fn role(trusted: &str) -> Role {
        let statement = format!(r#"{{"Effect":"Allow","Principal":"*","Action":{trusted}}}"#);
        let inventory = format!(
            r#"{{"RoleDetailList":[{{"Arn":"arn:aws:iam::111122223333:role/Audit","RoleName":"Audit","RoleId":"AROAX",
            "Path":"/","CreateDate":"2026-01-01T00:00:00Z","AssumeRolePolicyDocument":{{"Statement":{statement}}},
            "RolePolicyList":[],"AttachedManagedPolicies":[],"Tags":[{{"Key":"Team","Value":"red"}}]}}],
            "UserDetailList":[],"GroupDetailList":[],"Policies":[]}}"#
        );
        let mut read = crate::policy::inventory::Inventory::default();
        read.add(&inventory).unwrap();
        read.roles.into_values().next().unwrap()
    }

    fn plain() -> Circumstances<'static> {
        Circumstances { region: "eu-west-1", network: "203.0.113.7", via: "", kms: false, mfa: false, time: None }
    }

    fn value(context: &Context, key: &str) -> Option<String> {
        match context.get(key) {
            Lookup::Values([only]) => Some(only.clone()),
            Lookup::Unknown => None,
            other => panic!("{key}: {other:?}"),
        }
    }

    /// S31, S37: what a record shows is in the context, and nothing is made up.
    #[test]
    fn contexts_hold_what_records_show() {
        let check = |at: Circumstances<'_>, expected: &[(&str, Option<&str>)]| {
            let context = at.context(&role("\"sts:AssumeRole\""));
            for (key, wanted) in expected {
                assert_eq!(value(&context, key).as_deref(), *wanted, "{key}");
            }
        };
        check(
            plain(),
            &[
                ("aws:SourceIp", Some("203.0.113.7")),
                ("aws:PrincipalAccount", Some("111122223333")),
                ("aws:ViaAWSService", Some("false")),
                ("aws:MultiFactorAuthPresent", None),
                ("aws:CurrentTime", None),
                ("aws:PrincipalTag/team", Some("red")),
                ("aws:PrincipalOrgID", None),
            ],
        );
        let via =
            Circumstances { network: "s3.amazonaws.com", via: "s3.amazonaws.com", kms: true, mfa: true, ..plain() };
        check(
            via,
            &[
                ("aws:SourceIp", None),
                // A service that assumed the role itself calls with its own credentials: not known to be on behalf.
                ("aws:ViaAWSService", None),
                ("kms:ViaService", Some("s3.eu-west-1.amazonaws.com")),
                ("aws:MultiFactorAuthPresent", Some("true")),
            ],
        );
        check(Circumstances { network: "10.1.2.3", ..plain() }, &[("aws:SourceIp", None)]);
        check(Circumstances { via: "AWS Internal", kms: true, ..plain() }, &[("aws:ViaAWSService", None)]);
        let timed = Circumstances { time: crate::aws::window::parse_time("2026-05-01T00:00:00Z"), ..plain() };
        check(timed, &[("aws:CurrentTime", Some("2026-05-01T00:00:00Z")), ("aws:EpochTime", Some("1777593600"))]);
    }

    /// S31: a session that may bring tags of its own does not certainly have the role's.
    #[test]
    fn session_tags_leave_the_roles_tags_unknown() {
        for trusted in [r#"["sts:AssumeRole","sts:TagSession"]"#, r#""sts:*""#] {
            assert_eq!(value(&plain().context(&role(trusted)), "aws:PrincipalTag/Team"), None, "{trusted}");
        }
    }

    /// S37: times are replayed where a policy asks for them.
    #[test]
    fn only_policies_that_ask_for_the_time_need_it() {
        let asks = |condition: &str| {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}}}"#
            );
            let document: PolicyDocument = text.parse().unwrap();
            ask_for_time(&[NamedPolicy { name: "p", document: &document }])
        };
        assert!(asks(r#"{"DateLessThan":{"AWS:currenttime":"2026-01-01T00:00:00Z"}}"#));
        assert!(!asks(r#"{"Bool":{"aws:SecureTransport":"true"}}"#));
    }
}
