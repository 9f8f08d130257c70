//! `--report`: the results of a backtest as a page. The runs are done once more, as they come out the same, with
//! logs that keep what a page shows; the numbers are those of the summary.

use super::candidate::Candidate;
use super::report::{Figures, Guest, Host, Report, Rule, Tried, share};
use super::runs::Runs;
use super::table::grouped;
use crate::cli::Exit;
use crate::cli::check::shown;
use crate::cli::terminal::complain;
use crate::report::{Better, Builder, Cell, Column, Cost, GuestLog, Page, Range, Table, Unit};
use crate::trace::Series;
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;
use vmpolicy_core::backtest::{Sink, run};
use vmpolicy_core::id::Id as _;
use vmpolicy_core::record::View;
use vmpolicy_core::time::{Span, Wall};
use vmpolicy_core::{Output, Policy};

/// Rows of the table of guests.
const GUESTS_MAX: usize = 200;

/// Makes the page and puts it in place.
pub(super) fn write(path: &Path, runs: Runs<'_>, report: &Report) -> Result<Page, Exit> {
    let page = page(runs, report);
    crate::report::write(path, &page).map_err(|error| {
        complain(&format!("can't write {}: {error}", shown(path)));
        Exit::Outside
    })?;
    Ok(page)
}

/// A policy and what came of it.
type Case<'a> = (&'a Candidate, &'a Tried);

fn page(runs: Runs<'_>, report: &Report) -> Page {
    let cases: Vec<Case<'_>> = runs.candidates.iter().zip(&report.policies).collect();
    let spans = || runs.series.iter().filter_map(|series| series.trace.span());
    let range = Range {
        from: spans().map(|span| span.0).min().unwrap_or_default(),
        to: spans().map(|span| span.1).max().unwrap_or_default(),
    };
    // Where the recording names no guest, the policies may name one each: the first is as good as another.
    let name = |series: &Series| cases.first().map_or("guest", |case| case.0.guest(series)).to_owned();
    let guests: Vec<_> = runs.series.iter().map(name).collect();
    let who = match guests.as_slice() {
        [one] => one.clone(),
        all => format!("{} guests", grouped(all.len() as u64)),
    };
    let title = match cases.as_slice() {
        [(candidate, _)] => format!("{who} under {}", candidate.file),
        several => format!("{who} under {} policies", several.len()),
    };
    let mut page = Builder::new(&title, range, guests, cases.len());
    // The zone that a policy speaks of is where its guests are; of several, the first.
    let windows = cases.iter().flat_map(|case| case.0.policy.windows().rows());
    if let Some(window) = windows.map(|named| &named.window).next() {
        page = page.zone(window.zone());
    }
    facts(&mut page, runs, report, &cases);
    measures(&mut page, &cases);
    let hosts: Vec<_> = cases.iter().map(|case| page.hosts_of(&case.0.policy)).collect();
    for ((candidate, tried), hosts) in cases.iter().zip(hosts) {
        let logs = logs(&page, runs.series, candidate, &hosts);
        let mut variant = page.variant(&candidate.file, Some(&candidate.policy));
        let totals = &tried.totals.figures;
        variant.cost(totals.cost.map(|cost| Cost {
            c_a: cost.c_a,
            c_b: cost.c_b,
            c_sb: cost.c_sb,
            c_tb: cost.c_tb,
            c_t: cost.c_t,
            base_is_cheaper: cost.base_is_cheaper,
        }));
        variant.logs(Some(candidate.options.indicator), logs);
        variant.table(rules(totals, &tried.totals.rules));
        variant.table(time_on_hosts(totals));
        if tried.guests.len() > 1 {
            variant.table(by_guest(&tried.guests));
        }
        let variant = variant.done();
        page.push(variant);
    }
    page.build()
}

fn facts(page: &mut Builder, runs: Runs<'_>, report: &Report, cases: &[Case<'_>]) {
    let rows: usize = runs.series.iter().map(|series| series.trace.len()).sum();
    page.fact(
        "recording",
        format!("{}, {} {}", report.trace, grouped(rows as u64), if rows == 1 { "row" } else { "rows" }),
    );
    let mut polled: Vec<_> =
        cases.iter().map(|(_, tried)| format!("{} every {}", tried.indicator, tried.every)).collect();
    polled.dedup();
    page.fact("indicator", polled.join(", "));
    if let Some((candidate, _)) = cases.first()
        && !candidate.options.move_takes.is_zero()
    {
        page.fact("a move takes", candidate.options.move_takes.to_string());
    }
    report.notes.iter().for_each(|note| page.note(note.to_string()));
    for (candidate, tried) in cases {
        let of = if cases.len() > 1 { format!("{}: ", candidate.file) } else { String::new() };
        tried.remarks.iter().for_each(|remark| page.note(format!("{of}{remark}")));
    }
    page.zones(cases.iter().find_map(|(_, tried)| tried.provenance.zones.clone()));
}

