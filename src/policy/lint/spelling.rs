//! The known action that a misspelt one is likely to mean.
//!
//! Optimal string alignment: letters added, left out, replaced, or two neighbours swapped.

use super::Found;

/// Slips that a name may hold.
pub(in crate::policy) const SLIPS: usize = 2;
/// Bytes of the longest action that is compared; the longest known one has 71.
const ACTION_BYTES: usize = 100;
/// Actions of one document for which a better spelling is looked for.
const SUGGESTIONS: usize = 50;

/// The nearest action of the same service, if there is one within [`SLIPS`].
pub(super) fn nearest(action: &str, found: &mut Found<'_>) -> Option<String> {
    if action.len() > ACTION_BYTES || found.suggestions == SUGGESTIONS {
        return None;
    }
    found.suggestions += 1;
    let (service, _) = action.split_once(':')?;
    let wanted = action.to_ascii_lowercase();
    let near = |known: &str| Some(slips(&wanted, &known.to_ascii_lowercase())).filter(|slips| *slips <= SLIPS);
    let known = found.catalog.in_service(service).map(|info| info.action.as_str());
    known.filter_map(|known| Some((near(known)?, known))).min().map(|(_, known)| known.to_owned())
}

/// How many slips lie between two texts; more than [`SLIPS`] where their lengths say so already.
pub(in crate::policy) fn slips(one: &str, other: &str) -> usize {
    if one.len().abs_diff(other.len()) > SLIPS {
        return SLIPS + 1;
    }
    let other: Vec<u8> = other.bytes().collect();
    // The last two rows of the table: slips from what was read of `one` to each beginning of `other`.
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut last = None;
    for (line, byte) in one.bytes().enumerate() {
        let mut next = vec![line + 1];
        for (at, have) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (cell(&row, at) + usize::from(byte != *have)).min(cell(&row, at + 1) + 1);
            best = best.min(cell(&next, at) + 1);
            let swapped = at > 0 && last == Some(*have) && other.get(at - 1) == Some(&byte);
            if swapped {
                best = best.min(cell(&before, at - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(byte);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let check = |one: &str, other: &str, expected: usize| {
            assert_eq!((slips(one, other), slips(other, one)), (expected, expected), "{one} {other}");
        };
        check("", "", 0);
        check("get", "get", 0);
        check("gte", "get", 1);
        check("getobjekt", "getobject", 1);
        check("getobjects", "getobject", 1);
        check("gtobjekt", "getobject", 2);
        check("", "ab", 2);
        check("a", "abcd", 3);
    }
}
