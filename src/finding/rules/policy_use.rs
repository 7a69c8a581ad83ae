//! Danger joined with disuse: what the ledger says of the actions that a policy finding is about.
//!
//! An action that would have been seen and was never used is one step graver than one in use: it can go at once. What
//! the trail could not have shown is neither.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::aws::Action;
use crate::policy::evaluate::StatementRef;
use crate::policy::risk::{Answer, Reach};

use super::super::assessment::{ActionEntry, RoleReport};

/// Names listed; the rest is counted.
const SHOWN: usize = 20;

/// How grave a finding is, the least first; `up` and `down` stop at the ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Grade {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

const GRADES: [Grade; 5] = [Grade::Info, Grade::Low, Grade::Medium, Grade::High, Grade::Critical];

impl Grade {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    fn moved(self, by: isize) -> Self {
        let at = GRADES.iter().position(|grade| *grade == self).unwrap_or_default();
        GRADES.get(at.saturating_add_signed(by)).copied().unwrap_or(Self::Critical)
    }

    /// One step less where it is only possible, one more where nobody ever used it.
    pub(super) fn joined(self, is_certain: bool, disuse: Disuse) -> Self {
        let certain = if is_certain { self } else { self.moved(-1) };
        if disuse == Disuse::NeverUsed { certain.moved(1) } else { certain }
    }
}

/// What is known of the use of an action, or of several that are only dangerous together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disuse {
    /// Used, or kept by a rule that somebody answers for.
    Used,
    /// The trail would have shown a use, and shows none.
    NeverUsed,
    /// The trail could not have shown it, or something that stays can need it.
    NotKnown,
}

/// The ledger of a role, to look up actions.
pub(super) struct Uses<'r> {
    entries: BTreeMap<&'r Action, &'r ActionEntry>,
    /// None for a user, whose use is not judged.
    role: Option<&'r RoleReport>,
}

impl<'r> Uses<'r> {
    pub(super) fn of(role: &'r RoleReport) -> Self {
        let entries = role.actions.iter().chain(&role.actions_beyond);
        Self { entries: entries.map(|entry| (&entry.action, entry)).collect(), role: Some(role) }
    }

    /// Of somebody whose use is not judged.
    pub(super) fn none() -> Self {
        Self { entries: BTreeMap::new(), role: None }
    }

    pub(super) fn one(&self, action: &Action) -> Disuse {
        let Some(entry) = self.entries.get(action) else { return Disuse::NotKnown };
        match entry.verdict.as_str() {
            "unused" if entry.kept_by.is_some() => Disuse::Used,
            "unused" => Disuse::NeverUsed,
            "used" | "used_not_granted" => Disuse::Used,
            _ => Disuse::NotKnown,
        }
    }

