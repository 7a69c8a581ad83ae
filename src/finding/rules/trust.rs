//! Findings about trust: who could come in, and what they must show (S40).

use serde_json::json;

use super::super::assessment::{ExternalIdReport, Finding, RoleReport, TrustEntry};
use super::Draft;

pub(super) fn of_role(role: &RoleReport, found: &mut Vec<Finding>) {
    let outside: Vec<&TrustEntry> = role.trust.iter().filter(|trust| trust.outside).collect();
    let accounts: Vec<&TrustEntry> = outside.iter().copied().filter(|entry| entry.account_id.is_some()).collect();
    anyone(role, &outside, found);
    organization(role, &outside, found);
    external_id(role, &accounts, found);
    unknown(role, &accounts, found);
    whole(role, &outside, found);
    several(role, &outside, found);
    deleted(role, found);
    subjects(role, found);
}

fn principals(entries: &[&TrustEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.principal.clone()).collect()
}

fn which<'a>(entries: &[&'a TrustEntry], wanted: impl Fn(&TrustEntry) -> bool) -> Option<Vec<&'a TrustEntry>> {
    let some: Vec<&TrustEntry> = entries.iter().copied().filter(|entry| wanted(entry)).collect();
    (!some.is_empty()).then_some(some)
}

fn anyone(role: &RoleReport, outside: &[&TrustEntry], found: &mut Vec<Finding>) {
    let Some(anyone) = which(outside, |entry| entry.kind == "anyone") else { return };
    found.push(Draft::role("trust-anyone", "critical", role).finish(
        format!("role {} can be assumed from any account", role.name),
        "Its trust policy names `*`; only conditions, if any, stand between it and everybody.".to_owned(),
        json!({"principals": principals(&anyone)}),
        "Name the accounts or roles that need it.",
    ));
}

fn organization(role: &RoleReport, outside: &[&TrustEntry], found: &mut Vec<Finding>) {
    let Some(foreign) = which(outside, |entry| entry.kind == "organization") else { return };
    found.push(
        Draft::role("trust-foreign-organization", "high", role).finish(
            format!("role {} can be assumed from every account of an organization that is not yours", role.name),
            "A condition on everybody names its id: whatever account that company has, or adds tomorrow, may come in."
                .to_owned(),
            json!({"organizations": principals(&foreign)}),
            "If your own organization is meant, write its id; else name the accounts or roles that need the role.",
        ),
    );
}

/// No demand for an external id, and a demand that demands nothing.
fn external_id(role: &RoleReport, accounts: &[&TrustEntry], found: &mut Vec<Finding>) {
    let is = |entry: &TrustEntry, wanted: fn(&ExternalIdReport) -> bool| entry.external_id.as_ref().is_some_and(wanted);
    let enforce: Vec<_> = role
        .external_ids
        .iter()
        .map(|used| json!({"party": used.party_id, "verdict": used.verdict, "reason": used.reason}))
        .collect();
    let no_demand = |entry: &TrustEntry| is(entry, |id| !id.required && id.matching == "none");
    if let Some(open) = which(accounts, no_demand) {
        found.push(Draft::role("trust-no-external-id", "high", role).finish(
            format!("role {} can be assumed without an external id", role.name),
            "A vendor that serves many customers could be tricked into entering your account for another.".to_owned(),
            json!({"principals": principals(&open), "sessions_without": role.sessions.without_external_id,
                "enforce": enforce}),
            "Where `enforce` says `safe`, demand the id that was sent with StringEquals in every statement that names \
             the party; else agree on one with it first.",
        ));
    }
    let idle_demand = |entry: &TrustEntry| {
        is(entry, |id| (id.required && id.any_accepted) || (id.matching != "none" && !id.required))
    };
    if let Some(open) = which(accounts, idle_demand) {
        found.push(Draft::role("trust-any-external-id", "high", role).finish(
            format!("role {} asks for an external id but takes any", role.name),
            "A wildcard, an IfExists or a second statement without the condition lets calls in with another id or none."
                .to_owned(),
            json!({"principals": principals(&open), "sessions_without": role.sessions.without_external_id,
                "enforce": enforce}),
            "Demand the agreed id with StringEquals, in every statement that names the party.",
        ));
    }
}

fn unknown(role: &RoleReport, accounts: &[&TrustEntry], found: &mut Vec<Finding>) {
    let nobody = |entry: &TrustEntry| entry.party.as_deref().is_some_and(|party| party.starts_with("unknown account"));
    let Some(unknown) = which(accounts, nobody) else { return };
    found.push(Draft::role("trust-unknown-account", "high", role).finish(
        format!("role {} trusts an account that nobody knows", role.name),
        "The account is neither yours, as far as was told, nor in the vendor directory.".to_owned(),
        json!({"principals": principals(&unknown)}),
        "Find out whose account it is; name it with --own-account if it is yours.",
    ));
}

fn whole(role: &RoleReport, outside: &[&TrustEntry], found: &mut Vec<Finding>) {
    let Some(whole) = which(outside, |entry| entry.kind == "account_root") else { return };
    found.push(Draft::role("trust-whole-account", "medium", role).finish(
        format!("role {} trusts every principal of another account", role.name),
        "Who may come in is decided by the other company's IAM.".to_owned(),
        json!({"principals": principals(&whole)}),
        "If the party can name the role it comes with, trust that role alone.",
    ));
}

fn several(role: &RoleReport, outside: &[&TrustEntry], found: &mut Vec<Finding>) {
    let mut parties: Vec<&str> = outside.iter().filter_map(|entry| entry.party.as_deref()).collect();
    parties.sort_unstable();
    parties.dedup();
    if parties.len() > 1 {
        found.push(Draft::role("trust-several-parties", "medium", role).finish(
            format!("role {} is shared by {} parties", role.name, parties.len()),
            "What one needs, all can do; and what one did cannot be taken from it alone.".to_owned(),
            json!({"parties": parties}),
            "Give each party a role of its own.",
        ));
    }
}

fn deleted(role: &RoleReport, found: &mut Vec<Finding>) {
    let all: Vec<&TrustEntry> = role.trust.iter().collect();
    let Some(deleted) = which(&all, |entry| entry.kind == "deleted") else { return };
    found.push(Draft::role("trust-deleted-principal", "low", role).finish(
        format!("role {} trusts a principal that is gone", role.name),
        "What is left is the unique id of a deleted user or role. Nobody can come in by it, not even a new one of that name."
            .to_owned(),
        json!({"principals": principals(&deleted)}),
        "Take the id out of the trust policy; if the party still needs the role, name what it uses today.",
    ));
}

fn subjects(role: &RoleReport, found: &mut Vec<Finding>) {
    let all: Vec<&TrustEntry> = role.trust.iter().collect();
    let Some(wide) = which(&all, |entry| entry.subjects.is_some()) else { return };
    let reaches: Vec<&str> = wide.iter().filter_map(|entry| entry.subjects.as_deref()).collect();
    let (severity, whom) = if reaches.contains(&"anyone") {
        ("critical", "everybody whom the provider vouches for")
    } else if reaches.contains(&"some_names") {
        ("high", "everybody whose name begins as the pattern does")
    } else {
        ("medium", "everything that one customer of the provider runs")
    };
    found.push(Draft::role("federated-subject-wide", severity, role).finish(
        format!("role {} lets in {whom}", role.name),
        "The provider serves many companies, and the subject that the trust policy demands does not say enough.".to_owned(),
        json!({"providers": principals(&wide), "subjects": reaches}),
        "Demand the subject with StringEquals, down to the repository and branch, project or workspace that is meant.",
    ));
}
