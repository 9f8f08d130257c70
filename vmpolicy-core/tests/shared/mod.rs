//! What tests of files have in common, whatever kind of file it is.

pub(crate) mod marked;
pub(crate) mod page;
pub(crate) mod problems;

use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones;

/// Two zones that never change their clocks: it is always summer in Oslo.
pub(crate) struct TwoZones;

impl Zones for TwoZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        match name {
            "UTC" => Some(Zone::utc()),
            "Europe/Oslo" => Zone::new(name, 7_200, Vec::new()).ok(),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["UTC".to_owned(), "Europe/Oslo".to_owned()]
    }
}

/// A snapshot of a text, without the expression that made it.
macro_rules! assert_document {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}
pub(crate) use assert_document;
