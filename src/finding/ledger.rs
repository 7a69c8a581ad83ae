//! The ledger of a role: every granted, used or refused action with its verdict, its evidence and its reason (S24, S38).

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::usage::{ActionUse, Usage};
use crate::aws::window::rfc3339;
use crate::aws::{Action, Window};
use crate::policy::catalog::{ActionInfo, Catalog, Observability};
use crate::policy::comparison::{Shown, Verdict, Witness, shown};
use crate::policy::grant::Grant;
use crate::policy::last_accessed::Testimony;

use super::assessment::{ActionEntry, ActionsSummed, GrantedBy};

/// What the verdicts of one role rest on.
pub struct Grounds<'a> {
    /// What the role's policies grant, sorted.
    pub grants: &'a [Grant],
    /// Whether the grants are known: the role is in the inventory and its policies can be read.
    pub grants_known: bool,
    /// What the role's sessions did.
    pub usage: &'a Usage,
    /// What the account's trail records; `None` when nothing of it was read.
    pub witness: Option<&'a dyn Witness>,
    /// Why no absence means anything in this account, if so (S26).
    pub uncovered: Option<String>,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// What IAM itself says of an action's last use (S25a).
    pub second: &'a dyn Fn(&Action) -> Testimony,
    /// What keeps an unused action all the same: a keep rule (S39).
    pub keeper: &'a dyn Fn(&Action) -> Option<String>,
    /// The window that every removal states (S29).
    pub window: Window,
}

/// Ledger of a role.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Sorted by action.
    pub entries: Vec<ActionEntry>,
    /// Actions that may not go.
    pub keep: BTreeSet<Action>,
}

/// See the module.
#[must_use]
pub fn ledger(grounds: &Grounds<'_>) -> Ledger {
    let blocked = grounds.usage.blocked_services();
    let mut verdicts: BTreeMap<Action, (Verdict, String)> = BTreeMap::new();
    for grant in grounds.grants {
        verdicts.insert(grant.action.clone(), granted_verdict(grounds, &grant.action, &blocked));
    }
    for (action, usage) in &grounds.usage.actions {
        if usage.is_used() && !verdicts.contains_key(action) {
            verdicts.insert(action.clone(), ungranted_verdict(grounds, usage));
        }
    }
    let kept_by = kept_by_rule(&verdicts, grounds);
    keep_dependents(&mut verdicts, &kept_by, grounds);
    let grants: BTreeMap<&Action, &Grant> = grounds.grants.iter().map(|grant| (&grant.action, grant)).collect();
    let mut ledger = Ledger::default();
    for (action, (verdict, reason)) in verdicts {
        let keeper = kept_by.get(&action).filter(|_| verdict == Verdict::Unused).cloned();
        if verdict != Verdict::Unused || keeper.is_some() {
            ledger.keep.insert(action.clone());
        }
        let usage = grounds.usage.actions.get(&action);
        let entry = entry(grounds.catalog, grants.get(&action).copied(), usage, action, verdict, reason);
        ledger.entries.push(ActionEntry { kept: entry.kept || keeper.is_some(), kept_by: keeper, ..entry });
    }
    ledger
}

fn granted_verdict(grounds: &Grounds<'_>, action: &Action, blocked: &BTreeSet<String>) -> (Verdict, String) {
    if let Some(usage) = grounds.usage.actions.get(action).filter(|usage| usage.is_used()) {
        return (Verdict::Used, use_reason(usage));
    }
    // IAM counts refused attempts too and may see what the trail was not shown: doubt, and doubt keeps.
    let testimony = (grounds.second)(action);
    if let Testimony::Tried(at) = testimony {
        let at = rfc3339(at);
        return (Verdict::Used, format!("0 uses in the trail, but IAM's last-accessed data shows an attempt at {at}"));
    }
    let not_observable = |reason: String| (Verdict::NotObservable, reason);
    if let Some(reason) = &grounds.uncovered {
        return not_observable(reason.clone());
    }
    if let Some(service) = blocked.iter().find(|service| service.eq_ignore_ascii_case(action.service())) {
        let events: Vec<String> = grounds.usage.unmapped.keys().map(ToString::to_string).collect();
        return not_observable(format!(
            "calls that could not be mapped may belong to {service}: {}",
            events.join(", ")
        ));
    }
    let (Some(witness), Some(info)) = (grounds.witness, grounds.catalog.get(action)) else {
        return not_observable("nothing was read of this account's trail".to_owned());
    };
    let (since, until) = (rfc3339(grounds.window.since), rfc3339(grounds.window.until));
    match (shown(info, witness), testimony) {
        (Shown::Yes(by), Testimony::NotTried(second)) => {
            (Verdict::Unused, format!("0 uses between {since} and {until}; {by}, and {second}"))
        }
        (Shown::Yes(by), _) => (Verdict::Unused, format!("0 uses between {since} and {until}; {by}")),
        (Shown::No(reason), Testimony::NotTried(second)) if is_tracked_by_iam(info) => {
            (Verdict::Unused, format!("0 uses between {since} and {until}; {second}, though of the trail: {reason}"))
        }
        (Shown::No(reason), _) => not_observable(reason),
    }
}

