//! Networks by their prefix: which of them an address is of.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// A network: an address of zeros behind its prefix, and how many bits the prefix has (RFC 4632, 3.1; RFC 4291, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// Why a text is no network by which hosts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// Nothing behind a `/`.
    #[error("it does not say how long its prefix is")]
    NoPrefix,
    /// No address.
    #[error("its address is none")]
    Address,
    /// A prefix longer than an address.
    #[error("its prefix is a number from 0 to {most}")]
    Bits {
        /// How many bits an address has.
        most: u8,
    },
    /// An address within a network.
    #[error("there are ones behind its prefix")]
    Within {
        /// The network that it is within.
        network: Network,
    },
    /// Only loopback addresses, which every machine has.
    #[error("every machine has loopback addresses, so they don't tell where one is")]
    Loopback,
    /// Only link-local addresses of version 6, which every machine has.
    #[error("every machine has link-local addresses, so they don't tell where one is")]
    LinkLocal,
}

/// An address as a number, and how many bits it has.
const fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// A number without what is behind this prefix.
const fn masked(number: u128, bits: u8, width: u8) -> u128 {
    let behind = width - bits;
    if behind >= 128 { 0 } else { (number >> behind) << behind }
}

impl Network {
    /// The network with this prefix that has this address in it.
    fn around(address: IpAddr, bits: u8) -> Self {
        let (number, width) = number(address);
        let first = masked(number, bits, width);
        let first = match address {
            IpAddr::V4(_) => Ipv4Addr::from_bits(u32::try_from(first).unwrap_or_default()).into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(first).into(),
        };
        Self { first, bits }
    }

    /// Whether this address is of it.
    ///
    /// ```
    /// use vmpolicy_core::file::Network;
    /// let network: Network = "10.1.0.0/24".parse()?;
    /// assert!(network.contains("10.1.0.7".parse().expect("an address")));
    /// assert!(!network.contains("10.1.1.7".parse().expect("an address")));
    /// # Ok::<(), vmpolicy_core::file::NetworkFault>(())
    /// ```
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let (number, width) = number(address);
        let (first, own) = self::number(self.first);
        width == own && masked(number, self.bits, width) == first
    }

    /// Whether some address is of both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }
}

impl FromStr for Network {
    type Err = NetworkFault;

    fn from_str(text: &str) -> Result<Self, NetworkFault> {
        let (address, bits) = text.split_once('/').ok_or(NetworkFault::NoPrefix)?;
        let address: IpAddr = address.parse().map_err(|_| NetworkFault::Address)?;
        let (_, most) = number(address);
        let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|bits| digits && *bits <= most);
        let network = Self::around(address, bits.ok_or(NetworkFault::Bits { most })?);
        if network.first != address {
            return Err(NetworkFault::Within { network });
        }
        let within =
            |range: IpAddr, bits| Self::around(range, bits).contains(address) && network.bits >= bits;
        if within(Ipv4Addr::LOCALHOST.into(), 8) || within(Ipv6Addr::LOCALHOST.into(), 128) {
            return Err(NetworkFault::Loopback);
        }
        if within(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 10) {
            return Err(NetworkFault::LinkLocal);
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl serde::Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_no_network() {
        for (text, fault) in [
            ("10.1.0.7", NetworkFault::NoPrefix),
            ("mln1/24", NetworkFault::Address),
            ("10.1.0/24", NetworkFault::Address),
            ("/24", NetworkFault::Address),
            ("10.1.0.0/33", NetworkFault::Bits { most: 32 }),
            ("10.1.0.0/+8", NetworkFault::Bits { most: 32 }),
            ("10.1.0.0/", NetworkFault::Bits { most: 32 }),
            ("2001:db8::/129", NetworkFault::Bits { most: 128 }),
            ("10.1.0.7/24", NetworkFault::Within { network: network("10.1.0.0/24") }),
            ("2001:db8::1/64", NetworkFault::Within { network: network("2001:db8::/64") }),
            ("127.0.0.0/8", NetworkFault::Loopback),
            ("127.1.0.0/16", NetworkFault::Loopback),
            ("::1/128", NetworkFault::Loopback),
            ("fe80::/64", NetworkFault::LinkLocal),
        ] {
            assert_eq!(text.parse::<Network>(), Err(fault), "{text}");
        }
        for text in ["0.0.0.0/0", "::/0", "10.1.0.7/32", "fc00::/7", "2001:db8::1/128", "169.254.0.0/16"] {
            assert_eq!(network(text).to_string(), text);
        }
    }

    /// Any address, version 4 and 6.
    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
            any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        ]
    }

    /// Whether the first bits are the same, one after the other.
    fn plainly(network: Network, address: IpAddr) -> bool {
        let bits = |address: IpAddr| -> Vec<bool> {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            octets.iter().flat_map(|octet| (0..8).map(move |bit| octet & (128 >> bit) != 0)).collect()
        };
        let (own, other, most) = (bits(network.first), bits(address), usize::from(network.bits));
        own.len() == other.len() && own[..most] == other[..most]
    }

    proptest! {
        #[test]
        fn an_address_is_of_a_network_by_its_first_bits(a in address(), b in address(), bits in 0..=128_u8) {
            let bits = bits.min(number(a).1);
            let network = Network::around(a, bits);
            prop_assert!(network.contains(a));
            prop_assert_eq!(network.contains(b), plainly(network, b));
            let other = Network::around(b, bits.min(number(b).1) / 2);
            let shorter = if network.bits <= other.bits { (network, other) } else { (other, network) };
            prop_assert_eq!(network.overlaps(other), plainly(shorter.0, shorter.1.first));
            prop_assert_eq!(network.overlaps(other), other.overlaps(network));
        }
    }
}
