//! `vmpolicy demo`: the quick start. A policy at work on this machine's own load, in an array of hosts that
//! is only pretended; all else is the daemon's own: the file's reader, the engine, the loop, the threads.

mod meter;
mod screen;

use super::Exit;
use super::check::many;
use super::terminal::{Terminal, complain, print, wrapped};
use crate::actuator::Embedded;
use crate::agent::{
    Alone, Clock as _, Driver, Event, Hands, Identity, Lines, StateStore, SystemClock, WiredActuator,
    WiredProbe, Wiring, run as run_agent,
};
use crate::board::Plight;
use crate::probe::Named;
use crate::zones::SystemZones;
use clap::{ColorChoice, ValueEnum};
use meter::{Load, Meter, Range, calibrate};
use screen::{Screen, Sink, Tally};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use vmpolicy_core::file::load;
use vmpolicy_core::input::{Absence, Setup};
use vmpolicy_core::ports::Probe;
use vmpolicy_core::{Engine, Input, Policy};

const EXAMPLES: &str = "\
Examples:
  vmpolicy demo
  vmpolicy demo --seconds 20";

const HOSTS: [&str; 5] = ["mln1", "mln2", "mln3", "mln4", "mln5"];
const BASE: &str = "mln6";
const GUEST: &str = "demo";

/// How long a move takes in the demonstration.
const MOVE_TAKES: Duration = Duration::from_millis(700);

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How long it takes.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=3600))]
    pub seconds: u64,
    /// What to measure.
    #[arg(long, value_enum, default_value_t)]
    pub watch: Watch,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Watch {
    /// The machine's load, where it can be told from the noise; else this program's own.
    #[default]
    Auto,
    /// How many tasks of this machine want a processor.
    Machine,
    /// How much processor time this program takes.
    Program,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match show(args) {
        Ok(()) => Exit::Done,
        Err(Ended::Failed(why)) => {
            complain(&why);
            Exit::Outside
        }
        Err(Ended::Unread(exit)) => exit,
    }
}

/// Why it ended early.
enum Ended {
    Failed(String),
    Unread(Exit),
}

impl From<Exit> for Ended {
    fn from(exit: Exit) -> Self {
        Self::Unread(exit)
    }
}

fn show(args: &Args) -> Result<(), Ended> {
    let began = Instant::now();
    let terminal = Terminal::of_stdout(args.color);
    let paragraph = |text: &str| print(&format!("{}\n\n", wrapped(text, terminal.prose(), "")));
    let (sender, events) = channel();
    listen(sender.clone()).map_err(|error| Ended::Failed(format!("can't listen to signals: {error}")))?;

    let processors = thread::available_parallelism().map_or(2, usize::from);
    paragraph(&format!(
        "A guest named {GUEST} decides where it runs. Its hosts are only pretended; what it measures is real. For two \
         seconds this program measures, first without and then with load of its own making."
    ))?;
    let meters: &[Meter] = match args.watch {
        Watch::Auto => &[Meter::Runnable, Meter::Own],
        Watch::Machine => &[Meter::Runnable],
        Watch::Program => &[Meter::Own],
    };
    let range = calibrate(meters, processors);
    paragraph(&chosen(range, args.watch))?;

    let every = Duration::from_millis(if args.seconds < 30 { 500 } else { 1_000 });
    let text = policy_text(range, every);
    let loaded = load(text.as_bytes(), &SystemZones::default()).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, |problem| problem.message.clone());
        Ended::Failed(format!("the demonstration's own policy is not sound: {first}"))
    })?;
    print(&format!("This is its policy:\n\n{}\n", indented(&text)))?;

    let marks = (low(range), high(range));
    let hosts = HOSTS.map(str::to_owned).to_vec();
    let screen = Screen::new(terminal, hosts, BASE, range.meter.name(), marks, sender.clone());
    let (director, done) = channel();
    let acts = acts(Duration::from_secs(args.seconds).saturating_sub(began.elapsed()), range.threads);
    let directing = {
        let (screen, sender) = (screen.clone(), sender.clone());
        thread::spawn(move || direct(&acts, &screen, &done, &sender))
    };
    let ended = decide(Arc::new(loaded.policy), range.meter, &screen, sender, &events);
    // Whoever waits for this end of the channel is woken by its end.
    drop(director);
    let played_out = directing.join().unwrap_or(false);
    let tally = screen.end();
    ended.map_err(|error| Ended::Failed(error.to_string()))?;
    print(&summary(&tally, played_out, &terminal))?;
    Ok(())
}

