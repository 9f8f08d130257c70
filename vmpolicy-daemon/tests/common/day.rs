//! A policy, and days for it.

use std::fmt::Write as _;

pub(crate) const POLICY: &str = "\
version: 1
guest: nii3
arrays:
  oslo:
    hosts: [mln1, mln2, mln3, mln4]
    base: mln6
    price: { host: 0.12, base: 0.03 }
indicators:
  load: { probe: { load: {} }, every: 60s }
rules:
  - { name: overloaded, when: load > 50, tarry: 3, do: move }
  - { name: idle, when: load < 1, tarry: 20, do: move-to-base }
";

/// A day of minutes: quiet at night, a peak before noon, a gap in the afternoon.
pub(crate) fn day(series: Option<&str>, lift: i64) -> String {
    let mut rows = String::new();
    for minute in (0..1_440_i64).filter(|minute| !(900..930).contains(minute)) {
        let peak = (90 - (minute - 660).abs() / 4).max(0);
        let load = if minute < 360 { 0 } else { peak + lift };
        let name = series.map(|name| format!("{name},")).unwrap_or_default();
        let _ = writeln!(rows, "{name}{},{load}", 1_241_568_000 + minute * 60);
    }
    rows
}
