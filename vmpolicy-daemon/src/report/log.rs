//! What one guest of one variant did, written down as it happens: by a backtest from the engine's records and
//! samples, by the simulator in the same way.

use super::model::{Range, Stay, StayState};
use super::number::Offset as At;
use super::thin::{Thin, bucket_ms};
use std::collections::BTreeMap;
use std::sync::Arc;
use vmpolicy_core::id::{HostId, Id as _};
use vmpolicy_core::output::{Because, Discontinuity, Event, Origin, Verdict};
use vmpolicy_core::record::View;
use vmpolicy_core::time::{Span, Wall};

/// Buckets of the band of all guests.
pub(super) const BAND_BUCKETS: usize = 600;

/// How much is kept of a guest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Numbers of its indicator.
    pub samples: usize,
    /// Rows of each table.
    pub rows: usize,
    /// How long a bar is, and when the first begins.
    pub bars: (At, At),
    /// Whether there are other guests, so that there is a band.
    pub band: bool,
}

/// One guest's log. It can be filled on any thread; `finish` ends it.
#[derive(Clone, Debug)]
pub struct GuestLog {
    pub(super) guest: usize,
    range: Range,
    limits: Limits,
    /// The page's number of each of the policy's hosts.
    hosts: Arc<[usize]>,
    pub(super) thin: Thin,
    pub(super) band: Vec<BandBucket>,
    pub(super) breach: Vec<(At, At)>,
    breach_since: Option<At>,
    pub(super) stays: Vec<Stay>,
    since: At,
    host: Option<usize>,
    rests: bool,
    moves: bool,
    is_off: bool,
    /// Whether somebody sees where the guest is, so that its records need not say.
    is_seen: bool,
    /// Requests by rule (or `drain`, `operator`) and bar.
    pub(super) bars: BTreeMap<(String, u32), u32>,
    pub(super) requests: Vec<RequestRow>,
    pub(super) requests_more: u64,
    /// The rule that the open request is of.
    open: String,
    pub(super) held: Vec<HeldRow>,
    pub(super) held_more: u64,
}

/// What all samples of one bucket come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BandBucket {
    pub count: u32,
    pub low: f64,
    pub high: f64,
    pub sum: f64,
}

/// A request as a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RequestRow {
    pub at: Wall,
    pub id: u64,
    pub rule: String,
    pub action: &'static str,
    pub from: usize,
    pub to: usize,
    pub because: String,
    /// How and when it ended.
    pub end: Option<(&'static str, Wall)>,
}

/// A move that did not take place, as a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeldRow {
    pub at: Wall,
    pub event: &'static str,
    pub rule: String,
    pub says: String,
    pub because: String,
}

impl GuestLog {
    pub(super) fn new(
        guest: usize,
        range: Range,
        limits: Limits,
        hosts: Arc<[usize]>,
        at: Option<usize>,
    ) -> Self {
        let lasts = At::from(range.to.since(range.from));
        let band = if limits.band { vec![BandBucket::default(); BAND_BUCKETS] } else { Vec::new() };
        Self {
            guest,
            range,
            limits,
            hosts,
            thin: Thin::new(lasts, limits.samples),
            band,
            breach: Vec::new(),
            breach_since: None,
            stays: Vec::new(),
            since: At(0),
            host: at,
            rests: false,
            moves: false,
            is_off: false,
            is_seen: false,
            bars: BTreeMap::new(),
            requests: Vec::new(),
            requests_more: 0,
            open: String::new(),
            held: Vec::new(),
            held_more: 0,
        }
    }

    fn offset(&self, at: Wall) -> At {
        At(at.0.saturating_sub(self.range.from.0))
    }

    /// The guest comes into the world later than the page begins: it was nowhere before. To be said first.
    pub fn begins(&mut self, at: Wall) {
        self.since = self.offset(at);
    }