/// Ctrl-C ends the loop as its end does.
fn listen(events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            if events.send(Event::Stop).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn high(range: Range) -> f64 {
    range.at(0.55)
}

fn low(range: Range) -> f64 {
    range.at(0.35)
}

/// What was chosen as the indicator, and why.
fn chosen(range: Range, wanted: Watch) -> String {
    let (quiet, loud, threads) = (range.at(0.0), range.at(1.0), range.threads);
    match range.meter {
        Meter::Runnable => format!(
            "The indicator is `load`: how many tasks of this machine want a processor at this moment. (The load average is made \
             of the same number and takes a minute to follow.) It was {quiet} by itself and {loud} with {threads} threads that \
             keep the processors busy; the thresholds lie in between."
        ),
        Meter::Own => {
            let why = match wanted {
                Watch::Auto => {
                    " (The machine's load as a whole would be the better indicator, but here it can't be read, or others keep \
                     it too busy to tell this program's share.)"
                }
                _ => "",
            };
            format!(
                "The indicator is `cpu`: the processor time that this program takes, in per cent of one processor.{why} It was \
                 {quiet} without load and {loud} with {threads} threads that do nothing else; the thresholds lie in between."
            )
        }
    }
}

/// The policy as a user would write it. The probe is this program's own, so the file names none.
fn policy_text(range: Range, every: Duration) -> String {
    let (name, every_ms) = (range.meter.name(), every.as_millis());
    let (high, low) = (high(range), low(range));
    format!(
        "\
version: 1
guest: {GUEST}
arrays:
  lab: {{ hosts: [{}], base: {BASE} }}
indicators:
  {name}: {{ every: {every_ms}ms, missing: 2 }}
rules:
  - {{ name: overloaded, when: {name} > {high}, tarry: 3, do: move }}
  - {{ name: idle, when: {name} < {low}, tarry: 4, do: move-to-base }}
moves: {{ settle: 1s, confirm_within: 10s, at_most: 30 per 1m, tour: stop, tour_pause: 10s }}
actuator: {{ embedded: {{}} }}
",
        HOSTS.join(", ")
    )
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "    {line}");
        out
    })
}

/// A part of the show.
#[derive(Clone, Debug, PartialEq)]
struct Act {
    says: String,
    threads: usize,
    lasts: Duration,
}

/// Load, then none; where there is time, once more, so that the guest leaves its base again.
fn acts(time: Duration, threads: usize) -> Vec<Act> {
    let act = |says: String, threads, share: f64| Act { says, threads, lasts: time.mul_f64(share) };
    let rush = |share| act(format!("[load] {threads} busy threads"), threads, share);
    let quiet = |share| act("[load] none".to_owned(), 0, share);
    if time < Duration::from_secs(40) {
        vec![rush(0.45), quiet(0.55)]
    } else {
        vec![rush(0.48), quiet(0.2), rush(0.14), quiet(0.18)]
    }
}

/// Plays the acts and ends the loop; `true` where nobody ended it before.
fn direct(acts: &[Act], screen: &Screen, done: &Receiver<()>, events: &Sender<Event>) -> bool {
    for act in acts {
        screen.act(&act.says);
        let load = (act.threads > 0).then(|| Load::of(act.threads));
        let waited = done.recv_timeout(act.lasts);
        drop(load);
        if waited != Err(RecvTimeoutError::Timeout) {
            return false;
        }
    }
    // Where the loop has ended there is nobody to tell.
    let _ = events.send(Event::Stop);
    true
}

