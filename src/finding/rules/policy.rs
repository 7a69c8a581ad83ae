//! Findings about policies: what a role's grants amount to, whether or not they are used (S31, S32).
//!
//! `dangerous-unused` says what can go by the evidence; these say what the grants make possible, together and on every
//! resource. What one of them says, the others do not repeat: an administrator is not told of each right that follows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::aws::Action;
use crate::policy::risk::classes::{Risky, Weight};
use crate::policy::risk::{Answer, Gives, OpenPath, Reach, Wildcard};

use super::super::assessment::{Finding, PassesRoles, RoleReport, RoleRisk, UserReport};
use super::policy_use::{Disuse, Grade, Grounds, Uses, both, shown, statements};
use super::{Draft, count};

pub(super) fn of_role(role: &RoleReport, found: &mut Vec<Finding>) {
    let Some(risk) = &role.risk else { return };
    let holder = Holder {
        noun: "role",
        name: &role.name,
        draft: Draft::role("", "", role),
        granted: role.rightsizing.granted,
        has_guardrail: role.rightsizing.guardrail.boundary.is_some(),
    };
    Judge { holder, risk, uses: Uses::of(role) }.all(found);
}

/// A third party's user: what it may do is judged, what of it was used is not (S16).
pub(super) fn of_user(user: &UserReport, found: &mut Vec<Finding>) {
    let Some(risk) = &user.risk else { return };
    let account = Some(user.account_id);
    let draft = Draft { code: "", severity: "", account, subject: &user.arn, party: user.party.clone() };
    let holder = Holder { noun: "user", name: &user.name, draft, granted: user.granted, has_guardrail: false };
    Judge { holder, risk, uses: Uses::none() }.all(found);
}

/// Whose policies they are.
struct Holder<'r> {
    noun: &'static str,
    name: &'r str,
    draft: Draft<'r>,
    /// Granted actions.
    granted: u64,
    /// Whether a guard-rail is there as a boundary.
    has_guardrail: bool,
}

struct Judge<'r> {
    holder: Holder<'r>,
    risk: &'r RoleRisk,
    uses: Uses<'r>,
}

/// The words of a finding about one class of grants.
struct Words {
    code: &'static str,
    can: &'static str,
    detail: &'static str,
    advice: &'static str,
}

const KEYS: Words = Words {
    code: "policy-kms-any-key",
    can: "use or give away every encryption key",
    detail: "Every key whose own policy leaves it to IAM, as the default one does, is within its reach.",
    advice: "Name the keys, or demand `kms:ViaService` and, for grants, `kms:GrantIsForAWSResource`.",
};
const SECRETS: Words = Words {
    code: "policy-secrets-any",
    can: "read every secret of a kind",
    detail: "Secrets open other systems: what is read once stays known.",
    advice: "Name the secrets or parameters that the party needs, by ARN or by a path made for it.",
};
const DATA: Words = Words {
    code: "policy-data-read-any",
    can: "read stored data wherever it lies",
    detail: "What is stored today or tomorrow in any bucket, table, queue or log of these services can be read.",
    advice: "Name the resources that the party needs to read, or demand a tag that marks them.",
};

impl<'r> Judge<'r> {
    fn all(&self, found: &mut Vec<Finding>) {
        let before = found.len();
        if let Some(answer) = &self.risk.admin {
            found.push(self.admin(answer));
        } else {
            found.extend(self.escalation());
            found.extend(self.iam_write());
            found.extend(self.passes());
            found.extend(self.class(&KEYS, &self.risk.classes.keys));
            found.extend(self.class(&SECRETS, &self.risk.classes.secrets));
            found.extend(self.class(&DATA, &self.risk.classes.data));
            found.extend(self.writes());
        }
        let grave = found.get(before..).unwrap_or_default();
        let unbounded = self.unbounded(grave);
        found.extend(unbounded);
    }

    /// `role Scanner`, `user backup`.
    fn whom(&self) -> String {
        format!("{} {}", self.holder.noun, self.holder.name)
    }

    fn finish(
        &self,
        code: &'static str,
        grade: Grade,
        title: String,
        detail: String,
        evidence: Value,
        to_do: &str,
    ) -> Finding {
        let doubt = self.risk.doubt.as_ref().map(|doubt| format!(" Nothing is certain here: {doubt}."));
        let detail = format!("{detail}{}", doubt.unwrap_or_default());
        let draft = Draft { code, severity: grade.word(), ..self.holder.draft.clone() };
        draft.finish(title, detail, evidence, to_do)
    }

