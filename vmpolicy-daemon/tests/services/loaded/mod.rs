//! The built `vmpolicyd` with six real services at once, each loaded, taken down, frozen, replaced by a stranger and brought back while it
//! watches. It moves the guest for those that are loaded and for no other, its decisions can be made again, and it holds no more afterwards.
//!
//! Each service is in another phase than its neighbour, so that what answers slowly stands beside what has to be seen in time.
//! `VMPOLICY_SOAK_SECONDS=3600 cargo test -p vmpolicy-daemon --test services loaded -- --nocapture` goes round for an hour.

mod cast;
mod judge;
mod stub;

use crate::guest::{Guest, assert_asked_once};
use cast::{MISSING, Role};
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use stub::{Manner, Stub};

/// What a service does in turn. Each is followed by the next of these, and the last by the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Well,
    Loaded,
    Down,
    Back,
    Frozen,
    Thawed,
    Rubbish,
    Silent,
}

const PHASES: [Phase; 8] = [
    Phase::Well,
    Phase::Loaded,
    Phase::Down,
    Phase::Back,
    Phase::Frozen,
    Phase::Thawed,
    Phase::Rubbish,
    Phase::Silent,
];

/// Rounds of all phases, where nobody says for how long; the first is the warm-up.
const ROUNDS: usize = 2;

/// So many polls of each indicator are watched for what must not happen.
const POLLS: f64 = 3.0;

/// What may come and go: a connection, a program that runs, its pipes.
const AT_WORK: usize = 8;

/// What an allocator may take and keep when several threads want something large at once.
const KEPT_KB: u64 = 1_024;

/// A role, and what happens to it now.
struct Actor {
    role: Role,
    phase: Phase,
    load: Option<Box<dyn Any>>,
    stub: Option<Stub>,
    /// Whether what the phase must show has been seen.
    is_seen: bool,
    /// When the phase began: polls that gave a number, polls that gave none by cause, requests.
    samples: f64,
    unknown: BTreeMap<String, f64>,
    requests: usize,
}

impl Actor {
    fn new(role: Role) -> Self {
        let (samples, unknown) = (0.0, BTreeMap::new());
        Self {
            role,
            phase: Phase::Well,
            load: None,
            stub: None,
            is_seen: false,
            samples,
            unknown,
            requests: 0,
        }
    }

    /// Whether its rule may make a move now.
    fn may_move(&self) -> bool {
        // What timed out before the phase ended may still count.
        let times_out = matches!(self.phase, Phase::Frozen | Phase::Thawed | Phase::Silent | Phase::Well)
            && self.role.breach;
        self.phase == Phase::Loaded || times_out
    }

    fn enter(&mut self, phase: Phase, seen: &Seen) {
        self.samples = seen.samples(self.role.name);
        self.unknown = seen.unknown(self.role.name);
        self.requests = seen.requests(self.role.name);
        self.is_seen = false;
        self.phase = phase;
        let had_stub = self.stub.take().is_some();
        match phase {
            Phase::Well if had_stub => self.role.up(),
            Phase::Well => {}
            Phase::Loaded => self.load = Some(self.role.load()),
            Phase::Down => self.role.down(),
            Phase::Back => self.role.up(),
            Phase::Frozen => self.role.freeze(true),
            Phase::Thawed => self.role.freeze(false),
            Phase::Rubbish => {
                self.role.down();
                self.stub = Some(Stub::at(&self.role.place, Manner::Rubbish));
            }
            Phase::Silent => self.stub = Some(Stub::at(&self.role.place, Manner::Silent)),
        }
    }

    /// Goes through the phases up to this one, without the load.
    fn reach(&mut self, last: usize, seen: &Seen) {
        for phase in &PHASES[..=last] {
            if *phase != Phase::Loaded {
                self.enter(*phase, seen);
            }
        }
    }