/// IAM tracks management actions; whatever it says of others is not relied on (S25a).
fn is_tracked_by_iam(info: &ActionInfo) -> bool {
    !matches!(info.observability, Observability::Data | Observability::PermissionOnly)
}

fn ungranted_verdict(grounds: &Grounds<'_>, usage: &ActionUse) -> (Verdict, String) {
    if !grounds.grants_known {
        return (Verdict::Used, format!("{}; the role's grants are not known", use_reason(usage)));
    }
    (Verdict::UsedNotGranted, format!("{}; no policy in the inventory grants it now", use_reason(usage)))
}

fn use_reason(usage: &ActionUse) -> String {
    let mut apis: Vec<String> = usage.apis.iter().map(ToString::to_string).collect();
    apis.sort_unstable();
    apis.truncate(3);
    let uses = usage.calls - usage.denied;
    if usage.certain {
        format!("{uses} uses by {}", apis.join(", "))
    } else {
        format!("may have been needed by {} ({uses} calls)", apis.join(", "))
    }
}

/// The unused actions that a keep rule keeps, with its words (S39).
fn kept_by_rule(verdicts: &BTreeMap<Action, (Verdict, String)>, grounds: &Grounds<'_>) -> BTreeMap<Action, String> {
    let unused = verdicts.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Unused);
    unused.filter_map(|(action, _)| Some((action.clone(), (grounds.keeper)(action)?))).collect()
}

/// An unused action that a kept one depends on is kept; what it depends on in turn is kept as well.
fn keep_dependents(
    verdicts: &mut BTreeMap<Action, (Verdict, String)>,
    kept_by: &BTreeMap<Action, String>,
    grounds: &Grounds<'_>,
) {
    let mut fresh: Vec<Action> = verdicts
        .iter()
        .filter(|(action, (verdict, _))| *verdict != Verdict::Unused || kept_by.contains_key(*action))
        .map(|(action, _)| action.clone())
        .collect();
    while let Some(kept) = fresh.pop() {
        let dependents = grounds.catalog.get(&kept).map_or(&[][..], |info: &ActionInfo| info.dependents.as_slice());
        for dependent in dependents {
            if let Some(entry) = verdicts.get_mut(dependent)
                && entry.0 == Verdict::Unused
            {
                *entry = (Verdict::Dependent, format!("{kept}, which is kept, can need it"));
                fresh.push(dependent.clone());
            }
        }
    }
}

fn entry(
    catalog: &Catalog,
    grant: Option<&Grant>,
    usage: Option<&ActionUse>,
    action: Action,
    verdict: Verdict,
    reason: String,
) -> ActionEntry {
    let granted_by = |grant: &Grant| {
        let mut statements: Vec<GrantedBy> = grant
            .granted_by
            .iter()
            .map(|by| GrantedBy { policy: by.policy.to_string(), statement: by.statement.to_string() })
            .collect();
        statements.sort();
        statements
    };
    ActionEntry {
        access_level: catalog.get(&action).map(|info| info.level),
        danger: catalog.danger(&action).map(|danger| danger.as_str().to_owned()),
        verdict: verdict.word().to_owned(),
        calls: usage.map_or(0, |usage| usage.calls),
        denied: usage.map_or(0, |usage| usage.denied),
        failed: usage.map_or(0, |usage| usage.failed),
        first_seen: usage.and_then(|usage| usage.used).map(|span| span.first),
        last_seen: usage.and_then(|usage| usage.used).map(|span| span.last),
        resources: usage.map_or_else(Vec::new, |usage| own_resources(&action, usage)),
        sample_event_ids: usage.map_or_else(Vec::new, |usage| usage.samples.to_vec()),
        granted_by: grant.map_or_else(Vec::new, granted_by),
        kept: verdict != Verdict::Unused,
        kept_by: None,
        reason,
        action,
    }
}