    fn admin(&self, answer: &Answer) -> Finding {
        let iam: Vec<&Action> = self.risk.classes.iam.iter().map(|risky| &risky.action).collect();
        let disuse = self.uses.any(iam.iter().copied());
        let grounds = Grounds::of([answer]);
        let grade = Grade::High.joined(grounds.is_certain, disuse);
        let is = if grounds.is_certain { "is" } else { "may be" };
        let detail = format!(
            "Whoever comes in may do everything, and change IAM itself. Of its rights over IAM: {}{}",
            self.uses.told(disuse),
            hangs(&grounds)
        );
        let evidence = grounds.evidence(json!({"granted": self.holder.granted, "use_of_iam": self.uses.split(iam)}));
        let advice = format!(
            "No outside party needs this: replace the policy by what it used, or by what it says it needs.{}",
            self.uses.remedy(self.risk.classes.iam.iter().map(|risky| &risky.action))
        );
        let title = format!("{} {is} an administrator", self.whom());
        self.finish("policy-admin", grade, title, detail, evidence, &advice)
    }

    fn escalation(&self) -> Option<Finding> {
        let grade = |path: &OpenPath| {
            let base = if path.gives == Gives::Existing { Grade::Medium } else { Grade::High };
            base.joined(path.is_certain, self.uses.together(&path.steps))
        };
        let mut paths: Vec<(Grade, &OpenPath)> = self.risk.paths.iter().map(|path| (grade(path), path)).collect();
        paths.sort_by(|a, b| (b.0, b.1.gives, a.1.name).cmp(&(a.0, a.1.gives, b.1.name)));
        let (gravest, first) = *paths.first()?;
        let actions: BTreeSet<&Action> = paths.iter().flat_map(|(_, path)| path.steps.iter().flatten()).collect();
        let is_certain = paths.iter().any(|(_, path)| path.is_certain);
        let can = if is_certain { "can" } else { "may be able to" };
        let detail = format!(
            "For instance it {} ({}). {}",
            first.does,
            first.steps.iter().map(|step| names(step)).collect::<Vec<_>>().join(" with "),
            self.uses.told(self.uses.together(&first.steps))
        );
        let evidence = json!({
            "paths": paths.iter().take(20).map(|(grade, path)| self.path(*grade, path)).collect::<Vec<_>>(),
            "paths_open": paths.len(),
            "certain": is_certain,
            "use": self.uses.split(actions.iter().copied()),
            "statements": statements(paths.iter().flat_map(|(_, path)| &path.statements)),
        });
        let advice = format!(
            "Each way is closed by taking one of its steps: the one that is not used first; `iam:PassRole` by naming the \
             roles and, with `iam:PassedToService`, the service.{}",
            self.uses.remedy(actions)
        );
        let ways: BTreeSet<&str> = paths.iter().map(|(_, path)| path.name).collect();
        let title = format!("{} {can} gain more rights than it was given: {}", self.whom(), cut(&ways));
        Some(self.finish("policy-privilege-escalation", gravest, title, detail, evidence, &advice))
    }

    fn path(&self, grade: Grade, path: &OpenPath) -> Value {
        let used = match self.uses.together(&path.steps) {
            Disuse::Used => "used",
            Disuse::NeverUsed => "unused",
            Disuse::NotKnown => "not_observable",
        };
        let mut shown = json!({
            "path": path.name, "gives": path.gives.word(), "does": path.does, "severity": grade.word(),
            "actions": path.steps.iter().map(|step| names(step)).collect::<Vec<_>>(),
            "use": used, "certain": path.is_certain, "depends_on": path.keys,
        });
        if !path.roles.is_empty() {
            shown = both(shown, json!({"roles": super::policy_use::shown(&path.roles)}));
        }
        if path.within_boundary {
            shown = both(shown, json!({"within_boundary": true}));
        }
        shown
    }

