//! What the demonstration shows: a line for each decision and, on a terminal, where the guest is right now.

use crate::agent::{Event, RecordSink};
use crate::cli::terminal::Terminal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where nothing can be drawn again, a reading is printed so often.
const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// The screen, shared by those who have something to say.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<Inner>>);

struct Inner {
    terminal: Terminal,
    began: Instant,
    hosts: Vec<String>,
    base: String,
    meter: &'static str,
    at: String,
    since: Instant,
    to: Option<String>,
    reading: Option<f64>,
    /// The thresholds: below, above.
    marks: (f64, f64),
    said_at: Option<Instant>,
    /// To end the show when nobody is looking any more.
    stop: Sender<Event>,
    tally: Tally,
}

/// What has happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) requests: u32,
    pub(super) arrivals: u32,
    pub(super) at_base: u32,
    /// How long the guest was on each host, in its order.
    pub(super) stayed: BTreeMap<String, Duration>,
}

impl Screen {
    pub(super) fn new(
        terminal: Terminal,
        hosts: Vec<String>,
        base: &str,
        meter: &'static str,
        marks: (f64, f64),
        stop: Sender<Event>,
    ) -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(Inner {
            terminal,
            began: now,
            at: hosts.first().cloned().unwrap_or_default(),
            hosts,
            base: base.to_owned(),
            meter,
            since: now,
            to: None,
            reading: None,
            marks,
            said_at: None,
            stop,
            tally: Tally::default(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the director does.
    pub(super) fn act(&self, what: &str) {
        self.inner().say(what, Tone::Stage);
    }

    /// What the probe read.
    pub(super) fn read(&self, value: Option<f64>) {
        let mut inner = self.inner();
        inner.reading = value;
        if inner.terminal.live {
            let line = inner.map();
            inner.put(&format!("\r\x1b[K{line}"));
        } else if inner.said_at.is_none_or(|at| at.elapsed() >= PLAIN_EVERY) {
            inner.said_at = Some(Instant::now());
            let seen = inner.shown();
            let at = inner.at.clone();
            inner.say(&format!("{seen}, on {at}"), Tone::Aside);
        }
    }

    /// A record of the engine.
    fn record(&self, record: &Value) {
        let text = |key: &str| record[key].as_str().unwrap_or("?").to_owned();
        let mut inner = self.inner();
        let said = match record["event"].as_str().unwrap_or_default() {
            "request" => {
                inner.tally.requests += 1;
                inner.to = Some(text("to"));
                let why = because(&record["because"]);
                format!("asks to move {} -> {}: {}{why}", text("from"), text("to"), text("rule"))
            }
            "confirmed" => {
                inner.arrive(text("at_host"));
                let base = if inner.at == inner.base { ", its base" } else { "" };
                format!("is at {}{base}", inner.at)
            }
            "held" => format!("stays: {} is held by {}", text("rule"), text("reason")),
            "no-better-host" => {
                format!("tried every host in vain and stays where it is: no better host for {}", text("rule"))
            }
            "already-there" => format!("is where {} wants it already", text("rule")),
            "unknown" => format!("can't use a reading of {}: {}", text("indicator"), text("reason")),
            "void" => "throws away its samples: clocks or places have changed".to_owned(),
            other => other.to_owned(),
        };
        inner.say(&format!("the guest {said}"), Tone::Decision);
    }

    /// Ends the live line, and says what has happened.
    pub(super) fn end(&self) -> Tally {
        let mut inner = self.inner();
        if inner.terminal.live {
            inner.put("\r\x1b[K");
        }
        let at = inner.at.clone();
        inner.arrive_quietly(at);
        inner.tally.clone()
    }
}

enum Tone {
    Stage,
    Decision,
    Aside,
}

impl Inner {
    /// A line with its time, above the live one.
    fn say(&mut self, what: &str, tone: Tone) {
        let (style, plain) = match tone {
            _ if !self.terminal.colour => ("", ""),
            Tone::Stage => ("\x1b[36m", "\x1b[0m"),
            Tone::Decision => ("\x1b[1m", "\x1b[0m"),
            Tone::Aside => ("\x1b[2m", "\x1b[0m"),
        };
        let at = self.began.elapsed().as_secs_f64();
        let mut text = String::new();
        if self.terminal.live {
            text.push_str("\r\x1b[K");
        }
        let _ = writeln!(text, "{at:6.1} s  {style}{what}{plain}");
        if self.terminal.live {
            text.push_str(&self.map());
        }
        self.put(&text);
    }

    /// The hosts in a row with the guest in its place, and the reading. Cut to the terminal: a line that
    /// wraps can't be drawn again.
    fn map(&self) -> String {
        let host = |name: &String| match &self.to {
            _ if *name == self.at => format!("[{name}]"),
            Some(to) if to == name => format!(">{name}<"),
            _ => format!(" {name} "),
        };
        let ring: Vec<_> = self.hosts.iter().map(host).collect();
        let line = format!("  {} | {}  {}", ring.join(""), host(&self.base), self.shown());
        let columns = self.terminal.columns.unwrap_or(80).saturating_sub(1);
        line.chars().take(columns).collect()
    }

    fn shown(&self) -> String {
        let (low, high) = self.marks;
        match self.reading {
            None => format!("{} unknown", self.meter),
            Some(value) => {
                let than = if value > high {
                    format!(" (above {high})")
                } else if value < low {
                    format!(" (below {low})")
                } else {
                    String::new()
                };
                format!("{} {value}{than}", self.meter)
            }
        }
    }

    fn arrive(&mut self, host: String) {
        self.tally.arrivals += 1;
        self.tally.at_base += u32::from(host == self.base);
        self.arrive_quietly(host);
    }

    fn arrive_quietly(&mut self, host: String) {
        let now = Instant::now();
        let left = std::mem::replace(&mut self.at, host);
        *self.tally.stayed.entry(left).or_default() += now.duration_since(self.since);
        (self.since, self.to) = (now, None);
    }

    fn put(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            // Nobody is looking. Where the loop has ended already, so much the better.
            let _ = self.stop.send(Event::Stop);
        }
    }
}

/// The values that were seen, and the counter: ` (load 9.3 > 5.2, 3 of 3)`.
fn because(because: &Value) -> String {
    let conditions = because["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut said: Vec<_> = conditions
        .iter()
        .filter_map(|one| {
            let (indicator, than) = one["when"].as_str()?.split_once(' ')?;
            Some(format!("{indicator} {} {than}", one["saw"].as_f64()?))
        })
        .collect();
    if let (Some(counter), Some(tarry)) = (because["counter"].as_u64(), because["tarry"].as_str()) {
        said.push(format!("{counter} of {tarry}"));
    }
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// Takes the engine's records as a daemon's journal does, and shows them.
pub(super) struct Sink(pub(super) Screen);

impl RecordSink for Sink {
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(record) = serde_json::from_slice(line) {
                self.0.record(&record);
            }
        }
        lines.clear();
        Ok(())
    }
}