    /// Of several that each are enough: used when one is, never used only when none was and one could have been seen.
    pub(super) fn any<'a>(&self, actions: impl IntoIterator<Item = &'a Action>) -> Disuse {
        let all: Vec<Disuse> = actions.into_iter().map(|action| self.one(action)).collect();
        if all.contains(&Disuse::Used) {
            Disuse::Used
        } else if all.contains(&Disuse::NeverUsed) {
            Disuse::NeverUsed
        } else {
            Disuse::NotKnown
        }
    }

    /// Of several that are only dangerous together: one that nobody used can go, and with it the danger.
    pub(super) fn together(&self, steps: &[Vec<Action>]) -> Disuse {
        // A step can go when all that would do for it can.
        let can_go = |step: &&Vec<Action>| step.iter().all(|action| self.one(action) == Disuse::NeverUsed);
        if steps.iter().any(|step| can_go(&step)) {
            return Disuse::NeverUsed;
        }
        let is_used = |step: &Vec<Action>| self.any(step) == Disuse::Used;
        if steps.iter().all(is_used) { Disuse::Used } else { Disuse::NotKnown }
    }

    /// How many were used, never used, or could not be seen.
    pub(super) fn split<'a>(&self, actions: impl IntoIterator<Item = &'a Action>) -> Value {
        if self.role.is_none() {
            return Value::Null;
        }
        let (mut used, mut unused, mut not_observable, mut kept, mut dependent) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
        for action in actions {
            let entry = self.entries.get(action);
            let count = match self.one(action) {
                Disuse::Used if entry.is_some_and(|entry| entry.kept_by.is_some()) => &mut kept,
                Disuse::Used => &mut used,
                Disuse::NeverUsed => &mut unused,
                Disuse::NotKnown if entry.is_some_and(|entry| entry.verdict == "dependent") => &mut dependent,
                Disuse::NotKnown => &mut not_observable,
            };
            *count += 1;
        }
        json!({"used": used, "unused": unused, "not_observable": not_observable, "dependent": dependent,
            "kept_by_rule": kept})
    }

    /// One sentence about disuse for a detail.
    pub(super) fn told(&self, disuse: Disuse) -> &'static str {
        match disuse {
            Disuse::Used => "It is in use, at least in part.",
            Disuse::NeverUsed => "The trail would have shown a use, and shows none.",
            Disuse::NotKnown if self.role.is_none() => "Whether a user uses it is not judged.",
            Disuse::NotKnown => "Whether it is used, the trail could not have shown.",
        }
    }

    /// What of our own would take these actions from the role.
    pub(super) fn remedy<'a>(&self, actions: impl IntoIterator<Item = &'a Action>) -> String {
        let actions: Vec<&Action> = actions.into_iter().collect();
        let gone = actions.iter().filter(|action| self.one(action) == Disuse::NeverUsed).count();
        let Some(sizing) = self.role.map(|role| &role.rightsizing) else { return String::new() };
        let mut words = String::new();
        if gone > 0 && sizing.status == "proposed" {
            words.push_str(&format!(
                " The role's right-sized policies (`*.rightsized.json`) take {gone} of {} that nobody used.",
                actions.len()
            ));
        }
        let guardrail = &sizing.guardrail;
        let taken = actions.iter().filter(|action| guardrail.actions.contains(action)).count();
        let files: Vec<&str> =
            [(guardrail.boundary.is_some(), "`boundary.json`"), (!guardrail.deny.is_empty(), "`deny.json`")]
                .into_iter()
                .filter_map(|(is_there, name)| is_there.then_some(name))
                .collect();
        if taken > 0 && !files.is_empty() {
            words.push_str(&format!(
                " Where the policy must stay, its guard-rail ({}) takes {taken} of them.",
                files.join(" or ")
            ));
        }
        words
    }
}

/// The first names, in order.
pub(super) fn shown<T: ToString>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    names.into_iter().take(SHOWN).map(|name| name.to_string()).collect()
}

/// The statements that allow something, each once.
pub(super) fn statements<'a>(all: impl IntoIterator<Item = &'a StatementRef>) -> Value {
    let all: BTreeSet<&StatementRef> = all.into_iter().collect();
    json!(all.into_iter().take(SHOWN).collect::<Vec<_>>())
}

/// What is the same for everything that rests on answers: whether it is certain, what it hangs on, and where it holds.
pub(super) struct Grounds {
    pub(super) is_certain: bool,
    pub(super) keys: BTreeSet<String>,
    /// The Regions it is confined to; empty when one answer holds everywhere.
    pub(super) regions: BTreeSet<String>,
    pub(super) statements: BTreeSet<StatementRef>,
}

impl Grounds {
    pub(super) fn of<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Self {
        let mut grounds =
            Self { is_certain: false, keys: BTreeSet::new(), regions: BTreeSet::new(), statements: BTreeSet::new() };
        let mut everywhere = false;
        for answer in answers {
            grounds.is_certain |= answer.reach == Reach::Every;
            grounds.keys.extend(answer.keys.iter().cloned());
            everywhere |= answer.region.is_none();
            grounds.regions.extend(answer.region.clone());
            grounds.statements.extend(answer.statements.iter().cloned());
        }
        if everywhere {
            grounds.regions.clear();
        }
        grounds
    }

    /// The part of the evidence.
    pub(super) fn evidence(&self, rest: Value) -> Value {
        let grounds = json!({
            "certain": self.is_certain, "depends_on": self.keys, "only_in_regions": self.regions,
            "statements": statements(&self.statements),
        });
        both(rest, grounds)
    }
}

/// One object of two.
pub(super) fn both(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S38: never used is graver than used, what is only possible is less, and neither leaves the scale.
    #[test]
    fn danger_and_disuse_are_joined() {
        use Disuse::{NeverUsed, NotKnown, Used};
        assert_eq!(Grade::High.joined(true, NeverUsed), Grade::Critical);
        assert_eq!(Grade::High.joined(true, NotKnown), Grade::High);
        assert_eq!(Grade::High.joined(false, Used), Grade::Medium);
        assert_eq!(Grade::Medium.joined(false, NeverUsed), Grade::Medium);
        assert_eq!(Grade::Critical.joined(true, NeverUsed), Grade::Critical);
        assert_eq!(Grade::Info.joined(false, Used), Grade::Info);
    }
}
