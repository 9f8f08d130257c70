//! `--report`: the results of a backtest as a page. The runs are done once more, as they come out the same, with
//! logs that keep what a page shows; the numbers are those of the summary.

use super::report::{Figures, Guest};
use super::text::grouped;
use crate::cli::Exit;
use crate::cli::check::shown;
use crate::cli::terminal::complain;
use crate::report::{Better, Builder, Cell, Column, Cost, GuestLog, Page, Range, Table, Unit};
use crate::trace::Series;
use crate::zones::{Origin, SystemZones};
use serde::Serialize;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use vmpolicy_core::backtest::{Options, Sink, run};
use vmpolicy_core::id::Id as _;
use vmpolicy_core::record::View;
use vmpolicy_core::time::{Span, Wall};
use vmpolicy_core::{Output, Policy};

/// Rows of the table of guests.
const GUESTS_MAX: usize = 200;

/// A policy and what it came to.
pub(super) struct Case<'a> {
    /// What it is called: the file's name.
    pub name: &'a str,
    pub policy: &'a Arc<Policy>,
    pub options: Options,
    /// All guests together.
    pub totals: &'a Figures,
    pub guests: &'a [Guest],
}

/// What all cases have in common.
pub(super) struct Recording<'a> {
    /// Its name.
    pub trace: &'a str,
    pub series: &'a [Series],
    /// The guest's name where the trace has no series.
    pub fallback: &'a str,
    /// What was mended, and what looks as if it was not meant so.
    pub notes: Vec<String>,
    /// The version of the zone data.
    pub zones: Option<String>,
}

/// The summary as JSON, and the page's data where there is a page: every figure of it.
#[derive(Serialize)]
pub(super) struct With<'a, R> {
    #[serde(flatten)]
    pub report: &'a R,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// Why a page can't go there, where it can't.
pub(super) fn refuse(path: &Path, args: &super::Args) -> Result<(), String> {
    if super::is_dash(path) {
        return Err("a report is a file: --report week.html".to_owned());
    }
    let others = [Some(&args.file), Some(&args.trace), args.events.as_ref()];
    let same = |other: &&PathBuf| super::is_same(path, other) || (path == other.as_path());
    match others.into_iter().flatten().find(same) {
        Some(_) => Err(format!("{}: the report would overwrite it", shown(path))),
        None => Ok(()),
    }
}

/// Makes the page and puts it in place.
pub(super) fn write(path: &Path, recording: &Recording<'_>, cases: &[Case<'_>]) -> Result<Page, Exit> {
    let page = page(recording, cases);
    crate::report::write(path, &page).map_err(|error| {
        complain(&format!("can't write {}: {error}", shown(path)));
        Exit::Outside
    })?;
    Ok(page)
}

/// The versions of the zone data that was read, each once.
pub(super) fn zone_data(zones: &SystemZones) -> Option<String> {
    let mut versions = Vec::new();
    for (_, origin) in zones.used().into_iter().filter(|(name, _)| name != "UTC") {
        let version = match origin {
            Origin::System(_, version) => version,
            Origin::Bundled(version) => version.map(str::to_owned),
        };
        let version = version.unwrap_or_else(|| "unknown".to_owned());
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

/// The page of a backtest.
fn page(recording: &Recording<'_>, cases: &[Case<'_>]) -> Page {
    let spans = || recording.series.iter().filter_map(|series| series.trace.span());
    let range = Range {
        from: spans().map(|span| span.0).min().unwrap_or_default(),
        to: spans().map(|span| span.1).max().unwrap_or_default(),
    };
    let name = |series: &Series| series.name.clone().unwrap_or_else(|| recording.fallback.to_owned());
    let guests: Vec<_> = recording.series.iter().map(name).collect();
    let title = match (guests.as_slice(), cases) {
        ([one], [case]) => format!("{one} under {}", case.name),
        ([one], _) => format!("{one} under {} policies", cases.len()),
        (all, [case]) => format!("{} guests under {}", all.len(), case.name),
        (all, _) => format!("{} guests under {} policies", all.len(), cases.len()),
    };
    let mut page = Builder::new(&title, range, guests, cases.len());
    // The zone that a policy speaks of is where its guests are; of several, the first.
    let windows = cases.iter().flat_map(|case| case.policy.windows().rows());
    if let Some(window) = windows.map(|named| &named.window).next() {
        page = page.zone(window.zone());
    }
    facts(&mut page, recording, cases);
    measures(&mut page, cases);
    let hosts: Vec<_> = cases.iter().map(|case| page.hosts_of(case.policy)).collect();
    for (case, hosts) in cases.iter().zip(hosts) {
        let logs = logs(&page, recording, case, &hosts);
        let mut variant = page.variant(case.name, Some(case.policy));
        variant.cost(case.totals.cost.map(|cost| Cost {
            c_a: cost.c_a,
            c_b: cost.c_b,
            c_sb: cost.c_sb,
            c_tb: cost.c_tb,
            c_t: cost.c_t,
            base_is_cheaper: cost.base_is_cheaper,
        }));
        variant.logs(Some(case.options.indicator), logs);
        variant.table(time_on_hosts(case.totals));
        if case.guests.len() > 1 {
            variant.table(by_guest(case.guests));
        }
        let variant = variant.done();
        page.push(variant);
    }
    page.build()
}

fn facts(page: &mut Builder, recording: &Recording<'_>, cases: &[Case<'_>]) {
    let rows: usize = recording.series.iter().map(|series| series.trace.len()).sum();
    page.fact("recording", format!("{}, {} rows", recording.trace, grouped(rows as u64)));
    if let [case] = cases {
        let polled = &case.policy.indicators()[case.options.indicator];
        page.fact("indicator", format!("{} every {}", polled.name, polled.every));
    }
    if let [case, ..] = cases
        && !case.options.move_takes.is_zero()
    {
        page.fact("a move takes", case.options.move_takes.to_string());
    }
    recording.notes.iter().for_each(|note| page.note(note));
    page.zones(recording.zones.clone());
}

