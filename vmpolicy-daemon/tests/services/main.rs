//! The probes against real services, each started by its test, and against servers that misbehave.
//!
//! Nothing is skipped: where a service is missing, its tests fail and say how to get it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod apache;
#[path = "../common/certificates.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod certificates;
#[cfg(feature = "mysql")]
#[path = "../real/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
mod leaks;
#[cfg(feature = "mysql")]
mod loaded;
mod misbehaving;
mod nginx;
mod postgres;
#[path = "../common/process.rs"]
mod process;
mod prometheus;
mod redis;
mod run;
mod secrets;
#[cfg(feature = "mysql")]
#[path = "../real/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
mod tls;

use std::time::{Duration, Instant};
use vmpolicy_core::file::{ProbeSpec, parse};
use vmpolicy_core::input::Absence;
use vmpolicy_core::ports::Probe;
use vmpolicy_daemon::board::Plight;

/// What the policy file says of a probe: `redis: { info: used_memory }`.
fn spec(written: &str) -> ProbeSpec {
    let text = format!(
        "version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nindicators: {{ x: {{ every: 1m, probe: {{ {written} }} }} }}\n"
    );
    let parsed = parse(text.as_bytes());
    assert_eq!(parsed.problems, [], "{written}");
    parsed.shell.probes[0].as_ref().unwrap().value.clone()
}

/// Such a probe.
pub(crate) fn probe(written: &str) -> Box<dyn Probe> {
    vmpolicy_daemon::probe::make("x", "g", &spec(written), Plight::default()).unwrap()
}

/// One poll of it; with the words by which `why` tells why there is no number.
pub(crate) fn told(written: &str) -> Result<f64, (Absence, String)> {
    let plight = Plight::default();
    let read = vmpolicy_daemon::probe::make("x", "g", &spec(written), plight.clone()).unwrap().read();
    read.map_err(|absence| (absence, plight.fault().unwrap().words))
}

pub(crate) fn read(written: &str) -> Result<f64, Absence> {
    probe(written).read()
}

/// A probe that is made anew for each reading, and so keeps no connection.
pub(crate) struct Anew(pub(crate) String);

impl Probe for Anew {
    fn read(&mut self) -> Result<f64, Absence> {
        read(&self.0)
    }
}

/// Reads until it is so; each reading is one poll.
pub(crate) fn until(probe: &mut dyn Probe, what: &str, so: impl Fn(Result<f64, Absence>) -> bool) {
    let began = Instant::now();
    loop {
        let read = probe.read();
        if so(read) {
            return;
        }
        assert!(began.elapsed() < run::PATIENCE, "{what} does not come: {read:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
