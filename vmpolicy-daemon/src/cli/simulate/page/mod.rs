//! `--report`: a simulation as a page.

mod eyes;
mod gauge;
mod meters;
mod tables;

pub(super) use eyes::Eyes;
pub(super) use meters::Meters;

use super::figures::Variant;
use super::input::Input;
use super::report::Report;
use super::runs::{Ran, Seen};
use crate::cli::Exit;
use crate::cli::backtest::table::grouped;
use crate::cli::check::{many, shown};
use crate::cli::terminal::complain;
use crate::report::{Better, Builder, Cost, Page, Range, Unit};
use std::ffi::OsStr;
use std::path::Path;
use vmpolicy_core::Policy;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::policy::Action;
use vmpolicy_core::sim::scenario::Scenario;

/// Indicators that have a panel.
const INDICATORS_MAX: usize = 4;

/// Faults that are marked on the time axis.
const MARKS_MAX: usize = 200;

/// Policies whose rules have a table.
const POLICIES_MAX: usize = 6;

/// Makes the page and puts it in place.
pub(super) fn write(path: &Path, input: &Input, report: &Report, ran: Vec<Ran>) -> Result<Page, Exit> {
    let page = page(input, report, ran);
    crate::report::write(path, &page).map_err(|error| {
        complain(&format!("can't write {}: {error}", shown(path)));
        Exit::Outside
    })?;
    Ok(page)
}

/// A page that has nothing but its range, hosts and guests: what logs need to know of it.
fn skeleton(scenario: &Scenario, title: &str, variants: usize) -> (Builder, Vec<usize>) {
    let range = Range { from: scenario.start, to: scenario.start.plus(scenario.lasts) };
    let guests = scenario.guests.iter().map(|guest| guest.name.clone()).collect();
    let mut page = Builder::new(title, range, guests, variants).zone(&scenario.zone);
    let hosts = scenario.hosts.iter();
    let hosts =
        hosts.map(|host| page.host(&host.name, &scenario.arrays[host.array.index()].name, host.is_base));
    let hosts = hosts.collect();
    (page, hosts)
}

fn page(input: &Input, report: &Report, ran: Vec<Ran>) -> Page {
    let scenario = &input.scenario;
    let who = match scenario.guests.as_slice() {
        [one] => one.name.clone(),
        all => format!("{} guests", grouped(all.len() as u64)),
    };
    // Its folder is among the facts.
    let file = Path::new(&report.scenario)
        .file_name()
        .map_or(report.scenario.as_str().into(), OsStr::to_string_lossy);
    let title = format!("{who} in {file}");
    let (mut page, _) = skeleton(scenario, &title, ran.len());
    facts(&mut page, report);
    measures(&mut page, &report.variants);
    for fault in report.faults.iter().take(MARKS_MAX) {
        page.mark(fault.at, fault.until, fault.says.clone());
    }
    if report.faults.len() > MARKS_MAX {
        page.note(format!("{} more faults are not marked", report.faults.len() - MARKS_MAX));
    }
    let several = ran.len() > 1;
    if several {
        report.variants.iter().for_each(|came| page.note(format!("{}: {}", came.name, came.about)));
    }
    for (ran, came) in ran.into_iter().zip(&report.variants) {
        let Some(Seen { eyes, meters }) = ran.seen else { continue };
        let name = if several { came.name } else { file.as_ref() };
        let mut variant = page.variant(name, only_policy(scenario));
        variant.cost(came.totals.cost.map(|cost| Cost {
            c_a: cost.c_a,
            c_b: cost.c_b,
            c_sb: cost.c_sb,
            c_tb: cost.c_tb,
            c_t: cost.c_t,
            base_is_cheaper: cost.base_is_cheaper,
        }));
        for (at, name) in indicators(scenario).into_iter().take(INDICATORS_MAX).enumerate() {
            // The guests that look at it, and all policies of theirs: a reload may have changed the thresholds.
            let looks = |guest: usize| eyes.looks_at(scenario, guest) == Some(name.as_str());
            let logs: Vec<_> =
                (0..eyes.logs.len()).filter(|&guest| looks(guest)).map(|guest| &eyes.logs[guest]).collect();
            let id = if at == 0 { "indicator".to_owned() } else { format!("indicator-{}", at + 1) };
            variant.indicator(&id, &readers(scenario, &name), &logs);
        }
        variant.whole(&rule_names(scenario), &eyes.logs);
        meters.panels().into_iter().for_each(|panel| variant.panel(panel));
        for (at, of) in came.policies.iter().take(POLICIES_MAX).enumerate() {
            let mut table = crate::cli::backtest::page::rules(&of.figures, &of.rules);
            if came.policies.len() > 1 {
                let name =
                    report.provenance.policies.get(of.policy).map(|row| row.name()).unwrap_or_default();
                table.title = format!("Rules of the policy of {name}");
                table.id = format!("rules-{}", at + 1);
            }
            variant.table(table);
        }
        variant.table(tables::hosts(&came.hosts, report.variants.len()));
        variant.table(tables::guests(report, &came.guests));
        let variant = variant.done();
        page.push(variant);
    }
    page.build()
}