    /// What else it can change in IAM; what a way to more rights rests on is told there.
    fn iam_write(&self) -> Option<Finding> {
        let told_there: BTreeSet<&Action> =
            self.risk.paths.iter().flat_map(|path| path.steps.iter().flatten()).collect();
        let all = &self.risk.classes.iam;
        let rest: Vec<&Risky> = all.iter().filter(|risky| !told_there.contains(&risky.action)).collect();
        let words = Words {
            code: "policy-iam-write",
            can: "change users, roles or policies of the whole account",
            detail: "Who changes IAM decides about everybody else's rights, and can lock people out or leave a way back in.",
            advice: "A party that must make roles does so under a path of its own and with a permissions boundary demanded.",
        };
        self.about(&words, &rest, all.len() - rest.len())
    }

    fn class(&self, words: &Words, all: &[Risky]) -> Option<Finding> {
        self.about(words, &all.iter().collect::<Vec<_>>(), 0)
    }

    fn grade(&self, risky: &Risky) -> Grade {
        let base = match risky.weight {
            Weight::Low => Grade::Low,
            Weight::Medium => Grade::Medium,
            Weight::High => Grade::High,
        };
        base.joined(risky.answer.reach == Reach::Every, self.uses.one(&risky.action))
    }

    fn about(&self, words: &Words, risky: &[&Risky], told_elsewhere: usize) -> Option<Finding> {
        let gravest = risky.iter().map(|risky| self.grade(risky)).max()?;
        let grounds = Grounds::of(risky.iter().map(|risky| &risky.answer));
        let actions = || risky.iter().map(|risky| &risky.action);
        let can = if grounds.is_certain { "can" } else { "may be able to" };
        let mut evidence = grounds.evidence(json!({
            "actions": shown(actions()), "actions_total": risky.len(), "use": self.uses.split(actions()),
        }));
        if told_elsewhere > 0 {
            evidence = both(evidence, json!({"told_with_escalation": told_elsewhere}));
        }
        let detail = format!("{} {}{}", words.detail, self.uses.told(self.uses.any(actions())), hangs(&grounds));
        let advice = format!("{}{}", words.advice, self.uses.remedy(actions()));
        let title = format!("{} {can} {}", self.whom(), words.can);
        Some(self.finish(words.code, gravest, title, detail, evidence, &advice))
    }

    fn passes(&self) -> Option<Finding> {
        let PassesRoles { services, answer } = self.risk.passes.as_ref()?;
        let pass = Action::parse("iam:PassRole")?;
        let disuse = self.uses.one(&pass);
        let grounds = Grounds::of([answer]);
        let whom = if services.is_empty() { "any service".to_owned() } else { shown(services).join(", ") };
        let evidence = grounds.evidence(json!({"services": shown(services), "use": self.uses.split([&pass])}));
        let can = if grounds.is_certain { "can" } else { "may be able to" };
        let detail = format!(
            "A service that is passed a stronger role works for whoever passed it. {}{}",
            self.uses.told(disuse),
            hangs(&grounds)
        );
        let advice = format!("Name the roles that the party passes in `Resource`.{}", self.uses.remedy([&pass]));
        let title = format!("{} {can} pass every role of the account to {whom}", self.whom());
        let grade = Grade::Medium.joined(grounds.is_certain, disuse);
        Some(self.finish("policy-passrole-any", grade, title, detail, evidence, &advice))
    }

