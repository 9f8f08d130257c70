//! Pages to look at: by the built program, as a user makes them, and by the library, as the simulator will.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use vmpolicy_core::backtest::{Options, Row, Sink, Trace, run};
use vmpolicy_core::id::Id as _;
use vmpolicy_core::record::View;
use vmpolicy_core::time::{Span, Wall};
use vmpolicy_core::{Output, Policy};
use vmpolicy_daemon::report::{
    Better, Builder, Drawn, Figure, GuestLog, Meter, Offset, Page, Panel, Points, Range, Unit,
};
use vmpolicy_daemon::zones::SystemZones;

/// The thesis's policy 3 on two hosts' worth of ring, with prices.
pub(crate) const SCHEDULED: &str = "\
version: 1
guest: nii5
arrays:
  oslo: { hosts: [mln1, mln2, mln3], base: mln6, price: { host: 0.12, base: 0.03 } }
indicators:
  slow_queries: { probe: { load: {} }, every: 60s }
windows:
  working_hours: { days: Mon-Sun, hours: 07:00-18:00, zone: Europe/Oslo }
rules:
  - { name: off-duty, when: outside working_hours, do: rest }
  - { name: overloaded, when: slow_queries > 50, tarry: 3, do: move }
  - { name: idle, when: slow_queries < 5, tarry: 20, do: move-to-base }
moves: { at_most: 4 per 1h, tour: keep-going }
";

/// The same without hours, and with more patience.
pub(crate) const PATIENT: &str = "\
version: 1
guest: nii3
arrays:
  oslo: { hosts: [mln1, mln2, mln3, mln4], base: mln6, price: { host: 0.12, base: 0.03 } }
indicators:
  slow_queries: { probe: { load: {} }, every: 60s }
rules:
  - { name: overloaded, when: slow_queries > 50, tarry: 12, do: move }
  - { name: idle, when: slow_queries < 5, tarry: 60, do: move-to-base }
";

/// 2009-03-28T00:00Z: in the night after it, clocks in Oslo go from 2 to 3.
pub(crate) const START: i64 = 1_238_198_400;

/// A number between 0 and 1 that looks random, and is the same everywhere.
fn noise(seed: u64) -> f64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A busy noon and a quiet night, in whole queries.
pub(crate) fn load(minute: i64, seed: u64) -> f64 {
    let of_day = minute.rem_euclid(1_440) as f64;
    let hill = (75.0 - (of_day - 720.0).abs() / 6.0).max(0.0);
    (hill + 30.0 * (noise(seed << 32 | minute as u64) - 0.5)).max(0.0).round()
}

/// Two days of one guest, by the program.
pub(crate) struct Backtest {
    folder: TempDir,
    pub json: Value,
    pub events: Vec<Value>,
}

impl Backtest {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut csv = "timestamp,value\n".to_owned();
        for minute in (0..2_880).filter(|minute| !(2_100..2_130).contains(minute)) {
            writeln!(csv, "{},{}", START + minute * 60, load(minute, 1)).unwrap();
        }
        std::fs::write(folder.path().join("policy.yaml"), SCHEDULED).unwrap();
        std::fs::write(folder.path().join("days.csv"), csv).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_vmpolicy"))
            .current_dir(folder.path())
            .args(["backtest", "policy.yaml", "--trace", "days.csv", "--move-takes", "90s"])
            .args(["--report", "page.html", "--events", "events.jsonl", "--format", "json"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let events = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
        let events = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { json: serde_json::from_slice(&output.stdout).unwrap(), events, folder }
    }

    pub(crate) fn page(&self) -> PathBuf {
        self.folder.path().join("page.html")
    }
}

struct Logging<'a>(&'a Policy, &'a str, GuestLog);

impl Sink for Logging<'_> {
    fn take(&mut self, output: &Output) {
        View::all(self.0, self.1, output).for_each(|view| self.2.record(&view));
    }

    fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        self.2.sample(at, value, in_breach);
    }
}

/// A page of these policies, and of guests whose load is this.
pub(crate) fn page(
    title: &str,
    policies: &[&str],
    guests: usize,
    minutes: i64,
    load: impl Fn(i64, u64) -> f64,
) -> Page {
    let range = Range { from: Wall::from_secs(START), to: Wall::from_secs(START + (minutes - 1) * 60) };
    let names: Vec<_> = (0..guests).map(|guest| format!("guest{guest:04}")).collect();
    let zones = SystemZones::default();
    let policies: Vec<_> = policies
        .iter()
        .map(|text| Arc::new(vmpolicy_core::file::load(text.as_bytes(), &zones).unwrap().policy))
        .collect();
    let mut page = Builder::new(title, range, names.clone(), policies.len());
    if let Some(window) = policies[0].windows().rows().first() {
        page = page.zone(window.window.zone());
    }
    let mut requests = Vec::new();
    let mut variants = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        let hosts = page.hosts_of(policy);
        let mut count = 0;
        let mut logs = Vec::new();
        for (guest, name) in names.iter().enumerate() {
            let rows = (0..minutes).map(|minute| Row {
                at: Wall::from_secs(START + minute * 60),
                value: Ok(load(minute, guest as u64)),
            });
            let options = Options {
                move_takes: Span::from_secs(90),
                ..Options::new(policy, policy.indicator_named("slow_queries").unwrap())
            };
            let log = page.log(guest, Arc::clone(&hosts), Some(hosts[options.at.index()]));
            let mut sink = Logging(policy, name, log);
            let summary = run(policy, &Trace::new(rows).unwrap(), &options, &mut sink).unwrap();
            sink.2.finish(summary.to);
            assert_eq!(Some(sink.2.in_breach()), summary.breach.or(Some(Span::ZERO)));
            count += summary.requests;
            logs.push(sink.2);
        }
        requests.push(Some(count as f64));
        variants.push((format!("policy {}", number + 1), policy, logs));
    }
    page.measure("requests", Unit::Count, Better::Less, requests);
    for (name, policy, logs) in variants {
        let mut variant = page.variant(&name, Some(policy));
        variant.logs(policy.indicator_named("slow_queries"), logs);
        variant.panel(energy(minutes));
        let variant = variant.done();
        page.push(variant);
    }
    page.mark(Wall::from_secs(START + 16 * 3_600), None, "reload: threshold 20 to 50");
    page.mark(
        Wall::from_secs(START + 20 * 3_600),
        Some(Wall::from_secs(START + 21 * 3_600)),
        "the provider is down",
    );
    page.build()
}

/// What the simulator will add: any quantity.
fn energy(minutes: i64) -> Panel {
    let mut points = Points::default();
    for minute in (0..minutes).step_by(usize::try_from(minutes / 500 + 1).unwrap()) {
        points.at.push(Offset(minute * 60_000));
        points.low.push(Drawn(0.4 + 0.2 * noise(minute.unsigned_abs())));
    }
    let lines = vec![("all hosts".to_owned(), points)];
    Panel {
        id: "use".to_owned(),
        title: "Use of all hosts".to_owned(),
        about: "How much of the processors was in use.".to_owned(),
        figure: Figure::Meter(Meter { unit: Unit::Share, lines }),
    }
}
