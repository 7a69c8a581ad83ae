//! File names for roles and policies: readable, harmless on every file system, and never the same for two things.
//!
//! Names come from strangers (S43). A name made of the characters IAM allows stays as it is; any other is made harmless
//! and gets a digest of what it stands for. Of names that differ only in case, or not at all (a role created again), one
//! stays as it is and the others get their digest, because many file systems do not tell them apart.

use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::finding::assessment::{PolicyReport, RoleReport};

/// Longest name kept whole, in bytes; IAM's longest (policies) are 128, file systems allow 255 with all suffixes.
const LONGEST_BYTES: usize = 128;
/// What is kept of a longer name.
const CUT_BYTES: usize = 80;
/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 16;

/// Something to be named in one folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Among equal names the lowest keeps its plain form.
    pub rank: u8,
    /// What tells it from all others in the folder.
    pub key: String,
    /// The name that people know.
    pub name: String,
}

/// The folder of each role, in the order given: `roles/<account>/<role>`.
#[must_use]
pub fn role_folders(roles: &[RoleReport]) -> Vec<String> {
    let named = |role: &RoleReport| Named {
        rank: u8::from(!role.in_inventory),
        key: format!("{}\n{}", role.arn, role.role_id),
        name: role.name.clone(),
    };
    let mut by_account: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, role) in roles.iter().enumerate() {
        by_account.entry(role.account_id.as_str()).or_default().push(at);
    }
    let mut folders = vec![String::new(); roles.len()];
    for (account, members) in by_account {
        let items: Vec<Named> = members.iter().filter_map(|at| roles.get(*at)).map(named).collect();
        for (at, name) in members.into_iter().zip(safe_names(&items)) {
            if let Some(folder) = folders.get_mut(at) {
                *folder = format!("roles/{account}/{name}");
            }
        }
    }
    folders
}

/// The first part of the file names of each policy of a role, in the order given.
#[must_use]
pub fn policy_stems(policies: &[PolicyReport]) -> Vec<String> {
    let named = |policy: &PolicyReport| Named {
        rank: u8::from(policy.kind != "inline"),
        key: format!("{}\n{}\n{}", policy.kind, policy.arn.as_deref().unwrap_or_default(), policy.name),
        name: policy.name.clone(),
    };
    // The files of the trust policy have that name.
    let trust = Named { rank: 0, key: String::new(), name: "trust".to_owned() };
    let all: Vec<Named> = [trust].into_iter().chain(policies.iter().map(named)).collect();
    safe_names(&all).into_iter().skip(1).collect()
}

/// The path of a role's certificate.
#[must_use]
pub fn certificate(folder: &str) -> String {
    format!("{folder}/certificate.json")
}

/// A file name for each item, in the order given, all different also where case does not count.
#[must_use]
pub fn safe_names(items: &[Named]) -> Vec<String> {
    let mut order: Vec<(usize, &Named)> = items.iter().enumerate().collect();
    order.sort_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0)));
    let mut taken: HashSet<String> = HashSet::new();
    let mut copies: HashMap<&str, u32> = HashMap::new();
    let mut names = vec![String::new(); items.len()];
    for (at, item) in order {
        let (plain, altered) = harmless(&item.name);
        let copy = copies.entry(&item.key).and_modify(|copies| *copies += 1).or_default();
        let free = !altered && taken.insert(plain.to_ascii_lowercase());
        let name = if free { plain } else { format!("{plain}--{}", digest(&item.key, *copy)) };
        if let Some(slot) = names.get_mut(at) {
            *slot = name;
        }
    }
    names
}

/// The name in harmless characters, and whether it had to be altered.
fn harmless(name: &str) -> (String, bool) {
    let keep = |c: char| c.is_ascii_alphanumeric() || "+=,@_-.".contains(c);
    let mut safe: String = name.chars().map(|c| if keep(c) { c } else { '_' }).collect();
    if safe.len() > LONGEST_BYTES {
        safe.truncate(CUT_BYTES);
    }
    if safe.is_empty() || safe.starts_with(['.', '-']) || is_device(&safe) {
        safe.insert(0, '_');
    }
    if safe.ends_with('.') {
        safe.push('_');
    }
    let altered = safe != name || ends_in_digest(name);
    (safe, altered)
}

/// Whether Windows takes the name for a device, with or without an extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |prefix: &str| stem.strip_prefix(prefix).is_some_and(|n| n.len() == 1 && n != "0");
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// Whether a plain name looks like one that got a digest.
fn ends_in_digest(name: &str) -> bool {
    name.rsplit_once("--")
        .is_some_and(|(_, tail)| tail.len() == DIGEST_DIGITS && tail.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn digest(key: &str, copy: u32) -> String {
    let mut hasher = Sha256::new();
    hasher.update(key.as_bytes());
    hasher.update(copy.to_be_bytes());
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(DIGEST_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        let item = |name: &&str| Named { rank: 0, key: (*name).to_owned(), name: (*name).to_owned() };
        safe_names(&of.iter().map(item).collect::<Vec<_>>())
    }

    #[test]
    fn names_that_iam_allows_stay() {
        let plain = ["DatadogIntegrationRole", "a+b=c,d.e@f_g-h", "AWSReservedSSO_x_0123"];
        assert_eq!(names(&plain), plain);
    }

    /// S43: names that mean something to a file system, a shell or Windows are altered.
    #[test]
    fn hostile_names_become_harmless() {
        let long = "x".repeat(500);
        for hostile in
            [".", "..", "", "-rf", "../../etc/passwd", "a/b", "a\\b", "a\0b\n", "NUL", "com1.txt", "end.", "é", &long]
        {
            let name = names(&[hostile]).remove(0);
            assert!(name.len() <= LONGEST_BYTES + 2 + DIGEST_DIGITS, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,@_-.".contains(&b)), "{name}");
            assert!(!name.starts_with(['.', '-']) && !name.ends_with('.') && !is_device(&name), "{name}");
            assert!(ends_in_digest(&name), "{name}");
        }
    }

    /// S43: what differs only in case, or looks like an altered name, does not collide.
    #[test]
    fn one_of_several_equal_names_stays_plain() {
        let both = names(&["audit", "Audit"]);
        assert_eq!(both[1], "Audit");
        assert!(both[0].starts_with("audit--"));
        let altered = names(&["a/b"]).remove(0);
        assert_ne!(names(&["a/b", &altered])[1], altered);
    }

    proptest! {
        /// S43: two different things never share a name, whatever the case or order.
        #[test]
        fn names_never_collide(texts in prop::collection::vec("(\\PC|[aA./_-]){0,4}", 0..40)) {
            let items: Vec<Named> = texts.iter().enumerate()
                .map(|(at, text)| Named { rank: 0, key: format!("{at}"), name: text.clone() }).collect();
            let safe = safe_names(&items);
            let folded: HashSet<String> = safe.iter().map(|name| name.to_ascii_lowercase()).collect();
            prop_assert_eq!(folded.len(), items.len());
            let mut turned = items.clone();
            turned.reverse();
            let mut again = safe_names(&turned);
            again.reverse();
            prop_assert_eq!(safe, again);
        }
    }
}
