//! `network`: the network that this machine has an address in. The thesis's guests told by their broadcast address on
//! which site they had been restarted.

use super::Told;
use crate::probe::read_head;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::Network;
use vmpolicy_core::ports::Locator;

/// The kernel's tables have a few lines for each address.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What Linux calls the loopback interface.
const LOOPBACK: &str = "lo";

/// The host among whose networks one of this machine's addresses is.
///
/// The kernel's own tables are read: `net/fib_trie`, which names the addresses of version 4 that are this machine's, and
/// `net/if_inet6`. That needs no privilege and no socket. Loopback addresses don't count.
#[derive(Clone, Debug)]
pub struct NetworkLocator {
    proc: PathBuf,
    hosts: Vec<(String, Vec<Network>)>,
    told: Told,
}

impl NetworkLocator {
    /// A locator that reads below `proc`. No network should be of two hosts.
    pub fn new(proc: impl Into<PathBuf>, hosts: Vec<(String, Vec<Network>)>, told: Told) -> Self {
        Self { proc: proc.into(), hosts, told }
    }

    fn find(&self) -> Result<String, String> {
        let addresses = addresses(&self.proc)?;
        let here = |networks: &[Network]| {
            networks.iter().any(|network| addresses.iter().any(|address| network.contains(*address)))
        };
        let mut hosts = self.hosts.iter().filter(|(_, networks)| here(networks)).map(|(host, _)| host);
        match (hosts.next(), hosts.next()) {
            (Some(host), None) => Ok(host.clone()),
            (Some(host), Some(other)) => Err(format!(
                "there are addresses in networks of {host} and of {other}: {}",
                shown(&addresses)
            )),
            (None, _) if addresses.is_empty() => Err("this machine has no address".to_owned()),
            (None, _) => Err(format!("no address is in a network of any host: {}", shown(&addresses))),
        }
    }
}

impl Locator for NetworkLocator {
    fn locate(&mut self) -> Option<String> {
        let found = self.find();
        self.told.note(found)
    }
}

/// A few of them, for a log.
fn shown(addresses: &[IpAddr]) -> String {
    const MOST: usize = 8;
    let mut words: Vec<String> = addresses.iter().take(MOST).map(IpAddr::to_string).collect();
    if addresses.len() > MOST {
        words.push(format!("and {} more", addresses.len() - MOST));
    }
    words.join(", ")
}

/// The addresses of this machine, but those of loopback. One version may be missing, but not both.
fn addresses(proc: &Path) -> Result<Vec<IpAddr>, String> {
    let read = |name: &str| {
        let path = proc.join("net").join(name);
        let head = read_head(&path, BYTES_MAX).map_err(|error| format!("{}: {error}", path.display()))?;
        // Half a table may lack the address that matters, and so name the wrong host.
        if head.cut { Err(format!("{} is too long", path.display())) } else { Ok(head.bytes) }
    };
    let (v4, v6) = (read("fib_trie"), read("if_inet6"));
    // A kernel without version 6 has no table of it.
    let (v4, v6) = match (v4, v6) {
        (Err(error), Err(_)) => return Err(error),
        (v4, v6) => (v4.unwrap_or_default(), v6.unwrap_or_default()),
    };
    let mut all: Vec<IpAddr> = version_4(&String::from_utf8_lossy(&v4)).map(IpAddr::V4).collect();
    all.extend(version_6(&String::from_utf8_lossy(&v6)).map(IpAddr::V6));
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Each leaf of the trie is a line `|-- ADDRESS`, followed by what is known of it; `/32 host LOCAL` are addresses of this
/// machine (`fib_trie_seq_show` in the kernel's `net/ipv4/fib_trie.c`).
fn version_4(trie: &str) -> impl Iterator<Item = Ipv4Addr> {
    let mut leaf = None;
    let local = trie.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        }
        leaf.filter(|_| line.starts_with("/32 host LOCAL"))
    });
    local.filter(|address: &Ipv4Addr| !address.is_loopback())
}

/// Each line is an address in hexadecimal digits, four numbers, and the interface (`if6_seq_show` in the kernel's
/// `net/ipv6/addrconf.c`).
fn version_6(table: &str) -> impl Iterator<Item = Ipv6Addr> {
    table.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let digits = fields.next().filter(|digits| digits.len() == 32)?;
        let address = Ipv6Addr::from_bits(u128::from_str_radix(digits, 16).ok()?);
        (fields.last()? != LOOPBACK && !address.is_loopback()).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// As a machine has it with 192.0.2.2/24 and fd00::2/64 on eth0.
    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
  +-- 192.0.2.0/30 2 0 2
     |-- 192.0.2.2
        /32 host LOCAL
";
    const TABLE: &str = "\
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
20010db8000000000000000000000007 01 80 10 80       lo
";

    #[test]
    fn the_kernels_tables() {
        assert_eq!(version_4(TRIE).collect::<Vec<_>>(), [Ipv4Addr::new(192, 0, 2, 2); 2]);
        let found: Vec<String> = version_6(TABLE).map(|address| address.to_string()).collect();
        assert_eq!(found, ["fd00::2", "fe80::fc:ff:fe00:1"]);
        for nonsense in
            ["", "|-- \n/32 host LOCAL\n", "/32 host LOCAL", "x y", "|-- 1.2.3.4\n /31 host LOCAL"]
        {
            assert_eq!((version_4(nonsense).count(), version_6(nonsense).count()), (0, 0), "{nonsense}");
        }
    }

    #[test]
    fn this_machines_own_tables_can_be_read() {
        assert!(addresses(Path::new(crate::probe::PROC)).is_ok());
    }

    #[test]
    fn one_host_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("net");
        let locate = |hosts: &[(&str, &[&str])]| {
            let hosts = hosts.iter().map(|(host, networks)| {
                ((*host).to_owned(), networks.iter().map(|text| text.parse().unwrap()).collect())
            });
            NetworkLocator::new(folder.path(), hosts.collect(), Told::default()).find()
        };
        let one: &[(&str, &[&str])] =
            &[("mln1", &["192.0.2.0/24"]), ("mln2", &["10.0.0.0/8", "2001:db8::/32"])];
        assert!(locate(one).unwrap_err().contains("fib_trie"));
        fs::create_dir(&net).unwrap();
        fs::write(net.join("fib_trie"), TRIE).unwrap();
        assert_eq!(locate(one).as_deref(), Ok("mln1"));
        fs::write(net.join("if_inet6"), TABLE).unwrap();
        assert_eq!(locate(one).as_deref(), Ok("mln1"));
        assert_eq!(locate(&[("mln2", &["fd00::/64"])]).as_deref(), Ok("mln2"));
        let both = locate(&[("mln1", &["192.0.2.0/24"]), ("mln2", &["fd00::/64"])]).unwrap_err();
        assert!(both.contains("of mln1 and of mln2"), "{both}");
        let none = locate(&[("mln2", &["10.0.0.0/8", "126.0.0.0/7"])]).unwrap_err();
        assert!(none.contains("no address is in a network of any host: 192.0.2.2, fd00::2"), "{none}");
        fs::write(net.join("fib_trie"), vec![b' '; BYTES_MAX + 1]).unwrap();
        fs::remove_file(net.join("if_inet6")).unwrap();
        assert!(locate(one).unwrap_err().contains("too long"));
    }
}