fn measures(page: &mut Builder, cases: &[Case<'_>]) {
    let mut add = |name, unit, better, of: &dyn Fn(&Tried) -> Option<f64>| {
        let values: Vec<_> = cases.iter().map(|(_, tried)| of(tried)).collect();
        let never = better == Better::Neither && values.iter().flatten().all(|value| *value == 0.0);
        if values.iter().any(Option::is_some) && !never {
            page.measure(name, unit, better, values);
        }
    };
    let (less, neither) = (Better::Less, Better::Neither);
    // A policy that calls less a breach is not the better for it.
    let breach = if judged_alike(cases) { less } else { neither };
    let requests = |of: &Tried| of.totals.figures.requests.clone();
    let time = |of: &Tried| of.totals.figures.time.clone();
    let secs = |span: Span| Some(span.as_secs_f64());
    add("requests", Unit::Count, less, &|of| Some(requests(of).count as f64));
    add("requests an hour, mean", Unit::PerHour, less, &|of| requests(of).mean_per_hour);
    add("requests in one hour, most", Unit::Count, less, &|of| Some(requests(of).most_per_hour as f64));
    add("in breach", Unit::Seconds, breach, &|of| time(of).breach.and_then(secs));
    add("share in breach", Unit::Share, breach, &|of| time(of).breach_share);
    add("at the base", Unit::Seconds, neither, &|of| secs(time(of).at_base));
    add("share at the base", Unit::Share, neither, &|of| time(of).at_base_share);
    add("resting", Unit::Seconds, neither, &|of| secs(time(of).resting));
    add("nothing known", Unit::Seconds, neither, &|of| secs(time(of).unknown));
    add("held back", Unit::Count, less, &|of| {
        Some(of.totals.rules.iter().map(|rule| (rule.held + rule.no_better_host) as f64).sum())
    });
    add("cost in all (C_t)", Unit::Money, less, &|of| of.totals.figures.cost.map(|cost| cost.c_t));
}

/// Whether all policies call the same a breach.
fn judged_alike(cases: &[Case<'_>]) -> bool {
    let mut judges = cases.iter().map(|(_, tried)| {
        let moving = tried.totals.rules.iter().filter(|rule| rule.action == "move");
        (&tried.indicator, moving.map(|rule| rule.when.as_str()).collect::<Vec<_>>())
    });
    let first = judges.next();
    judges.all(|other| Some(other) == first)
}

/// The logs of all guests, in their order, on as many processors as there are.
fn logs(page: &Builder, series: &[Series], candidate: &Candidate, hosts: &Arc<[usize]>) -> Vec<GuestLog> {
    let at = hosts.get(candidate.options.at.index()).copied();
    let one = |(index, series): (usize, &Series)| {
        let log = page.log(index, Arc::clone(hosts), at);
        let mut sink = Logging { policy: &candidate.policy, guest: candidate.guest(series), log };
        // What can't be run does not come here: the summary has said so.
        if let Some((from, to)) = series.trace.span() {
            sink.log.begins(from);
            if run(&candidate.policy, &series.trace, &candidate.options, &mut sink).is_ok() {
                sink.log.finish(to);
            }
        }
        sink.log
    };
    series.par_iter().enumerate().map(one).collect()
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

/// What each rule came to.
pub(in crate::cli) fn rules(totals: &Figures, rules: &[Rule]) -> Table {
    let columns = vec![
        Column::new("rule", Unit::Text),
        Column::new("when", Unit::Text),
        Column::new("tarry", Unit::Text),
        Column::new("do", Unit::Text),
        Column::new("requests", Unit::Count),
        Column::new("true", Unit::Share),
        Column::new("unknown", Unit::Share),
        Column::new("held back", Unit::Count),
        Column::new("already there", Unit::Count),
        Column::new("no better host", Unit::Count),
    ];
    let row = |rule: &Rule| {
        let part = |of: Span| share(of, totals.lasts);
        vec![
            rule.rule.as_str().into(),
            rule.when.as_str().into(),
            rule.tarry.as_str().into(),
            rule.action.as_str().into(),
            (rule.requests as f64).into(),
            rule.truth.and_then(|truth| part(truth.breach)).into(),
            rule.truth.and_then(|truth| part(truth.unknown)).into(),
            (rule.held as f64).into(),
            (rule.already_there as f64).into(),
            (rule.no_better_host as f64).into(),
        ]
    };
    let rows = rules.iter().map(row).collect();
    Table { id: "rules".to_owned(), title: "Rules".to_owned(), columns, rows, more: 0 }
}

fn time_on_hosts(totals: &Figures) -> Table {
    let columns = vec![
        Column::new("host", Unit::Text),
        Column::new("time", Unit::Seconds),
        Column::new("share", Unit::Share),
        Column::new("arrivals", Unit::Count),
    ];
    let row = |host: &Host| {
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
