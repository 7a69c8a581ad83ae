//! How a trust policy demands an external id of a principal: in what allows it, or in a denial of every other id.

use std::collections::BTreeSet;

use super::admission::{STRANGE_IDS, account_of, admits, admitting, assume_role};
use super::document::PolicyDocument;
use super::evaluate::matches_action;
use super::statement::{ConditionBlock, Effect, PrincipalMatch, Statement};
use crate::aws::AccountId;

/// How an external id is demanded of a principal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExternalIdDemand {
    /// Whether a call without one is certainly refused, found by evaluating the whole policy.
    pub required: bool,
    /// Whether a call with an id that nobody agreed on may be let in, found by evaluating the whole policy.
    pub any_accepted: bool,
    /// `exact`, `pattern`, `if_exists`, `none`.
    pub matching: &'static str,
    /// The accepted values; secrets (S42).
    pub values: BTreeSet<String>,
}

/// How an external id is compared, the loosest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matching {
    None,
    Exact,
    Pattern,
    IfExists,
}

impl Matching {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exact => "exact",
            Self::Pattern => "pattern",
            Self::IfExists => "if_exists",
        }
    }
}

pub(super) fn demand(trust: &PolicyDocument, principal: &str, account: Option<AccountId>) -> ExternalIdDemand {
    let mut allowed = Asked::default();
    for block in admitting(trust, principal).flat_map(|statement| &statement.conditions) {
        let operator = block.operator.to_ascii_lowercase();
        if operator.contains("stringlike") || operator.contains("stringequals") {
            // An operator that lets the id be absent demands none, whatever it says of one that is there.
            let matching = operator.ends_with("ifexists").then_some(Matching::IfExists);
            allowed.add(block, operator.contains("stringlike"), matching);
        }
    }
    // A denial of every other id: a negated operator holds where the id is absent, so none is as bad as a wrong one.
    let mut denied = Asked::default();
    for block in denying(trust, principal).flat_map(|statement| &statement.conditions) {
        let operator = block.operator.to_ascii_lowercase();
        if operator.contains("stringnotlike") || operator.contains("stringnotequals") {
            denied.add(block, operator.contains("stringnotlike"), None);
        }
    }
    let lets_in = |id: &str| admits(trust, principal, account, &|c| c.with("sts:ExternalId", [id]));
    let required = !admits(trust, principal, account, &|c| c.without("sts:ExternalId"));
    let any_accepted = STRANGE_IDS.iter().any(|id| lets_in(id));
    // What is demanded of every call, a denial says last; without one that bites, the allowances do. A denial that some
    // call may pass with a pattern filled in at will does not bite.
    let filled = allowed.values.iter().filter(|value| value.contains(['*', '?']));
    let passed = filled.map(|value| value.replace(['*', '?'], "x")).any(|id| lets_in(&id));
    let bites = required && !passed && denied.matching > Matching::None;
    let matching = if bites { denied.matching } else { allowed.matching };
    let both = !allowed.values.is_empty() && !denied.values.is_empty();
    let mut values = allowed.values;
    if bites {
        values.extend(denied.values);
    }
    if both {
        // Of two lists, what is on one of them alone opens nothing.
        values.retain(|value| value.contains(['*', '?', '$']) || lets_in(value));
    }
    ExternalIdDemand { required, any_accepted, matching: matching.word(), values }
}

/// What conditions compare the external id with.
struct Asked {
    values: BTreeSet<String>,
    /// The loosest of all comparisons.
    matching: Matching,
}

impl Default for Asked {
    fn default() -> Self {
        Self { values: BTreeSet::new(), matching: Matching::None }
    }
}

impl Asked {
    fn add(&mut self, block: &ConditionBlock, is_like: bool, as_matching: Option<Matching>) {
        if !block.key.eq_ignore_ascii_case("sts:ExternalId") {
            return;
        }
        let wild = is_like && block.values.iter().any(|value| value.contains(['*', '?']));
        let matching = as_matching.unwrap_or(if wild { Matching::Pattern } else { Matching::Exact });
        self.matching = self.matching.max(matching);
        self.values.extend(block.values.iter().cloned());
    }
}

/// The `Deny` statements about assuming the role that meet a principal.
fn denying<'a>(trust: &'a PolicyDocument, principal: &'a str) -> impl Iterator<Item = &'a Statement> {
    let root = account_of(principal).map(|account| account.to_string());
    let meets = move |statement: &&Statement| {
        let names = |text: &str| text == "*" || text == principal || account_of(text).map(|a| a.to_string()) == root;
        let is_met = match &statement.principals {
            PrincipalMatch::Principal(named) => named.anyone || named.aws.iter().any(|text| names(text)),
            PrincipalMatch::NotPrincipal(excepted) => !excepted.aws.iter().any(|text| text == principal),
            PrincipalMatch::None => false,
        };
        let is_about = assume_role().is_some_and(|action| matches_action(&statement.actions, &action));
        statement.effect == Effect::Deny && is_met && is_about
    };
    trust.statements.iter().filter(meets)
}
