//! What changes when guests decide: scenarios of `docs/examples/scenarios/`, under whoever decides, over several seeds.
//! `docs/effects.md` has the tables and what they say.

use std::fmt::Write as _;
use std::path::Path;
use vmpolicy_core::file::scenario::{Files, Recording, load};
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::sim::scenario::{Fault, GuestIx, GuestSet, Management, ManagerKind, Scenario, What};
use vmpolicy_core::sim::service::Indicator;
use vmpolicy_core::sim::world::{Deciding, Options, Outcome, Snapshot, Watch, run};
use vmpolicy_core::time::{Mono, Span};

/// The scenarios have their policies in them, and no recordings.
struct Alone;

impl Files for Alone {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path}: the scenarios of the study stand alone"))
    }

    fn recording(&mut self, path: &str, _: Option<&str>) -> Result<Recording, String> {
        Err(format!("{path}: the scenarios of the study stand alone"))
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, String> {
        Err(format!("{path}: the scenarios of the study stand alone"))
    }
}

/// The cases, by their names on `vmpolicy simulate --compare`.
#[must_use]
pub const fn cases() -> [(&'static str, Deciding); 5] {
    const fn by(kind: ManagerKind) -> Deciding {
        Deciding::Infrastructure(Management { kind, every: Management::EVERY })
    }
    [
        ("own", Deciding::AsWritten),
        ("none", Deciding::Nobody),
        ("thr-mmt", by(ManagerKind::ThrMmt)),
        ("iqr-mmt", by(ManagerKind::IqrMmt)),
        ("mad-mmt", by(ManagerKind::MadMmt)),
    ]
}

/// A scenario of the study, and what is different about it.
#[derive(Clone, Debug)]
pub struct Setting {
    text: String,
    load: f64,
}

impl Setting {
    /// A scenario file of the examples.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn read(name: &str) -> Result<Self, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/scenarios").join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { text, load: 1.0 })
    }

    /// The same with other words in the file.
    ///
    /// # Errors
    ///
    /// Where the words are not in it.
    pub fn with(&self, changes: &[(&str, &str)]) -> Result<Self, String> {
        let mut text = self.text.clone();
        for (from, to) in changes {
            if !text.contains(from) {
                return Err(format!("the scenario does not say `{from}`"));
            }
            text = text.replace(from, to);
        }
        Ok(Self { text, ..self.clone() })
    }

    /// The same with so many times the load of its databases.
    #[must_use]
    pub fn loaded(&self, times: f64) -> Self {
        Self { load: times, ..self.clone() }
    }

    fn scenario(&self, seed: u64) -> Result<Scenario, String> {
        let built = load(self.text.as_bytes(), &UtcOnly, &mut Alone)
            .map_err(|faulty| format!("{:?}", faulty.problems))?;
        let mut scenario = built.scenario;
        scenario.seed = seed;
        let databases = scenario.guests.iter().enumerate();
        let databases = databases.filter(|(_, guest)| scenario.kinds[guest.kind.index()].managed.is_some());
        let guests = GuestSet::These(databases.map(|(at, _)| GuestIx::from_index(at)).collect());
        let what = What::LoadTimes { guests, factor: self.load };
        scenario.faults.insert(0, Fault { at: Span::ZERO, lasts: None, what });
        Ok(scenario)
    }

    /// Runs it once for each seed.
    ///
    /// # Errors
    ///
    /// Where the scenario has errors, or the engine has a fault.
    pub fn run(&self, deciding: Deciding, seeds: u64) -> Result<Vec<Figures>, String> {
        let one = |seed| {
            let scenario = self.scenario(seed)?;
            let mut users = Users::new(&scenario);
            let options = Options { checks: false, deciding };
            let outcome = run(&scenario, options, &mut users).map_err(|violated| violated.to_string())?;
            Ok(Figures::new(&outcome, &scenario, &users))
        };
        (1..=seeds).map(one).collect()
    }
}

/// What the users of the databases see, whoever decides: counted by the service, whether its guest looks or not.
#[derive(Debug)]
struct Users {
    /// By guest: queries answered, and those of them that were slow.
    counted: Vec<(f64, f64)>,
}

impl Users {
    fn new(scenario: &Scenario) -> Self {
        Self { counted: vec![(0.0, 0.0); scenario.guests.len()] }
    }
}

