//! Memory that the beginning needed and polling doesn't, given back.
//!
//! To read a policy, look up zones and open a state runs through most of the program once, and from then on its pages are
//! mapped for nothing. Those that were never written to are in the program's file, too: they can go, and come back by
//! themselves where they are needed.

use std::fs;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long a beginning may take, with the first readings and what is sent to collectors.
const BEGINNING: Duration = Duration::from_secs(10);

/// Has the kernel take back the pages of a range of addresses, which are read from their file where they are needed again.
///
/// The library holds no `unsafe` code, so the program brings this along.
pub type GiveBack = fn(Range<usize>);

/// When to give memory back: once after each beginning.
#[derive(Clone, Copy, Debug)]
pub struct Thrift {
    give_back: Option<GiveBack>,
    due: Option<Instant>,
}

impl Thrift {
    /// By this; never, where there is none.
    #[must_use]
    pub const fn new(give_back: Option<GiveBack>) -> Self {
        Self { give_back, due: None }
    }

    /// Something has begun: the program, or work by another policy.
    pub fn begun(&mut self) {
        self.due = self.give_back.and(Instant::now().checked_add(BEGINNING));
    }

    /// The loop has nothing to do.
    pub fn rest(&mut self) {
        if self.due.is_some_and(|due| due <= Instant::now())
            && let Some(give_back) = self.give_back
        {
            self.due = None;
            // Without the kernel's list it all stays, which does no harm.
            let Ok(list) = fs::read_to_string("/proc/self/smaps") else { return };
            // Found out first: to read the list needs pages, too.
            let ranges: Vec<_> = unwritten(&list).collect();
            ranges.into_iter().for_each(give_back);
        }
    }
}

/// The mappings of files in a `/proc/PID/smaps` that can't be written to, and of which no page has ever been.
fn unwritten(smaps: &str) -> impl Iterator<Item = Range<usize>> {
    let mut of_file = None;
    smaps.lines().filter_map(move |line| {
        let (first, rest) = line.split_once(' ')?;
        if let Some((start, end)) = first.split_once('-') {
            let address = |text| usize::from_str_radix(text, 16).ok();
            let range = address(start)?..address(end)?;
            let named = rest.split_ascii_whitespace().nth(4).is_some_and(|name| name.starts_with('/'));
            of_file = (named && rest.starts_with("r-")).then_some(range);
            return None;
        }
        if first != "Anonymous:" {
            return None;
        }
        let written = rest.trim().strip_suffix(" kB") != Some("0");
        of_file.take().filter(|_| !written)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0c0a00000-55d0c0a6f000 r--p 00000000 fe:00 1234                       /usr/bin/vmpolicyd
Size:                444 kB
Anonymous:             0 kB
VmFlags: rd mr mw me sd
55d0c0a6f000-55d0c0c50000 r-xp 0006e000 fe:00 1234                       /usr/bin/vmpolicyd
Rss:                1024 kB
Anonymous:             0 kB
55d0c0c50000-55d0c0c68000 r--p 0024e000 fe:00 1234                       /usr/bin/vmpolicyd
Rss:                  96 kB
Anonymous:            96 kB
55d0c0c68000-55d0c0c6a000 rw-p 00265000 fe:00 1234                       /usr/bin/vmpolicyd
Anonymous:             0 kB
7f2f00000000-7f2f00021000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f2f00021000-7f2f00022000 ---p 00000000 00:00 0
Anonymous:             0 kB
7ffd1a5f0000-7ffd1a5f4000 r--p 00000000 00:00 0                          [vvar]
Anonymous:             0 kB
7f2f10000000-7f2f10100000 r-xp 00026000 fe:00 99                         /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)
Anonymous:             0 kB
";

    #[test]
    fn only_what_is_in_a_file_as_it_is_in_memory_is_given_back() {
        let found: Vec<_> = unwritten(SMAPS).collect();
        assert_eq!(
            found,
            [
                0x55d0_c0a0_0000..0x55d0_c0a6_f000,
                0x55d0_c0a6_f000..0x55d0_c0c5_0000,
                0x7f2f_1000_0000..0x7f2f_1010_0000,
            ]
        );
        for odd in
            ["", "x", "1-2", "zz-1 r--p 0 0 0 /x\nAnonymous: 0 kB", "Anonymous: 0 kB", "1-2 r--p 0 0 0 /x\n"]
        {
            assert_eq!(unwritten(odd).count(), 0, "{odd:?}");
        }
    }

    #[test]
    fn the_kernel_s_list_has_the_program() {
        let list = fs::read_to_string("/proc/self/smaps").unwrap();
        let here = only_what_is_in_a_file_as_it_is_in_memory_is_given_back as fn() as usize;
        assert!(unwritten(&list).any(|range| range.contains(&here)));
    }

    #[test]
    fn it_is_given_back_once_after_a_beginning() {
        fn never(_: Range<usize>) {
            panic!("too early");
        }
        let mut thrift = Thrift::new(Some(never));
        thrift.rest();
        thrift.begun();
        thrift.rest();
        assert!(thrift.due.is_some());
        let mut thrift = Thrift::new(Some(|range| assert!(!range.is_empty())));
        thrift.due = Some(Instant::now());
        thrift.rest();
        assert_eq!(thrift.due, None);
        let mut none = Thrift::new(None);
        none.begun();
        assert_eq!(none.due, None);
    }
}
