//! The front as a picture: each pair of the three figures, with the present values in it. Plain SVG that needs nothing else,
//! light and dark.

use super::report::{Cost, Outcome, Report};
use std::fmt::Write as _;

const PANEL: f64 = 300.0;
const MARGIN: f64 = 56.0;
const TICKS: usize = 4;

const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 14px; font-weight: 600 }
.frame { fill: none; stroke: #999 }
.grid { stroke: #ddd }
.member { fill: #0072b2; fill-opacity: .55 }
.better { fill: #d55e00; fill-opacity: .8 }
.now { fill: none; stroke: #000; stroke-width: 2 }
.ground { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .frame { stroke: #777 } .grid { stroke: #333 } .ground { fill: #16181c }
  .member { fill: #56b4e9 } .now { stroke: #fff }
}
";

/// One axis: what it says, and how an outcome lies on it.
struct Axis {
    name: &'static str,
    of: fn(&Outcome) -> f64,
}

/// The picture.
pub(super) fn svg(report: &Report) -> String {
    let moves = Axis { name: "moves a day", of: |one| one.moves as f64 / one.days() };
    let breach =
        Axis { name: "hours of breach a day", of: |one| one.breach.as_secs_f64() / 3_600.0 / one.days() };
    let cost = Axis {
        name: if report.options.cost == Cost::HoursOffBase {
            "hours off the base a day"
        } else {
            "cost a day"
        },
        of: |one| one.cost / one.days(),
    };
    let panels: Vec<(&Axis, &Axis)> = match report.options.cost {
        Cost::Nothing => vec![(&moves, &breach)],
        _ => vec![(&moves, &breach), (&moves, &cost), (&cost, &breach)],
    };
    let (step, height) = (PANEL + MARGIN + 24.0, PANEL + 2.0 * MARGIN + 20.0);
    let width = step * panels.len() as f64 + 16.0;
    let mut out = String::new();
    let written = (|| {
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
        )?;
        writeln!(
            out,
            "<title>{}</title><style>{STYLE}</style>",
            escaped(&format!("The front of {}", report.policy))
        )?;
        writeln!(out, r#"<rect class="ground" width="{width}" height="{height}"/>"#)?;
        let legend = "each dot is a candidate that nothing beats; orange: beats the present values (ring) in everything";
        writeln!(out, r#"<text class="title" x="16" y="22">{}</text>"#, escaped(&report.policy))?;
        writeln!(out, r#"<text x="16" y="40">{legend}</text>"#)?;
        for (at, (x, y)) in panels.into_iter().enumerate() {
            panel(&mut out, report, (MARGIN + step * at as f64, MARGIN), x, y)?;
        }
        writeln!(out, "</svg>")
    })();
    // A string takes everything.
    debug_assert!(written.is_ok());
    out
}

fn panel(out: &mut String, report: &Report, (left, top): (f64, f64), x: &Axis, y: &Axis) -> std::fmt::Result {
    let outcomes = || report.front.iter().map(|one| &one.tuned_on).chain([&report.present.tuned_on]);
    let scale = |axis: &Axis| nice(outcomes().map(axis.of).fold(0.0, f64::max));
    let (x_max, y_max) = (scale(x), scale(y));
    let place = |one: &Outcome| {
        let (x, y) = ((x.of)(one) / x_max, (y.of)(one) / y_max);
        (left + x * PANEL, top + (1.0 - y) * PANEL)
    };
    for tick in 0..=TICKS {
        let share = tick as f64 / TICKS as f64;
        let (across, up) = (left + share * PANEL, top + (1.0 - share) * PANEL);
        let (right, bottom) = (left + PANEL, top + PANEL);
        writeln!(
            out,
            r#"<path class="grid" d="M{across:.1} {top:.1}V{bottom:.1}M{left:.1} {up:.1}H{right:.1}"/>"#
        )?;
        writeln!(
            out,
            r#"<text x="{across:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 16.0,
            short(share * x_max)
        )?;
        writeln!(
            out,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            left - 5.0,
            up + 4.0,
            short(share * y_max)
        )?;
    }
    writeln!(out, r#"<rect class="frame" x="{left:.1}" y="{top:.1}" width="{PANEL}" height="{PANEL}"/>"#)?;
    writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
        left + PANEL / 2.0,
        top + PANEL + 36.0,
        x.name
    )?;
    let (across, up) = (left - 42.0, top + PANEL / 2.0);
    writeln!(
        out,
        r#"<text x="{across:.1}" y="{up:.1}" text-anchor="middle" transform="rotate(-90 {across:.1} {up:.1})">{}</text>"#,
        y.name
    )?;
    for point in &report.front {
        let ((cx, cy), beats) = (place(&point.tuned_on), report.present.beaten_by.contains(&point.number));
        let class = if beats { "better" } else { "member" };
        let values = point.values.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>();
        let says = escaped(&format!("{}. {}", point.number, values.join(", ")));
        writeln!(
            out,
            r#"<circle class="{class}" cx="{cx:.1}" cy="{cy:.1}" r="4"><title>{says}</title></circle>"#
        )?;
    }
    let (cx, cy) = place(&report.present.tuned_on);
    writeln!(
        out,
        r#"<circle class="now" cx="{cx:.1}" cy="{cy:.1}" r="7"><title>the present values</title></circle>"#
    )
}

/// The next number above that an axis would end at; never 0.
fn nice(most: f64) -> f64 {
    let mut unit = 1e-9;
    while unit < 1e15 {
        for factor in [1.0, 2.0, 4.0, 5.0, 8.0] {
            if unit * factor >= most && most > 0.0 {
                return unit * factor;
            }
        }
        unit *= 10.0;
    }
    1.0
}

fn short(number: f64) -> String {
    let text = if number < 0.1 { format!("{number:.3}") } else { format!("{number:.2}") };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
