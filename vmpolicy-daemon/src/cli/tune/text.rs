//! The result for people: the front in at most so many rows, with the present values above it.

use super::report::{Cost, Outcome, Report, Verdict};
use crate::cli::backtest::table::{grouped, rough};
use crate::cli::terminal::{Terminal, wrapped};
use std::fmt::Write as _;

/// The whole text.
pub(in crate::cli) fn render(report: &Report, most: usize, terminal: &Terminal) -> String {
    let mut out = String::new();
    for (name, says) in head(report) {
        let width = terminal.prose();
        let line = wrapped(&format!("{name:10} {says}"), width, "           ");
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out);
    table(&mut out, report, most);
    let _ = writeln!(out);
    for line in verdicts(report) {
        let _ = writeln!(out, "{}", wrapped(&line, terminal.prose(), "  "));
    }
    out
}

fn head(report: &Report) -> Vec<(&'static str, String)> {
    let options = &report.options;
    let rows: usize = report.recordings.iter().map(|one| one.rows).sum();
    let held = if options.hold_out > 0.0 {
        format!("; the last {} of each is held out", percent(options.hold_out))
    } else {
        "; nothing is held out, so nothing says what the front is worth on other days".to_owned()
    };
    let lasts = report.present.tuned_on.lasts;
    let tried: u32 = report.islands.iter().map(|island| island.tried).sum();
    let refused: u32 = report.islands.iter().map(|island| island.refused).sum();
    let refused = if refused > 0 {
        format!("; {} turned down, as `vmpolicy check` would warn of them", grouped(refused.into()))
    } else {
        String::new()
    };
    let guests = report.recordings.len();
    vec![
        ("policy", report.policy.clone()),
        (
            "recordings",
            format!(
                "{guests} guest{}, {} row{}{held}",
                if guests == 1 { "" } else { "s" },
                grouped(rows as u64),
                if rows == 1 { "" } else { "s" }
            ),
        ),
        (
            "breach",
            format!(
                "{}: {} of {} in the part tuned on; what counts is how much of it the guest sits out",
                options.breach,
                rough(report.breaches),
                rough(lasts)
            ),
        ),
        (
            "cost",
            match options.cost {
                Cost::Prices => "by equation 3.4, in the currency of the prices".to_owned(),
                Cost::HoursOffBase => "hours anywhere but at a base, as there are no prices".to_owned(),
                Cost::Nothing => "none: there are no prices and no base".to_owned(),
            },
        ),
        (
            "search",
            format!("{} candidates on {} islands{refused}", grouped(tried.into()), report.islands.len()),
        ),
        ("from", report.provenance.to_string()),
    ]
}

