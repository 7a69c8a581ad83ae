//! Names of known actions near one that is not known, for messages.

use super::catalog::Catalog;
use super::lint::spelling::{SLIPS, slips};

/// Names that a message holds.
const NAMES: usize = 3;
/// Characters that an action's name shares with another before that one is suggested.
const SHARED: usize = 4;
/// Bytes of the longest text that is compared; the longest known action has 71.
const TEXT_BYTES: usize = 100;

/// Up to three known actions, or service prefixes where the service is not known, that somebody may have meant.
#[must_use]
pub fn near_names(action: &str, catalog: &Catalog) -> Vec<String> {
    let wanted = action.to_ascii_lowercase();
    let Some((service, name)) = wanted.split_once(':').filter(|_| wanted.len() <= TEXT_BYTES) else {
        return Vec::new();
    };
    let known: Vec<String> = catalog.in_service(service).map(|info| info.action.as_str().to_owned()).collect();
    if known.is_empty() {
        let services = catalog.services().map(str::to_owned);
        return nearest(services.map(|known| (slips(service, &known), known)).filter(|(slips, _)| *slips <= SLIPS));
    }
    let misspelt = known.iter().map(|known| (slips(&wanted, &known.to_ascii_lowercase()), known.clone()));
    let found = nearest(misspelt.filter(|(slips, _)| *slips <= SLIPS));
    if !found.is_empty() {
        return found;
    }
    let shared = |known: &String| {
        let other = known.split_once(':').map_or("", |(_, name)| name).to_ascii_lowercase();
        name.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
    };
    // Those that begin alike for longest come first, and of these the shortest.
    let alike = known.iter().map(|known| (shared(known), known)).filter(|(shared, _)| *shared >= SHARED);
    nearest(alike.map(|(shared, known)| ((usize::MAX - shared, known.len()), known.clone())))
}

fn nearest<K: Ord>(names: impl Iterator<Item = (K, String)>) -> Vec<String> {
    let mut names: Vec<(K, String)> = names.collect();
    names.sort();
    names.into_iter().take(NAMES).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_suggested_by_spelling_then_by_beginning() {
        let near = |action: &str| near_names(action, Catalog::builtin());
        assert_eq!(near("ec2:DescribeInstancs")[0], "ec2:DescribeInstances");
        assert_eq!(near("ec3:DescribeInstances")[0], "ec2");
        assert!(near("ec2:DescribeInstancesInDetail").contains(&"ec2:DescribeInstances".to_owned()));
        assert_eq!(near("nothing"), [] as [&str; 0]);
        assert_eq!(near("ec2:Zzzzzz"), [] as [&str; 0]);
    }
}