impl Watch for Users {
    fn stepped(&mut self, _: Mono, snapshot: &Snapshot<'_>) {
        for (guest, counted) in self.counted.iter_mut().enumerate() {
            let read = |indicator| snapshot.reads(GuestIx::from_index(guest), indicator);
            if let (Some(all), Some(slow)) = (read(Indicator::Queries), read(Indicator::SlowQueries)) {
                *counted = (all, slow);
            }
        }
    }
}

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Per cent of all queries.
    pub slow: f64,
    /// Per cent of the time for which it could be told.
    pub breach: f64,
    /// Per cent of the time for which it could not: while a guest settled or rested.
    pub untold: f64,
    /// Per cent of the processor time that all guests demanded.
    pub missed: f64,
    /// Jain's index.
    pub fairness: f64,
    /// Of all databases, a day.
    pub requests: f64,
    /// Of all guests, a day.
    pub moves: f64,
    /// What the databases paid in the ring, a day: equations 3.2 to 3.4.
    pub c_a: f64,
    /// What they paid at the base, scheduled or not.
    pub c_tb: f64,
    /// The sum of both.
    pub c_t: f64,
    /// kWh a day.
    pub energy: f64,
    /// With guests, in the mean.
    pub hosts: f64,
    /// Hours of hosts a day in which not all demands were met.
    pub overloaded: f64,
}

impl Figures {
    fn new(outcome: &Outcome, scenario: &Scenario, users: &Users) -> Self {
        let days = scenario.lasts.as_secs_f64() / 86_400.0;
        let (mut breach, mut unknown, mut all_time, mut requests) = (0.0, 0.0, 0.0, 0);
        let (mut c_a, mut c_tb) = (0.0, 0.0);
        for summary in outcome.guests.iter().filter_map(|guest| guest.summary.as_ref()) {
            requests += summary.requests;
            if let Some(cost) = &summary.cost {
                c_a += cost.c_a;
                c_tb += cost.c_tb();
            }
            if let Some((own, untold)) = summary.breach.zip(summary.unjudged) {
                breach += own.as_secs_f64();
                unknown += untold.as_secs_f64();
                all_time += scenario.lasts.as_secs_f64();
            }
        }
        let (all, slow) = users.counted.iter().fold((0.0, 0.0), |(a, s), one| (a + one.0, s + one.1));
        let percent = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
        let used: f64 = outcome.hosts.iter().map(|host| host.used_hours).sum();
        let overloaded: f64 = outcome.hosts.iter().map(|host| host.overloaded_hours).sum();
        Self {
            slow: percent(slow, all),
            breach: percent(breach, all_time - unknown),
            untold: percent(unknown, all_time),
            missed: 100.0 * outcome.missed,
            fairness: outcome.fairness,
            requests: requests as f64 / days,
            moves: (outcome.live_moves + outcome.relocations) as f64 / days,
            c_a: c_a / days,
            c_tb: c_tb / days,
            c_t: (c_a + c_tb) / days,
            energy: outcome.energy_kwh / days,
            hosts: used / (24.0 * days),
            overloaded: overloaded / days,
        }
    }
}

