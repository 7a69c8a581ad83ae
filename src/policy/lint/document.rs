//! Rules about the document as a whole: its keys, version, kind, size, and its statements beside each other.
//!
//! Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "Version", "Sid", "IAM and AWS STS quotas".

use std::collections::{BTreeMap, BTreeSet};

use super::statement::{self, texts_of};
use super::{Found, clipped, quoted, rules};
use crate::policy::document::size_characters;
use crate::policy::located::{Member, Node, Shape};
use crate::policy::size::{INLINE_CHARACTERS, MANAGED_CHARACTERS, TRUST_CHARACTERS};

/// The keys of a document.
const KEYS: [&str; 3] = ["Version", "Id", "Statement"];
/// The quota of a trust policy that AWS grants on request.
const TRUST_CHARACTERS_ON_REQUEST: usize = 4_096;

/// What a document can be attached to, as far as it can be told from its statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// To users, groups and roles: no statement names a principal.
    Identity,
    /// To a role, as its trust policy: principals, and actions of STS only.
    Trust,
    /// To some other resource.
    Resource,
}

pub(super) fn check(root: &Node, text: &str, found: &mut Found<'_>) {
    let Shape::Object(members) = &root.shape else {
        return found.add(&rules::NOT_A_POLICY, root.at, "policy is not a JSON object");
    };
    duplicate_keys(root, found);
    unknown_keys(members, &KEYS, "a document", found);
    check_version(root, text, found);
    let Some(statements) = statements_of(root, found) else { return };
    let kind = Kind::of(statements);
    check_kind(kind, statements, found);
    check_size(kind, root, text, found);
    for (number, node) in (1..).zip(statements) {
        found.statement = Some(label(number, node));
        statement::check(node, kind, found);
    }
    repeated_statements(statements, found);
    found.statement = None;
}

/// The `Sid`, or `#1` for the first statement.
fn label(number: usize, statement: &Node) -> String {
    let sid = statement.member("Sid").and_then(|member| member.value.text()).filter(|sid| !sid.is_empty());
    sid.map_or_else(|| format!("#{number}"), clipped)
}

fn statements_of<'n>(root: &'n Node, found: &mut Found<'_>) -> Option<&'n [Node]> {
    let Some(member) = root.member("Statement") else {
        found.add(&rules::NOT_A_POLICY, root.at, "policy has no `Statement`");
        return None;
    };
    let value = &member.value;
    match &value.shape {
        Shape::Object(_) => {}
        Shape::List(items) if items.is_empty() => found.add(&rules::EMPTY_LIST, value.at, "`Statement` is empty"),
        Shape::List(_) => {}
        Shape::Text(_) | Shape::Bare(_) => {
            found.add(&rules::NOT_A_POLICY, value.at, "`Statement` is neither an object nor a list");
            return None;
        }
    }
    Some(value.items())
}

/// Of every object in the document. Depth is limited by [`crate::policy::located::DEPTH`].
fn duplicate_keys(node: &Node, found: &mut Found<'_>) {
    let mut seen = BTreeSet::new();
    for member in node.members() {
        if !seen.insert(member.key.as_str()) {
            found.add(&rules::DUPLICATE_KEY, member.at, format!("key {} occurs twice", quoted(&member.key)));
        }
        duplicate_keys(&member.value, found);
    }
    if let Shape::List(items) = &node.shape {
        items.iter().for_each(|item| duplicate_keys(item, found));
    }
}

pub(super) fn unknown_keys(members: &[Member], known: &[&str], of: &str, found: &mut Found<'_>) {
    for member in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
        let meant = known.iter().find(|key| key.eq_ignore_ascii_case(&member.key));
        let meant = meant.map(|key| format!("; `{key}` is meant")).unwrap_or_default();
        found.add(&rules::UNKNOWN_KEY, member.at, format!("{} is no key of {of}{meant}", quoted(&member.key)));
    }
}

fn check_version(root: &Node, text: &str, found: &mut Found<'_>) {
    let version = root.member("Version").map(|member| &member.value);
    match version.map(|value| (value.at, value.text())) {
        None => found.add(&rules::MISSING_VERSION, root.at, "there is no `Version`"),
        Some((_, Some("2012-10-17"))) => return,
        Some((at, Some("2008-10-17"))) => found.add(&rules::OLD_VERSION, at, "`Version` is that of 2008"),
        Some((at, _)) => {
            return found.add(&rules::UNKNOWN_VERSION, at, "`Version` is neither `2012-10-17` nor `2008-10-17`");
        }
    }
    if let Some(at) = text.find("${") {
        found.add(&rules::VARIABLE_IN_OLD_VERSION, at, "a policy variable in a document of the version of 2008");
    }
}