    /// Looks whether what the phase must show is there; where that is so it stays so.
    fn look(&mut self, seen: &Seen) {
        if self.is_seen {
            return;
        }
        let name = self.role.name;
        let rule = seen.rule(name);
        let grew = |cause: &str| {
            seen.unknown(name).get(cause).unwrap_or(&0.0) - self.unknown.get(cause).unwrap_or(&0.0)
        };
        let says = |causes: &[&str]| {
            let condition = &rule["conditions"][0];
            let cause = condition["unknown"].as_str();
            rule["counter"] == 0
                && condition["is"] == "unknown"
                && cause.is_some_and(|cause| causes.contains(&cause))
        };
        let often = f64::from(MISSING + 1);
        let moved = || seen.arrivals(name) > self.requests;
        self.is_seen = match self.phase {
            Phase::Well | Phase::Back | Phase::Thawed => {
                seen.samples(name) > self.samples && rule["is"] == "clear"
            }
            Phase::Loaded => {
                if moved() {
                    self.load = None;
                }
                self.load.is_none() && rule["is"] == "clear"
            }
            Phase::Down => grew("unreachable") >= often && says(&["unreachable"]),
            Phase::Frozen | Phase::Silent if self.role.breach => grew("timed-out") >= often && moved(),
            Phase::Frozen | Phase::Silent => grew("timed-out") >= often && says(&["timed-out", "late"]),
            // What the stranger says may look like an error, or like half of an answer.
            Phase::Rubbish => {
                grew("unparsable") >= 1.0
                    && seen.polls(name) >= self.samples + often
                    && says(&["unparsable", "unreachable", "missing", "denied", "timed-out"])
            }
        };
    }
}

/// What the daemon says of itself.
struct Seen {
    metrics: String,
    why: Value,
    records: Vec<Value>,
}

impl Seen {
    fn at(guest: &Guest, port: u16) -> Option<Self> {
        Some(Self { metrics: scrape(port)?, why: guest.json(&["why"])?, records: guest.records() })
    }

    fn numbers<'a>(&'a self, metric: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.metrics.lines().filter_map(move |line| {
            let labels = line
                .strip_prefix(metric)?
                .strip_prefix("{indicator=\"")?
                .strip_prefix(name)?
                .strip_prefix('"')?;
            let (labels, number) = labels.split_once("} ")?;
            Some((labels, number.parse().ok()?))
        })
    }

    fn samples(&self, name: &str) -> f64 {
        self.numbers("vmpolicy_samples_total", name).map(|(_, number)| number).sum()
    }

    /// By cause.
    fn unknown(&self, name: &str) -> BTreeMap<String, f64> {
        let numbers = self.numbers("vmpolicy_unknown_total", name);
        numbers.filter_map(|(labels, number)| Some((labels.split('"').nth(1)?.to_owned(), number))).collect()
    }

    fn polls(&self, name: &str) -> f64 {
        self.samples(name) + self.unknown(name).values().sum::<f64>()
    }

    fn rule(&self, name: &str) -> &Value {
        self.why["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == name).unwrap()
    }

    fn requests(&self, name: &str) -> usize {
        self.records.iter().filter(|record| record["event"] == "request" && record["rule"] == name).count()
    }

    /// How many moves of this rule have led where they should.
    fn arrivals(&self, name: &str) -> usize {
        let asked =
            self.records.iter().filter(|record| record["event"] == "request" && record["rule"] == name);
        let confirmed = |asked: &&Value| {
            self.records.iter().any(|record| {
                record["event"] == "confirmed"
                    && record["id"] == asked["id"]
                    && record["at_host"] == asked["to"]
            })
        };
        asked.filter(confirmed).count()
    }
}

