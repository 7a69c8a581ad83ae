//! Rules about conditions: operators that exist, and values that they can compare with.
//!
//! Sources: IAM User Guide, "Condition operators" and "Single-valued vs. multivalued context keys".

use super::{Found, Rule, quoted, rules, without_variables};
use crate::policy::action_index::is_wild;
use crate::policy::condition::Operand;
use crate::policy::located::{Member, Node, Shape};

pub(super) fn check(statement: &Node, found: &mut Found<'_>) {
    let Some(condition) = statement.member("Condition") else { return };
    let Shape::Object(operators) = &condition.value.shape else {
        return found.add(&rules::WRONG_TYPE, condition.value.at, "`Condition` is not an object");
    };
    let allows = statement.member("Effect").and_then(|effect| effect.value.text()) == Some("Allow");
    for operator in operators {
        let operand = Operand::of(&operator.key);
        if operand.is_none() {
            let message = match operator.key.to_ascii_lowercase().as_str() {
                "nullifexists" => "`Null` takes no `IfExists`: it asks itself whether the key is there".to_owned(),
                _ => format!("{} is no condition operator", quoted(&operator.key)),
            };
            found.add(&rules::UNKNOWN_OPERATOR, operator.at, message);
        }
        let Shape::Object(keys) = &operator.value.shape else {
            let message = format!("the condition {} is not an object", quoted(&operator.key));
            found.add(&rules::WRONG_TYPE, operator.value.at, message);
            continue;
        };
        for key in keys {
            check_values(operand, key, found);
            if allows && passes_without_key(&operator.key) && !is_demanded(operators, &key.key) {
                let message = format!("{} lets requests without {} pass", quoted(&operator.key), quoted(&key.key));
                found.add(&rules::FOR_ALL_VALUES_ALLOW, key.at, message);
            }
        }
    }
}

/// `ForAllValues` holds for a request that does not have the key.
fn passes_without_key(operator: &str) -> bool {
    operator.to_ascii_lowercase().starts_with("forallvalues:")
}

/// Whether `Null` asks for the key beside it.
fn is_demanded(operators: &[Member], key: &str) -> bool {
    let nulls = operators.iter().filter(|operator| operator.key.eq_ignore_ascii_case("Null"));
    nulls.flat_map(|null| null.value.members()).any(|member| {
        let wanted = member.value.items().iter().map(|item| match &item.shape {
            Shape::Text(text) | Shape::Bare(text) => text.eq_ignore_ascii_case("false"),
            Shape::List(_) | Shape::Object(_) => false,
        });
        member.key.eq_ignore_ascii_case(key) && wanted.min() == Some(true)
    })
}

fn check_values(operand: Option<Operand>, key: &Member, found: &mut Found<'_>) {
    if key.value.items().is_empty() {
        found.add(&rules::EMPTY_LIST, key.value.at, format!("the condition on {} has no value", quoted(&key.key)));
    }
    for item in key.value.items() {
        match (&item.shape, operand) {
            (Shape::Bare(text), _) if text == "null" => wrong_type(item, key, found),
            (Shape::Text(text) | Shape::Bare(text), Some(operand)) => check_value(operand, item.at, text, found),
            (Shape::Text(_) | Shape::Bare(_), None) => {}
            (Shape::List(_) | Shape::Object(_), _) => wrong_type(item, key, found),
        }
    }
}

fn wrong_type(item: &Node, key: &Member, found: &mut Found<'_>) {
    let message = format!("the condition on {} has a value that is no string, number or truth value", quoted(&key.key));
    found.add(&rules::WRONG_TYPE, item.at, message);
}

fn check_value(operand: Operand, at: usize, text: &str, found: &mut Found<'_>) {
    let wrong: Option<(&'static Rule, &str)> = match operand {
        Operand::Text if is_wild(&without_variables(text)) => {
            Some((&rules::WILDCARD_WITHOUT_LIKE, "is compared as it is, wildcards too"))
        }
        _ if operand.accepts(text) => None,
        Operand::Number => Some((&rules::NOT_A_NUMBER, "is no number")),
        Operand::Date => Some((&rules::NOT_A_DATE, "is no date")),
        Operand::Network => Some((&rules::NOT_A_NETWORK, "is no address or range of addresses")),
        Operand::Flag => Some((&rules::NOT_A_BOOL, "is neither `true` nor `false`")),
        Operand::Text | Operand::Any => None,
    };
    if let Some((rule, what)) = wrong {
        found.add(rule, at, format!("{} {what}", quoted(text)));
    }
}
