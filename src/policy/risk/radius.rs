//! The blast radius: one number for what the holder of a role, or of several, could do to us.
//!
//! docs/RISK.md explains the formula with an example. It only ever looks at what is granted, never at what was done, and a
//! permission less never makes it larger: each kind of danger is counted, and a count has only so many doublings.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reach::{Powers, Reach};
use crate::policy::danger::Danger;

/// A blast radius, from 0 to 100 with one decimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Radius(u32);

impl Radius {
    /// That of a holder who can do everything.
    pub const EVERYTHING: Self = Self(1_000);

    /// Of a number of tenths, up to everything.
    #[must_use]
    pub fn of_tenths(tenths: u32) -> Self {
        Self(tenths).min(Self::EVERYTHING)
    }
}

impl fmt::Display for Radius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, tenths) => write!(f, "{whole}.{tenths}"),
        }
    }
}

impl Serialize for Radius {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(10) {
            return serializer.serialize_u32(self.0 / 10);
        }
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Radius {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tenths = (f64::deserialize(from)? * 10.0).round();
        match (0.0..=f64::from(Self::EVERYTHING.0)).contains(&tenths) {
            true => Ok(Self(tenths as u32)),
            false => Err(D::Error::custom("a blast radius is a number from 0 to 100")),
        }
    }
}

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlastRadius {
    /// As the policies are.
    pub before: Radius,
    /// As they would be with all proposals applied.
    pub after: Radius,
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
    pub fn radius(&self) -> Radius {
        if self.everything {
            return Radius::EVERYTHING;
        }
        let points = self.by_danger.iter().zip(&SHARES);
        let thousandths: u64 = points
            .map(|(count, share)| u64::from(share.points) * doublings(*count).min(1_000 * u64::from(share.most)))
            .sum();
        Radius::of_tenths(u32::try_from(thousandths / 100).unwrap_or(u32::MAX))
    }
}

/// Thousandths of a step: none for 0, one step for 1, two for 2, three for 4, four for 8, evenly between.
fn doublings(count: u64) -> u64 {
    let Some(log) = count.checked_ilog2() else { return 0 };
    let whole = 1_u64 << log;
    1_000 * u64::from(log + 1) + 1_000 * (count - whole).min(1 << 50) / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_danger_has_its_share_once() {
        let dangers: std::collections::BTreeSet<Danger> = SHARES.iter().map(|share| share.danger).collect();
        assert_eq!(dangers.len(), SHARES.len());
        let most: u32 = SHARES.iter().map(|share| share.points * share.most).sum();
        assert_eq!(most, 99, "everything is more than all that can be counted");
    }

    #[test]
    fn each_doubling_adds_its_points_up_to_the_most() {
        let radius = |count| {
            let mut counts = Counts::default();
            counts.by_danger[0] = count;
            counts.radius()
        };
        let tenths = [0, 1, 2, 3, 4, 5, 8, u64::MAX].map(radius);
        assert_eq!(tenths, [0, 50, 100, 125, 150, 162, 200, 200].map(Radius::of_tenths));
        assert_eq!(Counts { everything: true, ..Counts::default() }.radius().to_string(), "100");
        assert_eq!(Radius::of_tenths(185).to_string(), "18.5");
        assert_eq!(serde_json::to_string(&[185, 180].map(Radius::of_tenths)).unwrap(), "[18.5,18]");
    }
}