fn scrape(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// For each service a rule that moves while it is busy, and one that would act if what is not known were taken for false.
fn policy(actors: &[Actor], port: u16) -> String {
    let roles = || actors.iter().map(|actor| &actor.role);
    let mut text =
        "version: 1\nguest: nii3\narrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln4 } }\nindicators:\n"
            .to_owned();
    text.extend(roles().map(Role::indicator));
    text.push_str("rules:\n");
    for role in roles() {
        writeln!(
            text,
            "  - {{ name: {}, when: {}, tarry: {}, do: move }}",
            role.name,
            role.when(),
            cast::TARRY
        )
        .unwrap();
    }
    for role in roles() {
        let name = role.name;
        writeln!(text, "  - {{ name: no-{name}, when: {{ not: {name} > -1 }}, do: move-to-base }}").unwrap();
    }
    writeln!(
        text,
        "moves: {{ settle: 100ms, confirm_within: 30s, at_most: 1000 per 10s, tour: keep-going }}"
    )
    .unwrap();
    writeln!(text, "metrics: {{ listen: \"127.0.0.1:{port}\" }}").unwrap();
    text
}

/// Looks until it is so.
fn until(guest: &Guest, port: u16, what: &str, mut so: impl FnMut(&Seen) -> bool) -> Seen {
    let mut last = None;
    guest.wait_for(what, |guest| {
        last = Seen::at(guest, port);
        last.as_ref().is_some_and(&mut so)
    });
    last.unwrap()
}

/// One phase of each, from beginning to end.
fn step(guest: &Guest, port: u16, actors: &mut [Actor], at: usize) {
    let before = until(guest, port, "an answer", |_| true);
    for (which, actor) in actors.iter_mut().enumerate() {
        actor.enter(PHASES[(at + which) % PHASES.len()], &before);
    }
    let phases: Vec<_> = actors.iter().map(|actor| (actor.role.name, actor.phase)).collect();
    let seen = until(guest, port, &format!("what must be seen: {phases:?}"), |seen| {
        for actor in actors.iter_mut() {
            actor.look(seen);
        }
        actors.iter().all(|actor| actor.is_seen)
    });
    let after = until(guest, port, "more polls", |now| {
        actors.iter().all(|Actor { role, .. }| now.polls(role.name) >= seen.polls(role.name) + POLLS)
    });
    for actor in actors.iter().filter(|actor| !actor.may_move()) {
        let name = actor.role.name;
        assert_eq!(
            after.requests(name),
            actor.requests,
            "{name} in {phases:?}: {:#?}",
            guest.events("request")
        );
    }
}

#[test]
fn services_under_load_move_the_guest_and_those_that_fail_do_not() {
    let lasts = std::env::var("VMPOLICY_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let lasts = Duration::from_secs(lasts.unwrap_or(0));
    let mut actors: Vec<Actor> = cast::all().into_iter().map(Actor::new).collect();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut guest = Guest::new("");
    guest.policy(&policy(&actors, port));
    let mut command = guest.command();
    command.arg("--inputs").arg(guest.path("inputs"));
    // As the unit has it.
    command.env("MALLOC_ARENA_MAX", "1");
    command.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_TRIM_THRESHOLD_", "131072");
    guest.start_as(command);
    // All are up and idle.
    let well = until(&guest, port, "samples of all that are clear", |seen| {
        actors.iter().all(|Actor { role, .. }| {
            seen.samples(role.name) >= POLLS && seen.rule(role.name)["is"] == "clear"
        })
    });
    assert!(guest.asked().is_empty(), "{:?}", guest.asked());
    for (which, actor) in actors.iter_mut().enumerate() {
        // The first step is to find each in the phase before its own.
        if which > 0 {
            actor.reach(which - 1, &well);
        }
    }

    let (began, mut rounds, mut warm, mut last) = (Instant::now(), 0, guest.holdings(), guest.holdings());
    while rounds < ROUNDS || began.elapsed() < lasts {
        for at in 0..PHASES.len() {
            step(&guest, port, &mut actors, at);
        }
        rounds += 1;
        last = guest.holdings();
        println!("round {rounds}: {last:?}");
        // An hour has time to warm up.
        if rounds == 1 || began.elapsed() < lasts / 4 {
            warm = last;
        }
    }
    // In the middle of it, with servers that never answer among others.
    assert!(guest.terminate().0.success(), "{}", guest.log());
    drop(actors.iter_mut().map(|actor| actor.load.take()).collect::<Vec<_>>());

    assert!(!guest.log().contains("panicked"), "{}", guest.log());
    assert_asked_once(&guest.asked());
    let roles: Vec<Role> = actors.into_iter().map(|actor| actor.role).collect();
    let inputs = std::fs::read_to_string(guest.path("inputs")).unwrap();
    let moves = judge::judge(&roles, &inputs).unwrap();
    // The canary: a move that another service's rule would have asked for.
    let bent = inputs.replacen("\"rule\":\"redis\",\"do\":", "\"rule\":\"nginx\",\"do\":", 1);
    assert_eq!(judge::judge(&roles, &bent).unwrap_err()["rule"], "nginx");
    println!("{rounds} rounds in {:?}; moves: {moves:?}", began.elapsed());
    assert_eq!(moves.len(), roles.len(), "{moves:?}");
    assert_eq!(moves.values().sum::<usize>(), guest.asked().len());
    assert_eq!(guest.events("confirmed").len(), guest.asked().len(), "{:#?}", guest.records());
    assert!(last.kib <= warm.kib + KEPT_KB, "memory: {warm:?}, then {last:?}");
    assert!(
        last.files <= warm.files + AT_WORK && last.threads <= warm.threads + AT_WORK,
        "{warm:?}, then {last:?}"
    );

    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    let ran = command.arg("replay").arg(guest.path("inputs")).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(
        text.contains(&format!("{} records, each the same byte for byte", guest.records().len())),
        "{text}"
    );
}