impl Kind {
    fn of(statements: &[Node]) -> Self {
        if !statements.iter().any(|statement| principal(statement).is_some()) {
            return Self::Identity;
        }
        let of_sts = |action: &str| action.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sts:"));
        let all_of_sts = |statement: &Node| texts_of(statement, "Action").all(|(_, action)| of_sts(action));
        if statements.iter().all(all_of_sts) { Self::Trust } else { Self::Resource }
    }
}

fn principal(statement: &Node) -> Option<&Member> {
    statement.member("Principal").or_else(|| statement.member("NotPrincipal"))
}

fn check_kind(kind: Kind, statements: &[Node], found: &mut Found<'_>) {
    let what = match kind {
        Kind::Identity => return,
        Kind::Trust => "names principals: read as a trust policy",
        Kind::Resource => "names principals: read as the policy of a resource, not of a role or user",
    };
    if let Some(first) = statements.iter().find_map(principal) {
        found.add(&rules::RESOURCE_POLICY, first.at, what);
    }
    for (number, node) in (1..).zip(statements).filter(|(_, node)| principal(node).is_none()) {
        found.statement = Some(label(number, node));
        found.add(&rules::MISSING_PRINCIPAL, node.at, "names no principal, as other statements of the document do");
    }
    found.statement = None;
}

/// S36: white space is not counted. Other resources have limits of their own (an S3 bucket's policy 20 KB).
fn check_size(kind: Kind, root: &Node, text: &str, found: &mut Found<'_>) {
    let size = serde_json::from_str(text).map_or(0, |document| size_characters(&document));
    let (most, rule, usual) = match kind {
        Kind::Identity => (INLINE_CHARACTERS, &rules::TOO_LARGE_FOR_MANAGED, MANAGED_CHARACTERS),
        Kind::Trust => (TRUST_CHARACTERS_ON_REQUEST, &rules::TOO_LARGE_FOR_TRUST, TRUST_CHARACTERS),
        Kind::Resource => return,
    };
    let (rule, limit) = if size > most { (&rules::TOO_LARGE, most) } else { (rule, usual) };
    if size > limit {
        found.add(rule, root.at, format!("{size} characters without white space, where {limit} are allowed"));
    }
}

/// Equal Sids, and statements that say what an earlier one says.
fn repeated_statements(statements: &[Node], found: &mut Found<'_>) {
    let (mut sids, mut meanings) = (BTreeSet::new(), BTreeMap::new());
    for (number, node) in (1..).zip(statements) {
        let name = label(number, node);
        found.statement = Some(name.clone());
        if let Some(member) = node.member("Sid")
            && member.value.text().is_some_and(|sid| !sid.is_empty() && !sids.insert(sid))
        {
            found.add(
                &rules::DUPLICATE_SID,
                member.value.at,
                format!("an earlier statement has the Sid {}", quoted(&name)),
            );
        }
        if let Some(first) = meanings.insert(meaning(node, false), number) {
            found.add(&rules::REPEATED_STATEMENT, node.at, format!("says what statement {first} says"));
        }
    }
}

/// A text that is equal for statements that are equal but for their Sids, order, and the case of actions.
fn meaning(node: &Node, fold_case: bool) -> String {
    let joined = |mut parts: Vec<String>| {
        parts.sort();
        parts.dedup();
        parts.join(",")
    };
    match &node.shape {
        Shape::Bare(text) => text.clone(),
        Shape::Text(text) if fold_case => format!("{:?}", text.to_ascii_lowercase()),
        Shape::Text(text) => format!("{text:?}"),
        Shape::List(items) => joined(items.iter().map(|item| meaning(item, fold_case)).collect()),
        Shape::Object(members) => {
            let part = |member: &Member| {
                let fold_case = matches!(member.key.as_str(), "Action" | "NotAction");
                format!("{:?}:[{}]", member.key, meaning(&member.value, fold_case))
            };
            format!("{{{}}}", joined(members.iter().filter(|member| member.key != "Sid").map(part).collect()))
        }
    }
}