    /// Wildcards that stand for writing, and writing actions that are named and lack a resource.
    fn writes(&self) -> Option<Finding> {
        let wildcards = &self.risk.wildcards;
        let of_wildcard = |wildcard: &Wildcard| {
            let base = if wildcard.is_dangerous { Grade::Medium } else { Grade::Low };
            base.joined(wildcard.is_certain, self.uses.any(&wildcard.writes))
        };
        let covered: BTreeSet<&Action> = wildcards.iter().flat_map(|wildcard| &wildcard.writes).collect();
        let in_paths: BTreeSet<&Action> = self.risk.paths.iter().flat_map(|path| path.steps.iter().flatten()).collect();
        // What nobody used and the trail would have shown is told by the list of what can go.
        let is_told = |action: &Action| {
            covered.contains(action) || in_paths.contains(action) || self.uses.one(action) == Disuse::NeverUsed
        };
        let named: Vec<&Risky> = self.risk.classes.writes.iter().filter(|risky| !is_told(&risky.action)).collect();
        let grades = wildcards.iter().map(of_wildcard).chain(named.iter().map(|risky| self.grade(risky)));
        let gravest = grades.max()?;
        let patterns: BTreeSet<&str> = wildcards.iter().map(|wildcard| wildcard.pattern.as_str()).collect();
        let mut grounds = Grounds::of(named.iter().map(|risky| &risky.answer));
        grounds.is_certain |= wildcards.iter().any(|wildcard| wildcard.is_certain);
        grounds.keys.extend(wildcards.iter().flat_map(|wildcard| wildcard.keys.iter().cloned()));
        grounds.statements.extend(wildcards.iter().map(|wildcard| wildcard.statement.clone()));
        if !wildcards.is_empty() {
            grounds.regions.clear();
        }
        let actions: BTreeSet<&Action> =
            covered.iter().copied().chain(named.iter().map(|risky| &risky.action)).collect();
        let evidence = grounds.evidence(json!({
            "patterns": shown(&patterns), "patterns_total": patterns.len(),
            "actions": shown(named.iter().map(|risky| &risky.action)), "actions_total": named.len(),
            "writing_actions": actions.len(), "use": self.uses.split(actions.iter().copied()),
        }));
        let tomorrow = if patterns.is_empty() { "" } else { ", and by wildcards whatever AWS adds tomorrow" };
        let detail = format!(
            "{} not limited to any resource{tomorrow}. {}{}",
            count(actions.len() as u64, "writing action"),
            self.uses.told(self.uses.any(actions.iter().copied())),
            hangs(&grounds)
        );
        let advice = format!(
            "Write out the actions that are needed, and name their resources or demand a tag of them.{}",
            self.uses.remedy(actions)
        );
        let can = if grounds.is_certain { "can" } else { "may be able to" };
        let mut names = patterns;
        names.extend(named.iter().map(|risky| risky.action.as_str()));
        let title = format!("{} {can} write on every resource: {}", self.whom(), cut(&names));
        Some(self.finish("policy-write-wildcard", gravest, title, detail, evidence, &advice))
    }

    /// A boundary is worth its trouble where rights can grow.
    fn unbounded(&self, found: &[Finding]) -> Option<Finding> {
        const GROW: [&str; 2] = ["policy-admin", "policy-iam-write"];
        let mut codes: Vec<&str> =
            GROW.into_iter().filter(|code| found.iter().any(|finding| finding.code == *code)).collect();
        // What a passed role or another machine's role may do, no boundary of this role limits.
        let gains_all = |path: &&OpenPath| path.gives == Gives::Everything;
        if self.risk.paths.iter().any(|path| gains_all(&path)) && self.risk.admin.is_none() {
            codes.push("policy-privilege-escalation");
        }
        if codes.is_empty() || !self.risk.is_unbounded {
            return None;
        }
        let certain = self.risk.paths.iter().filter(gains_all).any(|path| path.is_certain);
        let grade = if certain { Grade::Medium } else { Grade::Low };
        let ready = if self.holder.has_guardrail {
            " The role's `boundary.json` is one that takes what is dangerous and unused."
        } else {
            ""
        };
        Some(self.finish(
            "boundary-missing",
            grade,
            format!("nothing limits what {} can gain", self.whom()),
            "It has no permissions boundary, which would hold whatever else is attached to it.".to_owned(),
            json!({"because_of": codes, "boundary": Value::Null}),
            &format!("Set a permissions boundary that holds the most this party may ever do.{ready}"),
        ))
    }
}

fn names(step: &[Action]) -> String {
    step.iter().map(Action::as_str).collect::<Vec<_>>().join(" or ")
}

/// What it hangs on, and where it holds.
fn hangs(grounds: &Grounds) -> String {
    let list = |texts: &BTreeSet<String>| shown(texts).join(", ");
    let keys = if grounds.keys.is_empty() { String::new() } else { format!(" It hangs on {}.", list(&grounds.keys)) };
    let only = if grounds.regions.is_empty() { String::new() } else { format!(" Only in {}.", list(&grounds.regions)) };
    format!("{keys}{only}")
}

/// The first few names.
fn cut(names: &BTreeSet<&str>) -> String {
    const FEW: usize = 5;
    let few: Vec<&str> = names.iter().copied().take(FEW).collect();
    let more = if names.len() > FEW { format!(" and {} more", names.len() - FEW) } else { String::new() };
    format!("{}{more}", few.join(", "))
}
