//! Rules about ARNs and principals.
//!
//! Sources: IAM User Guide, "Resource" (wildcards in ARNs), "Principal"; AWS General Reference, "Amazon Resource Names".

use super::document::unknown_keys;
use super::{Found, quoted, rules, strings, without_variables};
use crate::aws::AccountId;
use crate::policy::action_index::is_wild;
use crate::policy::located::{Member, Shape};

/// AWS partitions that are publicly known.
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];
/// The kinds of principals.
const KINDS: [&str; 4] = ["AWS", "Federated", "Service", "CanonicalUser"];
/// Hex digits of a canonical user id.
const CANONICAL_CHARACTERS: usize = 64;
/// Characters of the shortest unique id, such as that of a deleted role.
const UNIQUE_ID_CHARACTERS: usize = 16;

/// Checks what should be an ARN; a policy variable may stand for any part of a segment, but not for the colons.
pub(super) fn check(at: usize, text: &str, found: &mut Found<'_>) {
    let bare = without_variables(text);
    let segments: Vec<&str> = bare.splitn(6, ':').collect();
    let malformed = |why: &str| format!("{} is no ARN: {why}", quoted(text));
    match segments.as_slice() {
        ["arn", "", ..] | ["arn", _, "", ..] => {
            found.add(&rules::MALFORMED_ARN, at, malformed("its partition or service is empty"));
        }
        ["arn", partition, service, _, account, resource] => {
            check_segments(at, text, [partition, service, account], found);
            if resource.is_empty() {
                found.add(&rules::MALFORMED_ARN, at, malformed("its resource is empty"));
            }
        }
        // A star that ends a segment goes on beyond the colon.
        ["arn", _, _, ..] if segments.iter().skip(2).any(|segment| segment.ends_with('*')) => {
            found.add(&rules::SHORT_ARN, at, format!("{} has {} of six segments", quoted(text), segments.len()));
        }
        ["arn", ..] => {
            let why = format!("it has {} of six segments", segments.len());
            found.add(&rules::MALFORMED_ARN, at, malformed(&why));
        }
        _ => found.add(&rules::MALFORMED_ARN, at, malformed("it does not begin with `arn:`")),
    }
}

fn check_segments(at: usize, text: &str, [partition, service, account]: [&str; 3], found: &mut Found<'_>) {
    let open = |segment: &str| is_wild(segment) || segment.contains('$');
    if !open(partition) && !PARTITIONS.contains(&partition) {
        let message = format!("the partition {} in {} is not known", quoted(partition), quoted(text));
        found.add(&rules::UNKNOWN_PARTITION, at, message);
    }
    if is_wild(service) {
        found.add(&rules::WILDCARD_SERVICE, at, format!("the service segment of {} holds a wildcard", quoted(text)));
    }
    // Some services write names there (`aws`, `cloudfront`), but never a shorter number.
    let digits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    if digits && AccountId::parse(account).is_none() {
        let message = format!("the account {} in {} has not twelve digits", quoted(account), quoted(text));
        found.add(&rules::BAD_ACCOUNT, at, message);
    }
}

/// Checks a `Principal` or `NotPrincipal`.
pub(super) fn check_principals(element: &Member, found: &mut Found<'_>) {
    let kinds = match &element.value.shape {
        Shape::Text(text) if text == "*" => return,
        Shape::Object(kinds) => kinds,
        _ => {
            let message = format!("`{}` is neither `\"*\"` nor an object", element.key);
            return found.add(&rules::WRONG_TYPE, element.value.at, message);
        }
    };
    unknown_keys(kinds, &KINDS, "a principal", found);
    for Member { key, value, .. } in kinds {
        for (at, name) in strings(key, value, found) {
            check_principal(key, at, name, found);
        }
    }
}

fn check_principal(kind: &str, at: usize, name: &str, found: &mut Found<'_>) {
    let is_arn = name.starts_with("arn:");
    let fits = match kind {
        "AWS" | "Federated" if is_arn => {
            if is_wild(name) {
                let message = format!("a wildcard in the principal {} matches nothing", quoted(name));
                found.add(&rules::WILDCARD_PRINCIPAL, at, message);
            }
            return check(at, name, found);
        }
        "AWS" => name == "*" || AccountId::parse(name).is_some() || is_unique_id(name),
        "Federated" => !name.is_empty() && !name.contains(char::is_whitespace),
        "Service" => name.contains('.') && !is_wild(name) && !name.contains([':', '/', ' ']),
        "CanonicalUser" => name.len() == CANONICAL_CHARACTERS && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => true,
    };
    if !fits {
        found.add(&rules::MALFORMED_PRINCIPAL, at, format!("{} is no principal of the kind `{kind}`", quoted(name)));
    }
}

/// What IAM shows for a principal that was deleted: `AROA...`, `AIDA...`.
fn is_unique_id(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    name.len() >= UNIQUE_ID_CHARACTERS && name.starts_with('A') && plain
}
