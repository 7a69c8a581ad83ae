//! Whether a statement can only mean less than the statement it came from, told from its text.
//!
//! Sound, not complete: what cannot be proven is a no. The parts that say where and when (principal, resource, condition)
//! must be equal as JSON; only the actions may differ. `Sid` and unknown keys mean nothing to IAM and are not compared.

use super::pattern::Pattern;
use super::statement::{ActionMatch, Effect, Statement};

const SCOPE: [&str; 6] = ["Effect", "Principal", "NotPrincipal", "Resource", "NotResource", "Condition"];

/// Whether both statements hold for the same principals, resources and conditions, to the same effect.
fn same_scope(one: &Statement, other: &Statement) -> bool {
    SCOPE.iter().all(|key| one.raw.get(key) == other.raw.get(key))
}

fn within(narrow: &str, wide: &[String]) -> bool {
    wide.iter().any(|wide| Pattern::new(wide).contains_action_pattern(narrow))
}

/// Whether `after`, in a document of the same version, allows nothing that `before` did not.
#[must_use]
pub(super) fn allow_descends(after: &Statement, before: &Statement) -> bool {
    let narrower = match (&after.actions, &before.actions) {
        (ActionMatch::Action(after), ActionMatch::Action(before)) => {
            after.iter().all(|pattern| within(pattern, before))
        }
        (ActionMatch::NotAction(after), ActionMatch::NotAction(before)) => {
            before.iter().all(|pattern| after.contains(pattern))
        }
        _ => false,
    };
    narrower && after.effect == Effect::Allow && same_scope(after, before)
}

/// Whether the `Deny` statements in `after`, from documents of the same version, deny all that `before` did.
#[must_use]
pub(super) fn deny_survives(before: &Statement, after: &[&Statement]) -> bool {
    let alike = |candidate: &&&Statement| candidate.effect == Effect::Deny && same_scope(candidate, before);
    match &before.actions {
        // The list may have been split over several documents.
        ActionMatch::Action(patterns) => patterns.iter().all(|pattern| {
            after
                .iter()
                .filter(alike)
                .any(|candidate| matches!(&candidate.actions, ActionMatch::Action(wide) if within(pattern, wide)))
        }),
        ActionMatch::NotAction(_) => after.iter().filter(alike).any(|candidate| candidate.actions == before.actions),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn statement(mut value: Value) -> Statement {
        if value.get("Resource").is_none() {
            value["Resource"] = json!("*");
        }
        Statement::parse(0, &value).unwrap()
    }

    /// S37: an allowing statement may only lose actions.
    #[test]
    fn an_allow_descends_only_where_it_can_only_mean_less() {
        let check = |after: Value, before: Value, expected: bool| {
            let text = format!("{after} from {before}");
            assert_eq!(allow_descends(&statement(after), &statement(before)), expected, "{text}");
        };
        let allow = |element: &str, actions: Value| json!({"Effect": "Allow", element: actions});
        check(allow("Action", json!(["S3:Get*", "s3:PutObject"])), allow("Action", json!("s3:*")), true);
        check(allow("Action", json!("s3:*")), allow("Action", json!("s3:Get*")), false);
        check(allow("NotAction", json!(["iam:*", "s3:*"])), allow("NotAction", json!("iam:*")), true);
        check(allow("NotAction", json!("iam:*")), allow("NotAction", json!(["iam:*", "s3:*"])), false);
        check(allow("Action", json!("s3:Get*")), allow("NotAction", json!("iam:*")), false);
        let mut scoped = allow("Action", json!("s3:*"));
        scoped["Condition"] = json!({"Bool": {"k": "true"}});
        check(allow("Action", json!("s3:*")), scoped, false);
    }

    /// S37: a deny may be split, not lost.
    #[test]
    fn a_deny_survives_whole_or_in_parts() {
        let deny = |element: &str, actions: Value| statement(json!({"Effect": "Deny", element: actions}));
        let (both, one, other) =
            (deny("Action", json!(["a:b", "c:*"])), deny("Action", json!("a:*")), deny("Action", json!("c:*")));
        assert!(deny_survives(&both, &[&one, &other]));
        assert!(!deny_survives(&both, &[&one]));
        let not = deny("NotAction", json!(["a:*"]));
        assert!(deny_survives(&not, &[&one, &not]));
        assert!(!deny_survives(&not, &[&deny("NotAction", json!(["a:*", "c:*"]))]));
    }
}
