//! The blast radius: one number for what the holder of a role, or of several, could do to us.
//!
//! docs/RISK.md explains the formula with an example. It only ever looks at what is granted, never at what was done, and a
//! permission less never makes it larger: each kind of danger is counted, and a count has only so many doublings.

use serde::Serialize;

use super::reach::{Powers, Reach};
use crate::policy::danger::Danger;

/// The radius of a holder who can do everything.
pub const EVERYTHING: u32 = 100;

/// What a kind of danger adds for each doubling, and for how many doublings at most.
struct Share {
    danger: Danger,
    points: u32,
    most: u32,
}

const SHARES: [Share; 9] = [
    Share { danger: Danger::PrivilegeEscalation, points: 5, most: 4 },
    Share { danger: Danger::SecretsRead, points: 4, most: 4 },
    Share { danger: Danger::KeyUse, points: 3, most: 4 },
    Share { danger: Danger::DataRead, points: 2, most: 5 },
    Share { danger: Danger::PermissionsManagement, points: 2, most: 5 },
    Share { danger: Danger::CodeExecution, points: 2, most: 4 },
    Share { danger: Danger::Destruction, points: 1, most: 8 },
    Share { danger: Danger::DefenseEvasion, points: 1, most: 5 },
    Share { danger: Danger::Write, points: 1, most: 10 },
];

/// What a role's dangerous grants count, by kind of danger: two for one that reaches every resource, one for one that
/// reaches some, or may reach them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Whether the holder can do everything, or give itself the right to.
    pub everything: bool,
    by_danger: [u64; SHARES.len()],
}

/// A blast radius before and after the proposals, each from 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct BlastRadius {
    /// As the policies are.
    pub before: u32,
    /// As they would be with all proposals applied.
    pub after: u32,
}

impl Counts {
    /// Of one role; `everything` is what its escalation paths say.
    #[must_use]
    pub fn of(powers: &Powers<'_>, everything: bool) -> Self {
        let mut counts = Self { everything, ..Self::default() };
        // Nothing can be added to everything.
        if everything {
            return counts;
        }
        for grant in &powers.granted.grants {
            let Some(danger) = powers.catalog.danger(&grant.action) else { continue };
            let number = if powers.brief_reach_of(grant).reach == Reach::Every { 2 } else { 1 };
            for (count, share) in counts.by_danger.iter_mut().zip(&SHARES) {
                *count += if share.danger == danger { number } else { 0 };
            }
        }
        counts
    }

    /// Of several roles together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.everything |= other.everything;
        for (count, more) in self.by_danger.iter_mut().zip(other.by_danger) {
            *count += more;
        }
        self
    }

    /// The number.
    #[must_use]
    pub fn radius(&self) -> u32 {
        if self.everything {
            return EVERYTHING;
        }
        let points = self.by_danger.iter().zip(&SHARES).map(|(count, share)| {
            // 0 for none, 1 for one, 2 for two and three, 3 for four to seven, ...
            let doublings = count.checked_ilog2().map_or(0, |log| log + 1);
            share.points * doublings.min(share.most)
        });
        points.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_danger_has_its_share_once() {
        let dangers: std::collections::BTreeSet<Danger> = SHARES.iter().map(|share| share.danger).collect();
        assert_eq!(dangers.len(), SHARES.len());
        let most: u32 = SHARES.iter().map(|share| share.points * share.most).sum();
        assert_eq!(most, EVERYTHING - 1, "everything is more than all that can be counted");
    }

    #[test]
    fn each_doubling_adds_its_points_up_to_the_most() {
        let radius = |count| {
            let mut counts = Counts::default();
            counts.by_danger[0] = count;
            counts.radius()
        };
        assert_eq!([0, 1, 2, 3, 4, 8, 9_000].map(radius), [0, 5, 10, 10, 15, 20, 20]);
        assert_eq!(Counts { everything: true, ..Counts::default() }.radius(), 100);
    }
}
