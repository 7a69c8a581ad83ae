//! Which parties of a report somebody means: by id, or by name, which several parties may share.

use super::read::PartyRead;

/// Parties that a message holds.
const NEAR: usize = 8;
/// Bytes of the longest name that is compared by its letters.
const NAME_BYTES: usize = 200;

/// Nobody has that id or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nobody {
    /// Parties near it, the nearest first, as `name (id)`.
    pub near: Vec<String>,
    /// How many more are as near.
    pub more: usize,
}

/// The party with that id, or all that have that name; letters' case does not count.
///
/// # Errors
/// [`Nobody`]: a part of a name is not enough, because in a breach the wrong party is worse than a second try.
pub fn meant<'a>(parties: &'a [PartyRead], wanted: &str) -> Result<Vec<&'a PartyRead>, Nobody> {
    let folded = wanted.trim().to_lowercase();
    let by_id: Vec<&PartyRead> = parties.iter().filter(|party| party.id.to_lowercase() == folded).collect();
    if !by_id.is_empty() {
        return Ok(by_id);
    }
    let by_name: Vec<&PartyRead> = parties.iter().filter(|party| party.name.to_lowercase() == folded).collect();
    if by_name.is_empty() { Err(nobody(parties, &folded)) } else { Ok(by_name) }
}

fn nobody(parties: &[PartyRead], folded: &str) -> Nobody {
    let mut near: Vec<(usize, String)> = parties
        .iter()
        .filter_map(|party| {
            let nearest = nearness(&party.name.to_lowercase(), folded).min(nearness(&party.id.to_lowercase(), folded));
            (nearest < usize::MAX).then(|| (nearest, format!("{} ({})", party.name, party.id)))
        })
        .collect();
    near.sort();
    let more = near.len().saturating_sub(NEAR);
    Nobody { near: near.into_iter().take(NEAR).map(|(_, shown)| shown).collect(), more }
}

/// 0 where one holds the other, else the letters in which they differ, up to a third of them.
fn nearness(known: &str, wanted: &str) -> usize {
    if wanted.is_empty() || known.is_empty() || wanted.len() > NAME_BYTES || known.len() > NAME_BYTES {
        return usize::MAX;
    }
    if known.contains(wanted) || wanted.contains(known) {
        return 0;
    }
    let differences = distance(known, wanted);
    if differences * 3 <= wanted.chars().count() { differences } else { usize::MAX }
}

/// Letters to change, add or take away.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(a != *b);
            left = cost.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(id: &str, name: &str) -> PartyRead {
        PartyRead {
            id: id.into(),
            kind: "vendor".into(),
            name: name.into(),
            channels: vec![],
            roles: vec![],
            sessions: 0,
            calls: 0,
        }
    }

    #[test]
    fn an_id_means_one_party_and_a_name_all_that_have_it() {
        let parties =
            [party("1", "Datadog"), party("2", "datadog"), party("3", "Zesty"), party("4", "unknown account 4")];
        let ids = |wanted: &str| -> Vec<String> {
            meant(&parties, wanted).unwrap().iter().map(|party| party.id.clone()).collect()
        };
        assert_eq!(ids("DataDog "), ["1", "2"]);
        assert_eq!(ids("2"), ["2"]);
        assert_eq!(ids("unknown account 4"), ["4"]);
    }

    #[test]
    fn nobody_is_told_with_those_near() {
        let parties = [party("111", "Datadog"), party("222", "Datadog EU"), party("333", "Zesty")];
        let near = |wanted: &str| meant(&parties, wanted).unwrap_err().near;
        assert_eq!(near("data"), ["Datadog (111)", "Datadog EU (222)"]);
        assert_eq!(near("Zetsy"), [] as [&str; 0]);
        assert_eq!(near("Zestyy"), ["Zesty (333)"]);
        assert_eq!(near("Daatdog"), ["Datadog (111)"]);
        assert_eq!(near(""), [] as [&str; 0]);
    }

    #[test]
    fn letters_that_differ_are_counted() {
        for (one, other, expected) in [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 2)] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
