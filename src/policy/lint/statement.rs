//! Rules about one statement: its keys, effect and actions; conditions, resources and principals have files of their own.
//!
//! Sources: IAM User Guide, "Effect", "Action", "NotAction", "Resource", "NotResource", "NotPrincipal", "Sid".

use super::document::{Kind, unknown_keys};
use super::{Found, arn, condition, quoted, rules, spelling, strings};
use crate::policy::action_index::is_wild;
use crate::policy::located::{Member, Node, Shape};

/// The keys of a statement.
const KEYS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
/// Elements of which a statement may have one.
const EITHER: [(&str, &str); 3] = [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")];

/// The strings of an element, with their places.
pub(super) fn texts_of<'n>(statement: &'n Node, key: &str) -> impl Iterator<Item = (usize, &'n str)> {
    let items = statement.member(key).map_or(&[][..], |member| member.value.items());
    items.iter().filter_map(|item| Some((item.at, item.text()?)))
}

pub(super) fn check(node: &Node, kind: Kind, found: &mut Found<'_>) {
    let Shape::Object(members) = &node.shape else {
        return found.add(&rules::NOT_A_POLICY, node.at, "statement is not an object");
    };
    unknown_keys(members, &KEYS, "a statement", found);
    for (one, other) in EITHER {
        if let (Some(one), Some(other)) = (node.member(one), node.member(other)) {
            let message = format!("has both `{}` and `{}`", one.key, other.key);
            found.add(&rules::BOTH_ELEMENTS, one.at.max(other.at), message);
        }
    }
    check_sid(node, kind, found);
    check_effect(node, found);
    check_actions(node, found);
    check_resources(node, kind, found);
    for element in ["Principal", "NotPrincipal"] {
        if let Some(member) = node.member(element) {
            arn::check_principals(member, found);
        }
    }
    condition::check(node, found);
    if node.member("Effect").and_then(|effect| effect.value.text()) == Some("Allow") {
        all_but(node, found);
    }
}

/// Services with policies of their own, such as S3 and SNS, are less strict than IAM.
fn check_sid(node: &Node, kind: Kind, found: &mut Found<'_>) {
    let Some(Member { value, .. }) = node.member("Sid") else { return };
    match value.text() {
        None => found.add(&rules::WRONG_TYPE, value.at, "`Sid` is not a string"),
        Some(sid) if kind == Kind::Identity && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let message = format!("the Sid {} holds a character that is no letter or digit", quoted(sid));
            found.add(&rules::BAD_SID, value.at, message);
        }
        Some(_) => {}
    }
}

fn check_effect(node: &Node, found: &mut Found<'_>) {
    let Some(Member { value, .. }) = node.member("Effect") else {
        return found.add(&rules::BAD_EFFECT, node.at, "there is no `Effect`");
    };
    let message = match value.text() {
        Some("Allow" | "Deny") => return,
        Some(text) if ["allow", "deny"].contains(&text.to_ascii_lowercase().as_str()) => {
            format!("`Effect` is {}, whose case matters", quoted(text))
        }
        _ => "`Effect` is neither `Allow` nor `Deny`".to_owned(),
    };
    found.add(&rules::BAD_EFFECT, value.at, message);
}

fn check_actions(node: &Node, found: &mut Found<'_>) {
    if node.member("Action").or_else(|| node.member("NotAction")).is_none() {
        found.add(&rules::MISSING_ACTION, node.at, "there is neither `Action` nor `NotAction`");
    }
    for element in ["Action", "NotAction"] {
        let Some(Member { value, .. }) = node.member(element) else { continue };
        for (at, pattern) in strings(element, value, found) {
            check_action(at, pattern, found);
        }
    }
}

fn check_action(at: usize, pattern: &str, found: &mut Found<'_>) {
    if pattern == "*" {
        return;
    }
    let Some((service, name)) = pattern.split_once(':') else {
        return found.add(&rules::ACTION_WITHOUT_COLON, at, format!("the action {} has no colon", quoted(pattern)));
    };
    if is_wild(service) && pattern != "*:*" {
        let message = format!("the action {} has a wildcard in its service prefix", quoted(pattern));
        found.add(&rules::WILDCARD_SERVICE_PREFIX, at, message);
    }
    if found.catalog.index().matching(pattern).next().is_some() {
        return;
    }
    let known = is_wild(service) || found.catalog.index().matching(&format!("{service}:*")).next().is_some();
    let why = match known {
        true if name.is_empty() => ": it names a service and no action".to_owned(),
        true => spelling::nearest(pattern, found).map(|action| format!("; `{action}` is near")).unwrap_or_default(),
        false => format!(": no service has the prefix {}", quoted(service)),
    };
    found.add(&rules::UNKNOWN_ACTION, at, format!("{} matches no known action{why}", quoted(pattern)));
}

fn check_resources(node: &Node, kind: Kind, found: &mut Found<'_>) {
    if kind == Kind::Identity && node.member("Resource").or_else(|| node.member("NotResource")).is_none() {
        found.add(&rules::MISSING_RESOURCE, node.at, "there is neither `Resource` nor `NotResource`");
    }
    for element in ["Resource", "NotResource"] {
        let Some(Member { value, .. }) = node.member(element) else { continue };
        for (at, resource) in strings(element, value, found) {
            if resource != "*" {
                arn::check(at, resource, found);
            }
        }
    }
}

/// `Not...` elements that allow whatever they do not name.
fn all_but(node: &Node, found: &mut Found<'_>) {
    for (element, rule) in [
        ("NotAction", &rules::NOT_ACTION_ALLOW),
        ("NotResource", &rules::NOT_RESOURCE_ALLOW),
        ("NotPrincipal", &rules::NOT_PRINCIPAL_ALLOW),
    ] {
        if let Some(member) = node.member(element) {
            found.add(rule, member.at, format!("`{element}` with `Allow`"));
        }
    }
}
