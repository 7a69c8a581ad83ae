//! What a trust policy could do without, step by step, each with the hand-offs that it rests on (S40, S41).
//!
//! A step takes out principals or adds a condition that holds for every hand-off that the statement may be meant for. Nothing
//! is proven here: `trust_narrowing` replays what comes out. Sources: IAM User Guide, "AWS JSON policy elements: Principal"
//! (the unique id of a deleted principal matches nobody; ids cannot be named in a new policy) and "AWS global condition
//! context keys" (`aws:userid`); Service Authorization Reference, "AWS STS" (neither `sts:ExternalId` nor the keys of
//! providers are listed for `sts:TagSession` and `sts:SetSourceIdentity`, so statements about these are left alone).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccountId, Action, Fingerprint};
use crate::policy::admission::{PrincipalKind, admissions};
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::matches_action;
use crate::policy::statement::{Effect, PrincipalMatch, Principals, Statement};
use crate::policy::trust_edit::{Change, Demand};

use super::assessment::{ExternalIdUse, TrustEntry, TrustLeftAlone, TrustStep};
use super::hand_offs::{By, Times, Way, Ways, account_of};
use super::trust_steps_more::{everybody, saml};
use super::trust_steps_web as web;

/// Callers to which a statement is limited; more are likely to change.
pub const TRUST_CALLERS: usize = 5;
/// Days on which a caller or a subject must have come to be counted on.
pub const TRUST_DAYS: usize = 2;

/// How far to narrow a trust policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrustNarrowing {
    /// To the callers seen, where a whole account is trusted.
    Callers,
    /// The same, and parties that never came are taken out.
    Parties,
}

impl TrustNarrowing {
    /// The word of the command line and of `run.json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Callers => "callers",
            Self::Parties => "parties",
        }
    }
}

/// What was asked for about trust policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TrustWishes {
    /// Whether and how to narrow them beyond what needs no asking.
    pub narrowing: Option<TrustNarrowing>,
    /// Whether their files may show external ids (S42).
    pub show_external_ids: bool,
}

/// What steps are derived from.
pub struct Facts<'a> {
    /// The trust policy.
    pub trust: &'a PolicyDocument,
    /// Its principals, with their parties.
    pub entries: &'a [TrustEntry],
    /// What hand-offs carried, by party.
    pub uses: &'a [ExternalIdUse],
    /// How hand-offs came.
    pub ways: &'a Ways,
    /// How hand-offs came that were refused.
    pub refused: &'a Ways,
    /// What was opted in.
    pub how: Option<TrustNarrowing>,
    /// Why it cannot be said that a party does not come, if so.
    pub too_short: Option<String>,
}

/// What comes out.
#[derive(Debug, Default)]
pub struct Steps {
    /// The edit.
    pub change: Change,
    /// What it does, and why.
    pub steps: Vec<TrustStep>,
    /// What could be narrower.
    pub left: Vec<TrustLeftAlone>,
    /// Texts that stand for external ids which nobody but the party can tell.
    pub placeholders: BTreeMap<String, Fingerprint>,
}

impl Steps {
    pub(super) fn take(&mut self, statement: &Statement, kind: &str, detail: String, evidence: Value) {
        self.steps.push(TrustStep { kind: kind.to_owned(), statement: statement.label(), detail, evidence });
    }

    pub(super) fn leave(&mut self, statement: &Statement, kind: &str, reason: impl Into<String>) {
        self.left.push(TrustLeftAlone { kind: kind.to_owned(), statement: statement.label(), reason: reason.into() });
    }

    pub(super) fn demand(&mut self, statement: &Statement, operator: &'static str, key: &str, values: Vec<String>) {
        self.change.demands.push(Demand { statement: statement.index, operator, key: key.to_owned(), values });
    }
}

/// All steps, statement by statement.
#[must_use]
pub fn steps(facts: &Facts<'_>) -> Steps {
    let mut found = Steps::default();
    for statement in facts.trust.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let PrincipalMatch::Principal(named) = &statement.principals else { continue };
        deleted(statement, named, &mut found);
        unused(facts, statement, named, &mut found);
        external_id(facts, statement, named, &mut found);
        callers(facts, statement, named, &mut found);
        web::steps(facts, statement, named, &mut found);
        saml(facts, statement, named, &mut found);
        everybody(facts, statement, named, &mut found);
    }
    found
}

/// Whether a statement also lets its principals do what conditions on the hand-off may not be known for.
pub(super) fn does_more(statement: &Statement) -> bool {
    let covers = |name: &str| Action::parse(name).is_some_and(|action| matches_action(&statement.actions, &action));
    ["sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"].into_iter().any(covers)
}

pub(super) const MORE: &str = "the statement also allows sts:TagSession or sts:SetSourceIdentity, and whether these requests \
    carry the key is not documented: give them a statement of their own first";