/// The daemon's loop with the demonstration's ports.
fn decide(
    policy: Arc<Policy>,
    meter: Meter,
    screen: &Screen,
    sender: Sender<Event>,
    events: &Receiver<Event>,
) -> io::Result<()> {
    let array = Embedded::new(HOSTS[0], MOVE_TAKES);
    let setup = Setup { at: policy.host_named(HOSTS[0]), locates: true, resends: true };
    let watched = screen.clone();
    let probe = WiredProbe {
        key: meter.name().to_owned(),
        at_hand: false,
        make: Box::new(move || {
            let probe = Named::new(meter.name(), meter.source(), Plight::default());
            Box::new(Watched { probe, screen: watched })
        }),
    };
    let mut hands = Hands::new(GUEST, sender, SystemClock::monotonic);
    hands.wire(Wiring {
        probes: vec![probe],
        actuator: WiredActuator::new(array.actuator()),
        locator: Some(Box::new(array.locator())),
        arrivals: None,
        queues: Vec::new(),
    });
    let identity = Identity { guest: GUEST.to_owned(), dry_run: false };
    let engine = Engine::new(policy, Setup::default());
    let mut driver = Driver::new(engine, Forgetful, Lines::new(identity, Sink(screen.clone())), hands);
    let mut clock = SystemClock;
    driver.handle(clock.now(), &Input::Start(setup));
    run_agent(&mut driver, &mut clock, events, &mut Alone)
}

/// The demonstration's world ends with it: there is nothing that a state should survive for.
struct Forgetful;

impl StateStore for Forgetful {
    type Error = io::Error;

    fn save(&mut self, _: &Engine) -> io::Result<()> {
        Ok(())
    }
}

/// Shows each reading.
struct Watched {
    probe: Named,
    screen: Screen,
}

impl Probe for Watched {
    fn read(&mut self) -> Result<f64, Absence> {
        let read = self.probe.read();
        self.screen.read(read.ok());
        read
    }
}

/// What was seen, and what to try next.
fn summary(tally: &Tally, played_out: bool, terminal: &Terminal) -> String {
    let mut text = String::from("\n");
    if !played_out {
        text.push_str("Ended early. ");
    }
    let all = tally.stayed.values().sum::<Duration>().as_secs_f64().max(1e-3);
    let shares: Vec<_> = tally
        .stayed
        .iter()
        .map(|(host, stayed)| format!("{host} {:.0}%", 100.0 * stayed.as_secs_f64() / all))
        .collect();
    let seen = match tally.requests {
        0 => {
            "The guest asked for no move: nothing was above or below a threshold for long enough.".to_owned()
        }
        requests => format!(
            "The guest asked for {} and made {}, {} to its base. Time spent: {}.",
            many(requests as usize, "move"),
            tally.arrivals,
            if tally.at_base == 0 { "none".to_owned() } else { format!("{} of them", tally.at_base) },
            shares.join(", ")
        ),
    };
    text.push_str(&wrapped(&seen, terminal.prose(), ""));
    text.push_str(
        "

To try next:
  vmpolicy check docs/examples/base-aware.yaml       is a policy sound?
  vmpolicy explain docs/examples/base-aware.yaml     what would it do?
  vmpolicyd --config policy.yaml --dry-run           decide here, and ask for nothing
",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_policy_is_sound_and_wise() {
        for meter in [Meter::Runnable, Meter::Own] {
            for (quiet, loud) in [(0.0, 100.0), (3.2, 7.9), (0.0, 0.0), (12.0, 3.0)] {
                let text = policy_text(Range { meter, quiet, loud, threads: 4 }, Duration::from_millis(500));
                let loaded = load(text.as_bytes(), &SystemZones::default());
                let loaded = loaded.unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
                if quiet < loud {
                    assert_eq!(loaded.warnings, [], "{text}");
                }
            }
        }
    }

    #[test]
    fn the_acts_fill_the_time() {
        for seconds in [8, 39, 40, 57, 3_600] {
            let time = Duration::from_secs(seconds);
            let all: Duration = acts(time, 4).iter().map(|act| act.lasts).sum();
            assert!(all.abs_diff(time) < Duration::from_millis(1));
        }
    }
}