/// The ARNs of the action's own service; a record names those of others too.
fn own_resources(action: &Action, usage: &ActionUse) -> Vec<String> {
    const SHOWN: usize = 20;
    let own = |arn: &&String| {
        crate::aws::Arn::parse(arn).is_some_and(|arn| {
            arn.service.eq_ignore_ascii_case(action.service())
                || matches!(action.service(), "sts") && arn.service == "iam"
        })
    };
    usage.resources.iter().filter(own).take(SHOWN).cloned().collect()
}

/// More grants than this are summed, apart from the ones that matter (design of `report.json`).
pub const LISTED_ACTIONS: usize = 2_000;

/// Splits a very large ledger into what is listed, what is summed, and the rest for the tables.
#[must_use]
pub fn summed(entries: Vec<ActionEntry>) -> (Vec<ActionEntry>, Vec<ActionsSummed>, Vec<ActionEntry>) {
    if entries.len() <= LISTED_ACTIONS {
        return (entries, Vec::new(), Vec::new());
    }
    let matters =
        |entry: &ActionEntry| entry.calls > 0 || entry.danger.is_some() || entry.verdict == Verdict::Used.word();
    let (listed, beyond): (Vec<ActionEntry>, Vec<ActionEntry>) = entries.into_iter().partition(matters);
    let mut sums: BTreeMap<(String, Option<crate::aws::AccessLevel>, String), u64> = BTreeMap::new();
    for entry in &beyond {
        let key = (entry.action.service().to_owned(), entry.access_level, entry.verdict.clone());
        *sums.entry(key).or_default() += 1;
    }
    let sum = |((service, access_level, verdict), actions)| ActionsSummed { service, access_level, verdict, actions };
    (listed, sums.into_iter().map(sum).collect(), beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AccessLevel;
    use crate::aws::window::parse_time;

    /// A trail that shows everything.
    struct All;

    impl Witness for All {
        fn has_seen(&self, _: &ActionInfo) -> bool {
            true
        }

        fn records_data(&self, _: &ActionInfo) -> Result<String, String> {
            Ok("everything".to_owned())
        }

        fn records_management(&self, _: &ActionInfo) -> Result<(), String> {
            Ok(())
        }
    }

    fn action(text: &str) -> Action {
        Action::parse(text).unwrap()
    }

    /// S23, S39: a rule keeps what it covers and what that depends on; the verdict is the evidence's, not the rule's.
    #[test]
    fn a_keep_rule_keeps_with_dependents_and_changes_no_verdict() {
        let info = |name: &str, dependents: &[&str]| ActionInfo {
            action: action(name),
            level: AccessLevel::Write,
            resource_types: Vec::new(),
            dependents: dependents.iter().map(|name| action(name)).collect(),
            observability: Observability::ManagementConfirmed,
        };
        let catalog = Catalog::from_actions([
            info("ec2:RunInstances", &["ec2:CreateTags"]),
            info("ec2:CreateTags", &[]),
            info("ec2:StopInstances", &[]),
        ]);
        let granted = ["ec2:CreateTags", "ec2:RunInstances", "ec2:StopInstances"];
        let grants: Vec<Grant> = granted
            .iter()
            .map(|name| Grant { action: action(name), granted_by: Vec::new(), conditional: false })
            .collect();
        let grounds = Grounds {
            grants: &grants,
            grants_known: true,
            usage: &Usage::default(),
            witness: Some(&All),
            uncovered: None,
            catalog: &catalog,
            second: &|_| Testimony::Nothing,
            keeper: &|kept| (*kept == action("ec2:RunInstances")).then(|| "keep rule of ops: drill".to_owned()),
            window: Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap(),
        };
        let ledger = ledger(&grounds);
        let shown: Vec<(&str, bool, Option<&str>)> =
            ledger.entries.iter().map(|entry| (entry.verdict.as_str(), entry.kept, entry.kept_by.as_deref())).collect();
        let rule = Some("keep rule of ops: drill");
        assert_eq!(shown, [("dependent", true, None), ("unused", true, rule), ("unused", false, None)]);
        assert_eq!(ledger.keep, [action("ec2:CreateTags"), action("ec2:RunInstances")].into());
    }
}