pub(super) fn allows(statement: &Statement, action: &str) -> bool {
    Action::parse(action).is_some_and(|action| matches_action(&statement.actions, &action))
}

/// Whether that is what a deleted role or user leaves behind.
fn is_deleted(name: &str) -> bool {
    // Source: IAM User Guide, "IAM identifiers": unique ids have 16 to 128 letters and digits behind their prefix or with it.
    let prefix = ["AROA", "AIDA"].iter().any(|prefix| name.starts_with(prefix));
    prefix && name.len() >= 16 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn deleted(statement: &Statement, named: &Principals, found: &mut Steps) {
    for name in named.aws.iter().filter(|name| is_deleted(name)) {
        found.change.dropped.insert((statement.index, name.clone()));
        let detail = format!("take out {name}: the principal was deleted, and its id matches nobody");
        found.take(statement, "deleted_principal", detail, json!({"principal": name}));
    }
}

/// Outsiders that are trusted and never came: told, and taken out if that was asked for.
fn unused(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    let outside = |name: &&String| facts.entries.iter().any(|entry| entry.principal == **name && entry.outside);
    let came = |name: &String| {
        facts.ways.keys().any(|way| match &way.by {
            By::Federated(provider) => provider == name,
            By::Nobody => true,
            _ => way.account().is_some() && way.account() == account_of(name),
        })
    };
    let names = named.aws.iter().filter(|name| account_of(name).is_some()).chain(&named.federated);
    for name in names.filter(outside).filter(|name| !came(name)) {
        let never = format!("{} never came in the window", party(facts, name));
        match (&facts.too_short, facts.how) {
            _ if facts.ways.is_empty() => {
                found.leave(statement, "unused_party", format!("{never}, nor did anybody else"))
            }
            (Some(why), _) => found.leave(statement, "unused_party", format!("{never}, but {why}")),
            (None, Some(TrustNarrowing::Parties)) => {
                found.change.dropped.insert((statement.index, name.clone()));
                let evidence = json!({"principal": name, "hand_offs": 0});
                found.take(statement, "unused_party", format!("take out {name}: {never}; ask before"), evidence);
            }
            (None, _) => {
                let ask = "ask whether it still needs the role; --narrow-trust=parties takes it out";
                found.leave(statement, "unused_party", format!("{never}: {ask}"));
            }
        }
    }
}

/// The name of a principal's party with what it is known by.
pub(super) fn party(facts: &Facts<'_>, principal: &str) -> String {
    let entry = facts.entries.iter().find(|entry| entry.principal == principal);
    match entry.and_then(|entry| entry.party.as_deref()) {
        Some(name) if name != principal => format!("{name} ({principal})"),
        _ => principal.to_owned(),
    }
}

/// The id is demanded where it is optional or missing, and every hand-off carried the same one.
fn external_id(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    if !allows(statement, "sts:AssumeRole") {
        return;
    }
    let accounts: BTreeSet<AccountId> = named.aws.iter().filter_map(|name| account_of(name)).collect();
    let Some(account) = accounts.first().filter(|_| accounts.len() == 1) else { return };
    let Some(used) = facts.uses.iter().find(|used| used.party_id == account.as_str()) else { return };
    let single = facts.trust.with_statements(vec![statement.raw.clone()]);
    let Ok(single) = PolicyDocument::from_value(&single) else { return };
    let is_open = admissions(&single)
        .iter()
        .filter_map(|one| one.external_id.as_ref())
        .any(|demand| !demand.required || demand.any_accepted || demand.matching == "pattern");
    let [sent] = used.ids.as_slice() else { return };
    if !is_open || used.verdict != "safe" {
        return;
    }
    if does_more(statement) {
        return found.leave(statement, "external_id", MORE);
    }
    let print = Fingerprint { digest: sent.fingerprint.clone(), length: sent.length };
    let known = external_ids(facts.trust).into_iter().find(|id| Fingerprint::of(id) == print && !id.contains("${"));
    let shown = format!("the id with the fingerprint {} ({} characters)", print.digest, print.length);
    let fill = match &known {
        Some(_) => "today's trust names it already".to_owned(),
        None => format!("fill it in: only {} and whoever set the role up know it", used.party_name),
    };
    let value = known.unwrap_or_else(|| {
        let placeholder = format!("REPLACE-WITH-THE-EXTERNAL-ID-OF-{}", used.party_id);
        found.placeholders.insert(placeholder.clone(), print.clone());
        placeholder
    });
    found.demand(statement, "StringEquals", "sts:ExternalId", vec![value]);
    let detail =
        format!("demand {shown}, which all {} hand-offs of {} carried; {fill}", used.hand_offs, used.party_name);
    let evidence = json!({"party": used.party_id, "hand_offs": used.hand_offs, "fingerprint": print.digest,
        "length": print.length, "verdict": used.verdict});
    found.take(statement, "external_id", detail, evidence);
}

/// What statements compare external ids with, patterns apart.
#[must_use]
pub fn external_ids(trust: &PolicyDocument) -> BTreeSet<String> {
    let blocks = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let ids = blocks.filter(|block| block.key.eq_ignore_ascii_case("sts:ExternalId")).flat_map(|block| {
        let is_like = block.operator.to_ascii_lowercase().contains("like");
        block.values.iter().filter(move |id| !(is_like && id.contains(['*', '?'])))
    });
    ids.cloned().collect()
}

/// A whole account becomes those of its roles and users that came, if that was asked for.
fn callers(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    let is_root = |name: &&String| {
        let entry = facts.entries.iter().find(|entry| entry.principal == **name);
        entry.is_some_and(|entry| entry.kind == PrincipalKind::AccountRoot.word() && entry.outside)
    };
    let gone = |name: &&String| found.change.dropped.contains(&(statement.index, (*name).clone()));
    let left: Vec<&String> = named.aws.iter().filter(|name| !gone(name)).collect();
    let others = named.anyone || named.federated.len() + named.service.len() + named.canonical_user.len() > 0;
    let bound = ["aws:userid", "aws:PrincipalArn"];
    let is_bound = statement.conditions.iter().any(|block| bound.iter().any(|key| block.key.eq_ignore_ascii_case(key)));
    if others || is_bound || left.is_empty() || !left.iter().all(is_root) || !allows(statement, "sts:AssumeRole") {
        return;
    }
    let accounts: BTreeSet<AccountId> = left.iter().filter_map(|name| account_of(name)).collect();
    let mut seen: BTreeMap<&str, Times> = BTreeMap::new();
    let mut came: BTreeSet<AccountId> = BTreeSet::new();
    for (way, times) in facts.ways {
        let Some(account) = way.account().filter(|account| accounts.contains(account)) else { continue };
        came.insert(account);
        seen.entry(way.caller_id()).and_modify(|known| known.add(times)).or_insert_with(|| times.clone());
    }
    if came != accounts {
        // That a party never came is told elsewhere, and that others came with it changes nothing.
        return;
    }
    match limited(&seen, facts) {
        Err(reason) => found.leave(statement, "callers", reason),
        Ok((detail, evidence)) => {
            let value = |id: &&str| if id.starts_with("AROA") { format!("{id}:*") } else { (*id).to_owned() };
            found.demand(statement, "StringLike", "aws:userid", seen.keys().map(value).collect());
            found.take(statement, "callers", detail, evidence);
        }
    }
}

/// Whether callers are so few and so steady that others may be shut out, in words and as evidence.
fn limited(seen: &BTreeMap<&str, Times>, facts: &Facts<'_>) -> Result<(String, Value), String> {
    let nameless = seen.keys().find(|id| !is_deleted(id));
    if nameless.is_some() {
        return Err(
            "a root user, a federated user or somebody without an id came: callers cannot be told by their ids"
                .to_owned(),
        );
    }
    if seen.len() > TRUST_CALLERS {
        return Err(format!(
            "{} different callers came, more than {TRUST_CALLERS}: they are likely to change",
            seen.len()
        ));
    }
    if let Some((id, times)) = seen.iter().find(|(_, times)| times.days.len() < TRUST_DAYS) {
        return Err(format!(
            "caller {id} came on {} day only ({}), which does not show that callers stay the same",
            times.days.len(),
            plural(times.hand_offs, "hand-off")
        ));
    }
    let numbers = |(id, times): (&&str, &Times)| {
        format!("{id} ({} on {} days)", plural(times.hand_offs, "hand-off"), times.days.len())
    };
    let named: Vec<String> = seen.iter().map(numbers).collect();
    if facts.how.is_none() {
        let only = format!("only {} came: --narrow-trust limits the account to them", named.join(", "));
        return Err(format!("{only}; a party may change its roles any day, so ask it first"));
    }
    let warning = "the party may change its roles any day, and new ones would be refused: ask it first";
    let evidence: Vec<Value> = seen.iter().map(|(id, times)| when(times, json!({"id": id}))).collect();
    Ok((format!("let in only {}; {warning}", named.join(", ")), json!({"callers": evidence})))
}

/// How often, on how many days, first and last.
pub(super) fn when(times: &Times, mut of: Value) -> Value {
    let time = |time: Time| Value::from(rfc3339(time));
    if let Some(object) = of.as_object_mut() {
        object.insert("hand_offs".to_owned(), times.hand_offs.into());
        object.insert("days".to_owned(), times.days.len().into());
        object.insert("first_seen".to_owned(), time(times.first));
        object.insert("last_seen".to_owned(), time(times.last));
    }
    of
}

pub(super) fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The ways that a statement may be meant for.
pub(super) fn meant<'a>(ways: &'a Ways, statement: &'a Statement) -> impl Iterator<Item = (&'a Way, &'a Times)> {
    ways.iter().filter(|(way, _)| way.is_meant_by(&statement.principals))
}