fn measures(page: &mut Builder, cases: &[Case<'_>]) {
    let mut add = |name, unit, better, of: &dyn Fn(&Figures) -> Option<f64>| {
        let values: Vec<_> = cases.iter().map(|case| of(case.totals)).collect();
        let never = better == Better::Neither && values.iter().flatten().all(|value| *value == 0.0);
        if values.iter().any(Option::is_some) && !never {
            page.measure(name, unit, better, values);
        }
    };
    let secs = |span: Span| Some(span.as_secs_f64());
    let held = |of: &Figures| cases.iter().find(|case| std::ptr::eq(case.totals, of)).map(held);
    add("requests", Unit::Count, Better::Less, &|of| Some(of.requests.count as f64));
    add("requests an hour, mean", Unit::PerHour, Better::Less, &|of| of.requests.mean_per_hour);
    add("requests in one hour, most", Unit::Count, Better::Less, &|of| {
        Some(of.requests.most_per_hour as f64)
    });
    add("in breach", Unit::Seconds, Better::Less, &|of| of.time.breach.and_then(secs));
    add("share in breach", Unit::Share, Better::Less, &|of| of.time.breach_share);
    add("at the base", Unit::Seconds, Better::Neither, &|of| secs(of.time.at_base));
    add("share at the base", Unit::Share, Better::Neither, &|of| of.time.at_base_share);
    add("resting", Unit::Seconds, Better::Neither, &|of| secs(of.time.resting));
    add("nothing known", Unit::Seconds, Better::Neither, &|of| secs(of.time.unknown));
    add("held back", Unit::Count, Better::Less, &held);
    add("cost in all (C_t)", Unit::Money, Better::Less, &|of| of.cost.map(|cost| cost.c_t));
}

fn held(case: &Case<'_>) -> f64 {
    let rules = case.guests.iter().flat_map(|guest| &guest.rules);
    rules.map(|rule| (rule.held + rule.no_better_host) as f64).sum()
}

/// The logs of all guests, in their order, on as many processors as there are.
fn logs(page: &Builder, recording: &Recording<'_>, case: &Case<'_>, hosts: &Arc<[usize]>) -> Vec<GuestLog> {
    let at = hosts.get(case.options.at.index()).copied();
    let one = |index: usize| {
        let series = &recording.series[index];
        let guest = series.name.as_deref().unwrap_or(recording.fallback);
        let log = page.log(index, Arc::clone(hosts), at);
        let mut sink = Logging { policy: case.policy, guest, log };
        // What can't be run does not come here: the summary has said so.
        if let Some((from, to)) = series.trace.span() {
            sink.log.begins(from);
            if run(case.policy, &series.trace, &case.options, &mut sink).is_ok() {
                sink.log.finish(to);
            }
        }
        sink.log
    };
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= recording.series.len() {
                return done;
            }
            done.push((index, one(index)));
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(recording.series.len());
    let mut done = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        let joined = joined.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect::<Vec<_>>()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, log)| log).collect()
}

struct Logging<'a> {
    policy: &'a Policy,
    guest: &'a str,
    log: GuestLog,
}

impl Sink for Logging<'_> {
    fn take(&mut self, output: &Output) {
        View::all(self.policy, self.guest, output).for_each(|view| self.log.record(&view));
    }

    fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        self.log.sample(at, value, in_breach);
    }
}

fn time_on_hosts(totals: &Figures) -> Table {
    let columns = vec![
        Column::new("host", Unit::Text),
        Column::new("time", Unit::Seconds),
        Column::new("share", Unit::Share),
        Column::new("arrivals", Unit::Count),
    ];
    let row = |host: &super::report::Host| {
        let name = if host.base { format!("{} (base)", host.host) } else { host.host.clone() };
        let share = host.share.map(Cell::from);
        let time = host.lasted.as_secs_f64();
        vec![Cell::Text(name), time.into(), share.unwrap_or(Cell::Nothing), (host.arrivals as f64).into()]
    };
    let rows = totals.time.hosts.iter().map(row).collect();
    Table { id: "hosts".to_owned(), title: "Time on each host".to_owned(), columns, rows, more: 0 }
}

/// The guests, longest in breach first.
fn by_guest(guests: &[Guest]) -> Table {
    let columns = vec![
        Column::new("guest", Unit::Text),
        Column::new("requests", Unit::Count),
        Column::new("most in one hour", Unit::Count),
        Column::new("in breach", Unit::Seconds),
        Column::new("share in breach", Unit::Share),
        Column::new("share at the base", Unit::Share),
        Column::new("cost (C_t)", Unit::Money),
    ];
    let mut order: Vec<_> = guests.iter().collect();
    order.sort_by_key(|guest| std::cmp::Reverse(guest.figures.time.breach));
    let row = |guest: &&Guest| {
        let (requests, time) = (&guest.figures.requests, &guest.figures.time);
        vec![
            Cell::Text(guest.guest.clone()),
            (requests.count as f64).into(),
            (requests.most_per_hour as f64).into(),
            time.breach.map(|breach| breach.as_secs_f64()).into(),
            time.breach_share.into(),
            time.at_base_share.into(),
            guest.figures.cost.map(|cost| cost.c_t).into(),
        ]
    };
    let rows = order.iter().take(GUESTS_MAX).map(row).collect();
    let more = guests.len().saturating_sub(GUESTS_MAX) as u64;
    Table { id: "guests".to_owned(), title: "Each guest".to_owned(), columns, rows, more }
}