fn table(out: &mut String, report: &Report, most: usize) {
    let held = report.present.held_out.is_some();
    let cost = report.options.cost != Cost::Nothing;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut header = vec![String::new()];
    for _ in 0..=usize::from(held) {
        header.push("moves/day".to_owned());
        if cost {
            header.push("cost/day".to_owned());
        }
        header.push("breach".to_owned());
    }
    if held {
        header.push("unseen".to_owned());
    }
    header.extend(report.parameters.iter().map(|one| {
        one.unit.as_ref().map_or_else(|| one.name.clone(), |unit| format!("{} ({unit})", one.name))
    }));
    let figures = |row: &mut Vec<String>, outcome: Option<&Outcome>| {
        let Some(outcome) = outcome else {
            row.extend(vec!["-".to_owned(); 2 + usize::from(cost)]);
            return;
        };
        row.push(figure(outcome.moves as f64 / outcome.days()));
        if cost {
            row.push(figure(outcome.cost / outcome.days()));
        }
        row.push(percent(outcome.breach.as_secs_f64() / outcome.lasts.as_secs_f64().max(f64::MIN_POSITIVE)));
    };
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut now = vec!["now".to_owned()];
    figures(&mut now, Some(&report.present.tuned_on));
    if held {
        figures(&mut now, report.present.held_out.as_ref());
        now.push(String::new());
    }
    now.extend(report.parameters.iter().map(|one| text(&one.present)));
    rows.push(header);
    rows.push(now);
    for point in report.spread(most) {
        let beats = if report.present.beaten_by.contains(&point.number) { "*" } else { "" };
        let mut row = vec![format!("{beats}{}", point.number)];
        figures(&mut row, Some(&point.tuned_on));
        if held {
            figures(&mut row, point.held_out.as_ref());
            row.push(point.unseen.map_or("-", verdict).to_owned());
        }
        for parameter in &report.parameters {
            let value = point.values.get(&parameter.name).map_or_else(String::new, text);
            row.push(if value == text(&parameter.present) { "=".to_owned() } else { value });
        }
        rows.push(row);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    if held {
        let part = 2 + usize::from(cost);
        let of = |from: usize| widths[from..from + part].iter().sum::<usize>() + 2 * (part - 1);
        let (one, other) = (of(1), of(1 + part));
        let _ = writeln!(out, "{:w0$}  {:>one$}  {:>other$}", "", "tuned on", "held out", w0 = widths[0]);
    }
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// What to make of it.
fn verdicts(report: &Report) -> Vec<String> {
    let (present, all) = (&report.present, report.front.len());
    let mut lines = Vec::new();
    if all == 0 {
        return vec![
            "No candidate could be tried: `vmpolicy check` would warn of each (see --allow-warnings)."
                .to_owned(),
        ];
    }
    lines.push(format!(
        "The front has {all} member{}; `=` is the present value. The whole of it: --format json. One as a policy file: --write N FILE.",
        if all == 1 { "" } else { "s" }
    ));
    let beaten = present.beaten_by.len();
    if beaten == 0 {
        lines.push(match report.present_on_front() {
            Some(number) => {
                format!("Nothing beats the present values: they are worth what number {number} is.")
            }
            None => "Nothing that was tried beats the present values.".to_owned(),
        });
        return lines;
    }
    let best = report.best();
    if let Some(best) = best {
        lines.push(format!(
            "The present values are beaten by {beaten} of them (*): number {} has {}.",
            best.number,
            differences(&present.tuned_on, &best.tuned_on, report.options.cost)
        ));
    }
    if let Some(held) = &present.held_out {
        let still = report.beaters().filter(|point| point.unseen == Some(Verdict::Better)).count();
        lines.push(format!("On the part held out, {still} of these {beaten} beat them again."));
        if let Some((best, outcome)) = best.and_then(|best| Some((best, best.held_out.as_ref()?))) {
            lines.push(format!(
                "There, number {} has {}.",
                best.number,
                differences(held, outcome, report.options.cost)
            ));
        }
    }
    lines
}

fn differences(now: &Outcome, then: &Outcome, cost: Cost) -> String {
    let change = |now: f64, then: f64, what: &str| {
        let by = if now > 0.0 { (then - now) / now } else { 0.0 };
        match (then > now, then < now) {
            (true, _) if now == 0.0 => format!("some {what} where there was none"),
            (true, _) => format!("{} more {what}", percent(by)),
            (_, true) => format!("{} less {what}", percent(-by)),
            _ => format!("as much {what}"),
        }
    };
    let mut parts = vec![change(now.moves as f64, then.moves as f64, "moving")];
    if cost != Cost::Nothing {
        parts.push(change(now.cost, then.cost, "cost"));
    }
    parts.push(change(now.breach.as_secs_f64(), then.breach.as_secs_f64(), "breach"));
    let last = parts.pop().unwrap_or_default();
    format!("{} and {last}", parts.join(", "))
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Same => "same",
        Verdict::Mixed => "mixed",
        Verdict::Worse => "worse",
    }
}

fn figure(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        tiny if tiny < 0.095 => format!("{tiny:.4}"),
        small if small < 99.95 => format!("{small:.2}"),
        large => grouped(large.round() as u64),
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        tiny if tiny < 0.05 => "<0.1%".to_owned(),
        percent if (percent - percent.round()).abs() < 1e-9 => format!("{percent:.0}%"),
        percent => format!("{percent:.1}%"),
    }
}