    /// A sample of the indicator, as the rules saw it, or none; and whether a rule with the action `move` is true.
    /// Both hold until the next one, or until the guest rests.
    pub fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        let at = self.offset(at);
        self.thin.add(at, value.unwrap_or(f64::NAN));
        if let (false, Some(value)) = (self.band.is_empty(), value) {
            let lasts = self.range.to.since(self.range.from).millis();
            let bucket = bucket_ms(i64::try_from(lasts).unwrap_or(i64::MAX), self.band.len());
            let last = self.band.len() - 1;
            let bucket = &mut self.band[usize::try_from(at.0 / bucket).unwrap_or(0).min(last)];
            let first = bucket.count == 0;
            bucket.low = if first { value } else { bucket.low.min(value) };
            bucket.high = if first { value } else { bucket.high.max(value) };
            bucket.sum += value;
            bucket.count += 1;
        }
        self.breaches(at, in_breach);
    }

    fn breaches(&mut self, at: At, in_breach: bool) {
        match (self.breach_since, in_breach) {
            (None, true) => self.breach_since = Some(at),
            (Some(since), false) => {
                self.breach_since = None;
                if at > since {
                    self.breach.push((since, at));
                }
            }
            _ => {}
        }
    }

    /// Where the guest is, whether it moves and whether it is on is told by [`placed`](Self::placed),
    /// [`moving`](Self::moving) and [`powered`](Self::powered): its records, which say what it knows, do not count for
    /// that. To be said first.
    pub const fn seen(&mut self) {
        self.is_seen = true;
    }

    /// The guest is on this host from now on, and no move is under way.
    pub fn placed(&mut self, at: Wall, host: Option<usize>) {
        self.stays_so(at, |log| (log.host, log.moves) = (host, false));
    }

    /// A move is under way from now on, or none any more.
    pub fn moving(&mut self, at: Wall, moves: bool) {
        self.stays_so(at, |log| log.moves = moves);
    }

    /// The guest is switched off, or on again. While it is off nothing is known.
    pub fn powered(&mut self, at: Wall, on: bool) {
        self.stays_so(at, |log| log.is_off = !on);
        if !on {
            self.nothing_known(at);
        }
    }

    fn nothing_known(&mut self, at: Wall) {
        let at = self.offset(at);
        self.breaches(at, false);
        self.thin.add(at, f64::NAN);
    }

    /// The guest has another policy from now on: the page's number of each of its hosts.
    pub fn reload(&mut self, hosts: Arc<[usize]>) {
        self.hosts = hosts;
    }

    /// A record of this guest, at its own time.
    pub fn record(&mut self, view: &View<'_>) {
        self.record_at(view.record.at, view);
    }

    /// A record of this guest, at this time: the guest's own clock may be wrong.
    pub fn record_at(&mut self, at: Wall, view: &View<'_>) {
        let host = |id: HostId| self.hosts.get(id.index()).copied();
        match view.record.event {
            Event::Request { id, origin, action, from, to, because } => {
                let (from, to) = (host(from), host(to));
                self.told_where(at, |log| log.moves = true);
                let rule = origin_name(view, origin);
                self.count(at, &rule);
                self.open.clone_from(&rule);
                if self.requests.len() < self.limits.rows {
                    let because = said(view, &rule).1 + &passed_over(view, because);
                    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
                    let (id, action) = (id.0, action.name());
                    self.requests.push(RequestRow { at, id, rule, action, from, to, because, end: None });
                } else {
                    self.requests_more += 1;
                }
            }
            Event::Confirmed { id, at_host } => {
                let there = host(at_host);
                self.told_where(at, |log| (log.moves, log.host) = (false, there));
                self.ended(id.0, "confirmed", at);
            }
            Event::Refused { id, .. } | Event::Failed { id, .. } | Event::Expired { id, .. } => {
                self.told_where(at, |log| log.moves = false);
                self.ended(id.0, view.record.event.name(), at);
                self.held(at, view, self.open.clone());
            }
            Event::Held { origin, .. } => self.held(at, view, origin_name(view, origin)),
            Event::NoBetterHost { rule, .. } => self.held(at, view, origin_name(view, Origin::Rule(rule))),
            Event::Rest { .. } => {
                self.stays_so(at, |log| log.rests = true);
                self.nothing_known(at);
            }
            Event::Wake { .. } => self.stays_so(at, |log| log.rests = false),
            Event::Void { why: Discontinuity::Moved { to, .. } } => {
                let there = to.and_then(host);
                self.told_where(at, |log| log.host = there);
            }
            _ => {}
        }
    }

    fn count(&mut self, at: Wall, rule: &str) {
        let (first, width) = self.limits.bars;
        let bar = (self.offset(at).0 - first.0) / width.0.max(1);
        let key = (rule.to_owned(), u32::try_from(bar).unwrap_or(0));
        *self.bars.entry(key).or_default() += 1;
    }

    /// What a record says of where the guest is.
    fn told_where(&mut self, at: Wall, change: impl FnOnce(&mut Self)) {
        if !self.is_seen {
            self.stays_so(at, change);
        }
    }

    /// Ends the stay so far and begins another.
    fn stays_so(&mut self, at: Wall, change: impl FnOnce(&mut Self)) {
        let at = self.offset(at);
        let before = (self.host, self.state());
        let since = self.since;
        change(self);
        if (self.host, self.state()) == before {
            return;
        }
        self.since = at;
        self.stay(since, at, before);
    }

    fn stay(&mut self, from: At, to: At, (host, state): (Option<usize>, StayState)) {
        if to > from {
            self.stays.push(Stay { from, to, host, state });
        }
    }

    const fn state(&self) -> StayState {
        match (self.moves, self.is_off, self.rests) {
            (true, ..) => StayState::Moves,
            (false, true, _) => StayState::Off,
            (false, false, true) => StayState::Rests,
            (false, false, false) => StayState::Runs,
        }
    }

    fn ended(&mut self, id: u64, how: &'static str, at: Wall) {
        if let Some(row) = self.requests.last_mut().filter(|row| row.id == id) {
            row.end = Some((how, at));
        }
    }

    fn held(&mut self, at: Wall, view: &View<'_>, rule: String) {
        if self.held.len() >= self.limits.rows {
            self.held_more += 1;
            return;
        }
        let (says, because) = said(view, &rule);
        let row = HeldRow { at, event: view.record.event.name(), rule, says, because };
        self.held.push(row);
    }

    /// The guest's run has ended, at this time; in the end, all are where they were.
    pub fn finish(&mut self, at: Wall) {
        let end = self.offset(at);
        self.breaches(end, false);
        self.thin.add(end, f64::NAN);
        let (since, now) = (self.since, (self.host, self.state()));
        self.stay(since, end, now);
        self.since = end;
    }

    /// How long the guest was in breach so far.
    #[must_use]
    pub fn in_breach(&self) -> Span {
        let spans = self.breach.iter().map(|(from, to)| u64::try_from(to.0 - from.0).unwrap_or(0));
        Span::from_millis(spans.sum())
    }
}