/// The policy of all guests, where there is one.
fn only_policy(scenario: &Scenario) -> Option<&Policy> {
    match scenario.policies.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// The indicator that a page shows of a policy: the first that a rule with the action `move` reads.
pub(super) fn looked_at(policy: &Policy) -> Option<IndicatorId> {
    let moving = |id: &IndicatorId| {
        policy.rules().rows().iter().any(|rule| rule.action == Action::Move && rule.reads(*id))
    };
    policy.indicators().ids().find(moving).or_else(|| policy.indicators().ids().next())
}

/// The names of the indicators that are looked at, in the order of the policies.
fn indicators(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for policy in &scenario.policies {
        let name = looked_at(policy).map(|id| policy.indicators()[id].name.clone());
        if let Some(name) = name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

/// The policies that look at an indicator of this name.
fn readers<'a>(scenario: &'a Scenario, name: &str) -> Vec<(&'a Policy, IndicatorId)> {
    let looks = |policy: &'a std::sync::Arc<Policy>| {
        let id = looked_at(policy)?;
        (policy.indicators()[id].name == name).then_some((&**policy, id))
    };
    scenario.policies.iter().filter_map(looks).collect()
}

/// The rules of all policies, those that move a guest that does badly first.
fn rule_names(scenario: &Scenario) -> Vec<String> {
    let mut rules: Vec<_> = scenario.policies.iter().flat_map(|policy| policy.rules().rows()).collect();
    rules.sort_by_key(|rule| rule.action != Action::Move);
    let mut names: Vec<String> = Vec::new();
    for rule in rules {
        if !names.contains(&rule.name) {
            names.push(rule.name.clone());
        }
    }
    names
}

fn facts(page: &mut Builder, report: &Report) {
    page.fact("scenario", report.scenario.clone());
    let world = [(report.guests, "guest"), (report.hosts, "host"), (report.arrays, "array")];
    page.fact("world", world.map(|(count, what)| many(count, what)).join(", "));
    if report.managed < report.guests {
        page.fact("with a policy", many(report.managed, "guest"));
    }
    page.fact("loads looked at", format!("every {}", report.step));
    page.fact(
        "watched",
        if report.checked.watched {
            format!("{} steps of guests, no invariant violated", grouped(report.checked.inputs))
        } else {
            "no".to_owned()
        },
    );
    page.seed(Some(report.provenance.seed));
    page.zones(report.provenance.zones.clone());
    report.warnings.iter().for_each(|warning| page.note(warning.clone()));
}

fn measures(page: &mut Builder, variants: &[Variant]) {
    let mut add = |name, unit, better, of: &dyn Fn(&Variant) -> Option<f64>| {
        let values: Vec<_> = variants.iter().map(of).collect();
        let never = better == Better::Neither && values.iter().flatten().all(|value| *value == 0.0);
        if values.iter().any(Option::is_some) && !never {
            page.measure(name, unit, better, values);
        }
    };
    let (less, more, neither) = (Better::Less, Better::More, Better::Neither);
    add("in breach", Unit::Seconds, less, &|of| of.totals.breach.map(|span| span.as_secs_f64()));
    add("share in breach", Unit::Share, less, &|of| of.totals.breach_share);
    add("share not judged", Unit::Share, neither, &|of| of.totals.unjudged_share);
    add("in breach, of what was judged", Unit::Share, less, &|of| of.totals.judged_breach_share);
    add("processor time missed", Unit::Share, less, &|of| Some(of.totals.missed));
    add("fairness (Jain)", Unit::Plain, more, &|of| round(of.totals.fairness, 10_000.0));
    add("requests", Unit::Count, neither, &|of| Some(of.totals.requests as f64));
    add("requests in one hour of one guest, most", Unit::Count, neither, &|of| {
        Some(of.totals.most_per_hour as f64)
    });
    add("requests that failed", Unit::Count, neither, &|of| Some(of.totals.failed as f64));
    add("live moves", Unit::Count, less, &|of| Some(of.totals.live_moves as f64));
    add("moves between arrays", Unit::Count, neither, &|of| Some(of.totals.relocations as f64));
    add("on the way", Unit::Seconds, neither, &|of| Some(of.totals.moving.as_secs_f64()));
    add("energy", Unit::KilowattHours, less, &|of| Some(of.totals.energy_kwh));
    add("hosts in use, mean", Unit::Plain, less, &|of| round(of.totals.hosts_in_use, 100.0));
    add("host-hours overloaded", Unit::Plain, less, &|of| round(of.totals.overloaded_host_hours, 100.0));
    add("cost of all guests, hosts' prices", Unit::Money, neither, &|of| Some(of.totals.hosts_cost));
    add("cost in all (C_t)", Unit::Money, less, &|of| of.totals.cost.map(|cost| cost.c_t));
}

/// What a number of no unit is shown as; JSON has all of it under `variants`.
fn round(number: f64, parts: f64) -> Option<f64> {
    Some((number * parts).round() / parts)
}
