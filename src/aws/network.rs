//! The network that an address lies in: coarse enough that a fleet's addresses fall together, fine enough to tell places
//! apart.

use std::net::IpAddr;

/// The first 24 bits of an IPv4 address, or the first 48 of an IPv6 address: the smallest nets that are announced on the
/// Internet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Network {
    /// Three octets.
    V4([u8; 3]),
    /// Six octets.
    V6([u8; 6]),
}

impl Network {
    /// The network of an address; `None` for the names of services that CloudTrail writes instead of one.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        Some(match address.parse().ok()? {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Self::V6([a, b, c, d, e, f])
            }
        })
    }

    /// The network whose text [`std::fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, _) = text.split_once('/')?;
        Self::of(address).filter(|network| network.to_string() == text)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::V4([a, b, c]) => write!(f, "{}/24", IpAddr::from([a, b, c, 0])),
            Self::V6([a, b, c, d, e, g]) => {
                write!(f, "{}/48", IpAddr::from([a, b, c, d, e, g, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network_and_services_have_none() {
        let text = |address: &str| Network::of(address).map(|network| network.to_string());
        assert_eq!(text("203.0.113.7").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(Network::of("203.0.113.7"), Network::of("203.0.113.250"));
        assert_eq!(text("2001:db8:aa:bb::1").as_deref(), Some("2001:db8:aa::/48"));
        for name in ["AWS Internal", "cloudformation.amazonaws.com", "", "203.0.113", "203.0.113.7/24"] {
            assert_eq!(text(name), None, "{name}");
        }
        for address in ["203.0.113.7", "2001:db8:aa:bb::1"] {
            let network = Network::of(address).unwrap();
            assert_eq!(Network::parse(&network.to_string()), Some(network));
        }
        assert_eq!(Network::parse("203.0.113.7/24"), None);
    }
}
