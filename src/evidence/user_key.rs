//! What the records show of the keys of IAM users, and of root users: when each was used, and from which networks.
//!
//! Kept of every user, whoever it belongs to: there are few of them, and which are a third party's is not known yet (S16).

use std::collections::BTreeMap;

use crate::aws::Network;

use super::limits;
use super::names::{Name, Translation};
use super::session::Span;

/// One access key of one user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UserKey {
    /// The user's ARN, or that of an account's root.
    pub user: Name,
    /// `AKIA...`; empty for temporary credentials, the console, and records that do not tell.
    pub key: Name,
}

impl UserKey {
    /// The same key in the names of another evidence.
    #[must_use]
    pub fn translated(self, translate: &mut Translation<'_>) -> Self {
        Self { user: translate.of(self.user), key: translate.of(self.key) }
    }
}

/// How a key was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUse {
    /// First and last record.
    pub active: Span,
    /// First and last record from each network; the smallest, up to a limit.
    pub networks: BTreeMap<Network, Span>,
    /// Whether there were more networks.
    pub more_networks: bool,
}

impl KeyUse {
    /// A use at some time from somewhere.
    #[must_use]
    pub fn at(active: Span, network: Option<Network>) -> Self {
        let networks = network.map(|network| (network, active)).into_iter().collect();
        Self { active, networks, more_networks: false }
    }

    /// Adds another use.
    pub fn note(&mut self, span: Span, network: Option<Network>) {
        self.active = self.active.and(span);
        let Some(network) = network else { return };
        let known = self.networks.entry(network).or_insert(span);
        *known = known.and(span);
        self.limit();
    }

    /// Adds what another evidence shows of the same key.
    pub fn merge(&mut self, other: &Self) {
        self.active = self.active.and(other.active);
        self.more_networks |= other.more_networks;
        for (network, span) in &other.networks {
            let known = self.networks.entry(*network).or_insert(*span);
            *known = known.and(*span);
        }
        self.limit();
    }

    /// What is let go is larger than all that is kept, so it can never come back: the limit depends on no order.
    fn limit(&mut self) {
        while self.networks.len() > limits::KEY_NETWORKS {
            self.networks.pop_last();
            self.more_networks = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::Time;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    proptest! {
        /// S44: which networks stay, and since when each was seen, depends on no order.
        #[test]
        fn order_and_grouping_do_not_matter(uses in prop::collection::vec((0_u8..90, 0_i64..1000), 1..200), cut in 1_usize..200) {
            let cut = cut.min(uses.len());
            let fold = |uses: &[(u8, i64)]| {
                let moment = |at: i64| Span::at(Time::UNIX_EPOCH + TimeDelta::seconds(at));
                let network = |net: u8| Some(Network::V4([10, 0, net]));
                let mut all: Option<KeyUse> = None;
                for (net, at) in uses {
                    match &mut all {
                        Some(known) => known.note(moment(*at), network(*net)),
                        None => all = Some(KeyUse::at(moment(*at), network(*net))),
                    }
                }
                all
            };
            let whole = fold(&uses).unwrap();
            let mut parts = fold(&uses[..cut]).unwrap();
            if let Some(rest) = fold(&uses[cut..]) {
                parts.merge(&rest);
            }
            prop_assert_eq!(&parts, &whole);
            parts.merge(&whole);
            prop_assert_eq!(parts, whole);
        }
    }
}