fn origin_name(view: &View<'_>, origin: Origin) -> String {
    match origin {
        Origin::Rule(rule) => view.policy.rules()[rule].name.clone(),
        Origin::Drain => "drain".to_owned(),
        Origin::Operator => "operator".to_owned(),
    }
}

/// The hosts that something spoke against, and what.
fn passed_over(view: &View<'_>, because: Because) -> String {
    let mut said = String::new();
    for &(host, verdict) in view.output.verdicts.get(because.verdicts()).unwrap_or_default() {
        if matches!(verdict, Verdict::Chosen | Verdict::Eligible | Verdict::Current) {
            continue;
        }
        let lasts = verdict.lasts().map(|lasts| format!(" for {lasts}")).unwrap_or_default();
        said += &format!("; {} {}{lasts}", view.policy.hosts()[host].name, verdict.name());
    }
    said
}

/// The record in the words of its line: what it says, and what for. The rule has a column of its own.
fn said(view: &View<'_>, rule: &str) -> (String, String) {
    let line = view.line().to_string();
    let said = line.split_once(' ').map_or("", |(_, rest)| rest);
    let said = said.strip_prefix(view.guest).unwrap_or(said).trim_start();
    match said.split_once(" (") {
        Some((says, because)) => {
            let because = because.strip_suffix(')').unwrap_or(because);
            let because =
                because.strip_prefix(rule).map_or(because, |rest| rest.trim_start_matches([':', ',', ' ']));
            (says.to_owned(), because.to_owned())
        }
        None => (said.to_owned(), String::new()),
    }
}