/// A figure: its name, its digits, and where it is.
type Figure = (&'static str, usize, fn(&Figures) -> f64);

const FIGURES: [Figure; 13] = [
    ("slow queries, %", 2, |of| of.slow),
    ("in breach, % of the time judged", 2, |of| of.breach),
    ("not judged, % of the time", 1, |of| of.untold),
    ("processor time missed, %", 2, |of| of.missed),
    ("fairness (Jain)", 4, |of| of.fairness),
    ("requests a day", 0, |of| of.requests),
    ("moves a day", 0, |of| of.moves),
    ("in the ring C_a, a day", 2, |of| of.c_a),
    ("at the base C_tb, a day", 2, |of| of.c_tb),
    ("cost C_t, a day", 2, |of| of.c_t),
    ("energy, kWh a day", 1, |of| of.energy),
    ("hosts in use", 2, |of| of.hosts),
    ("host-hours overloaded, a day", 1, |of| of.overloaded),
];

/// The few that a table with many rows shows.
const FEW: [usize; 7] = [0, 1, 3, 6, 9, 10, 11];

fn cell(runs: &[Figures], (_, digits, of): Figure) -> String {
    let count = runs.len() as f64;
    let mean = runs.iter().map(of).sum::<f64>() / count;
    let squares: f64 = runs.iter().map(|run| (of(run) - mean) * (of(run) - mean)).sum();
    let spread = if runs.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    format!("{mean:.digits$} ± {spread:.digits$}")
}

/// Every figure of a setting by case: a table in Markdown, mean ± standard deviation over the seeds 1, 2, ...
///
/// # Errors
///
/// As [`Setting::run`].
pub fn by_case(setting: &Setting, cases: &[(&str, Deciding)], seeds: u64) -> Result<String, String> {
    let mut out = String::from("| |");
    let mut columns = Vec::new();
    for &(name, deciding) in cases {
        let _ = write!(out, " {name} |");
        columns.push(setting.run(deciding, seeds)?);
    }
    let _ = writeln!(out, "\n| --- |{}", " ---: |".repeat(columns.len()));
    for figure in FIGURES {
        let _ = write!(out, "| {} |", figure.0);
        for runs in &columns {
            let _ = write!(out, " {} |", cell(runs, figure));
        }
        out.push('\n');
    }
    Ok(out)
}

/// The main figures of several settings, one a row.
///
/// # Errors
///
/// As [`Setting::run`].
pub fn by_setting(
    heading: &str,
    settings: &[(String, Setting, Deciding)],
    seeds: u64,
) -> Result<String, String> {
    let mut out = format!("| {heading} |");
    for figure in FEW {
        let _ = write!(out, " {} |", FIGURES[figure].0);
    }
    let _ = writeln!(out, "\n| --- |{}", " ---: |".repeat(FEW.len()));
    for (name, setting, deciding) in settings {
        let runs = setting.run(*deciding, seeds)?;
        let _ = write!(out, "| {name} |");
        for figure in FEW {
            let _ = write!(out, " {} |", cell(&runs, FIGURES[figure]));
        }
        out.push('\n');
    }
    Ok(out)
}

/// The tables of the page, by name.
pub const TABLES: [&str; 5] = ["array", "load", "policy", "hours", "provider"];

/// One of [`TABLES`].
///
/// # Errors
///
/// As [`Setting::run`]; and where there is no such table.
pub fn table(name: &str, seeds: u64) -> Result<String, String> {
    match name {
        "array" => by_case(&Setting::read("effects-array.yaml")?, &cases(), seeds),
        "hours" => by_case(&Setting::read("effects-hours.yaml")?, &cases(), seeds),
        "provider" => by_case(&Setting::read("effects-provider.yaml")?, &cases(), seeds),
        "load" => by_setting("load, who decides", &loads()?, seeds),
        "policy" => by_setting("own policies", &policies()?, seeds),
        other => Err(format!("{other}: no such table; there are {}", TABLES.join(", "))),
    }
}

fn loads() -> Result<Vec<(String, Setting, Deciding)>, String> {
    let array = Setting::read("effects-array.yaml")?;
    let mut rows = Vec::new();
    for times in [0.25, 0.5, 0.75, 1.0, 1.25] {
        for (name, deciding) in cases().into_iter().take(3) {
            rows.push((format!("{times} ×, {name}"), array.loaded(times), deciding));
        }
    }
    Ok(rows)
}

fn policies() -> Result<Vec<(String, Setting, Deciding)>, String> {
    let array = Setting::read("effects-array.yaml")?;
    let own = |name: &str, changes: &[(&str, &str)]| {
        Ok((name.to_owned(), array.with(changes)?, Deciding::AsWritten))
    };
    let tarry = "> 50, tarry: 3,";
    let idle = "        - { name: idle, when: slow_queries < 1, tarry: 20, do: move-to-base }\n";
    let moves = "moves: { settle: 45s }";
    let provider = "provider: { answers_in: [1s, 3s] }";
    vec![
        own("as written", &[]),
        own("tarry 1", &[(tarry, "> 50, tarry: 1,")]),
        own("tarry 10", &[(tarry, "> 50, tarry: 10,")]),
        own("threshold 20", &[("slow_queries > 50", "slow_queries > 20")]),
        own("threshold 150", &[("slow_queries > 50", "slow_queries > 150")]),
        own("dwell 30 min", &[(moves, "moves: { settle: 45s, dwell: 30m }")]),
        own(
            "`tour: keep-going`, 16 an hour",
            &[(moves, "moves: { settle: 45s, tour: keep-going, at_most: 16 per 1h }")],
        ),
        own("without the base", &[(idle, "")]),
        own("without the base, dwell 30 min", &[(idle, ""), (moves, "moves: { settle: 45s, dwell: 30m }")]),
        own(
            "ranking every minute",
            &[(provider, "provider: { answers_in: [1s, 3s], ranking: { every: 1m, late: 5s } }")],
        ),
        own(
            "ranking every 10 s",
            &[(provider, "provider: { answers_in: [1s, 3s], ranking: { every: 10s, late: 1s } }")],
        ),
        own(
            "ranking every 10 s, dwell 30 min",
            &[
                (provider, "provider: { answers_in: [1s, 3s], ranking: { every: 10s, late: 1s } }"),
                (moves, "moves: { settle: 45s, dwell: 30m }"),
            ],
        ),
        own("answers in 5 s to 60 s", &[(provider, "provider: { answers_in: [5s, 60s] }")]),
        own("one request in ten refused", &[(provider, "provider: { answers_in: [1s, 3s], refuses: 0.1 }")]),
    ]
    .into_iter()
    .collect()
}
