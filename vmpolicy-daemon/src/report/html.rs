//! The document: one file that needs nothing else.

use super::model::{Better, Cost, Figure, Page, Panel, Table, Unit, Variant};
use super::words::{cell, escaped, number, script_safe};
use super::{svg, tables};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page/page.css");

/// The script's parts, in their order; `data` is there before them.
const SCRIPT: [&str; 7] = [
    include_str!("page/time.js"),
    include_str!("page/view.js"),
    include_str!("page/canvas.js"),
    include_str!("page/figures.js"),
    include_str!("page/places.js"),
    include_str!("page/input.js"),
    include_str!("page/page.js"),
];

/// Nothing is loaded from anywhere, and nothing is sent.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'";

/// A page as an HTML document.
///
/// Numbers in it carry their exact value (`<data value>`), moments theirs (`<time datetime>`); the whole [`Page`]
/// is in the element `script#data`, as JSON.
///
/// ```
/// use vmpolicy_daemon::report::{Builder, Range, html};
/// use vmpolicy_core::time::Wall;
/// let range = Range { from: Wall::from_secs(0), to: Wall::from_secs(3_600) };
/// let page = Builder::new("An hour <of nothing>", range, vec![], 1).build();
/// assert!(html(&page).contains("<h1>An hour &lt;of nothing&gt;</h1>"));
/// ```
#[must_use]
pub fn html(page: &Page) -> String {
    let mut out = String::new();
    let title = escaped(&page.title);
    // Writing to a string can't fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta \
         name=\"generator\" content=\"vmpolicy {}\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<div \
         class=\"page\">\n",
        escaped(&page.provenance.engine)
    );
    header(&mut out, page);
    measures(&mut out, page);
    time_bar(&mut out);
    out += "<div id=\"figures\">\n";
    panels(&mut out, page);
    out += "</div>\n";
    if !page.marks.is_empty() {
        out += "<section id=\"marks\">\n<h2>What happened around them</h2>\n";
        out += &table_html(&tables::marks(page), page, None);
        out += "</section>\n";
    }
    costs(&mut out, page);
    all_tables(&mut out, page);
    footer(&mut out, page);
    out += "</div>\n<script type=\"application/json\" id=\"data\">";
    // The model has no map and no number that JSON can't have, so this can't fail.
    let json = serde_json::to_string(page).unwrap_or_else(|_| "null".to_owned());
    out += &script_safe(&json);
    out += "</script>\n<script>\n\"use strict\";\n(() => {\nconst data = \
            JSON.parse(document.getElementById(\"data\").textContent);\n";
    SCRIPT.iter().for_each(|part| out += part);
    out += "})();\n</script>\n</body>\n</html>\n";
    out
}

fn header(out: &mut String, page: &Page) {
    let _ = write!(out, "<header>\n<div>\n<h1>{}</h1>\n<dl class=\"facts\">", escaped(&page.title));
    for fact in &page.facts {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(&fact.name), escaped(&fact.says));
    }
    *out +=
        "</dl>\n</div>\n<button id=\"theme\" class=\"needs-js\" type=\"button\">Dark</button>\n</header>\n";
    if !page.notes.is_empty() {
        *out += "<ul class=\"notes\">";
        page.notes.iter().for_each(|note| {
            let _ = write!(out, "<li>{}</li>", escaped(note));
        });
        *out += "</ul>\n";
    }
}

fn measures(out: &mut String, page: &Page) {
    if page.measures.is_empty() {
        return;
    }
    if page.variants.len() == 1 {
        *out += "<dl class=\"stats\" aria-label=\"What it came to\">";
        for measure in &page.measures {
            let Some(Some(value)) = measure.values.first() else { continue };
            let (name, shown) = (escaped(&measure.name), number(*value, measure.unit));
            let _ = write!(out, "<div><dt>{name}</dt><dd><data value=\"{value}\">{shown}</data></dd></div>");
        }
        *out += "</dl>\n";
        return;
    }
    *out += "<section id=\"compare\">\n<h2>Side by side</h2>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th></th>";
    for variant in &page.variants {
        let _ = write!(out, "<th class=\"n\" scope=\"col\">{}</th>", escaped(&variant.name));
    }
    *out += "</tr></thead>\n<tbody>\n";
    for measure in &page.measures {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&measure.name));
        let known = || measure.values.iter().flatten().copied();
        let best = match measure.better {
            Better::Less => known().reduce(f64::min),
            Better::More => known().reduce(f64::max),
            Better::Neither => None,
        };
        // Where all are equal, none is better.
        let best = best.filter(|best| known().any(|other| other != *best));
        for value in &measure.values {
            match value {
                Some(value) => {
                    let class = if best == Some(*value) { "n best" } else { "n" };
                    let shown = number(*value, measure.unit);
                    let _ = write!(out, "<td class=\"{class}\"><data value=\"{value}\">{shown}</data></td>");
                }
                None => *out += "<td class=\"n\">–</td>",
            }
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table>\n</div>\n</section>\n";
}

fn time_bar(out: &mut String) {
    *out += "<nav class=\"timebar needs-js\" aria-label=\"Time\">\n<div class=\"row\"><span id=\"readout\"></span>\
             <label hidden>Indicator of <select id=\"guest\"></select></label>\
             <button id=\"whole\" type=\"button\" disabled>Show all</button></div>\n\
             <canvas id=\"axis\" tabindex=\"0\" aria-label=\"The time in view. Drag or use the wheel here; in a figure \
             drag to zoom, double-click to show all.\"></canvas>\n</nav>\n";
}

/// Panels of the same kind stand below each other, a figure a variant.
fn panels(out: &mut String, page: &Page) {
    let mut kinds: Vec<&Panel> = Vec::new();
    for panel in page.variants.iter().flat_map(|variant| &variant.panels) {
        if !kinds.iter().any(|kind| kind.id == panel.id) {
            kinds.push(panel);
        }
    }
    for kind in kinds {
        let (id, title, about) = (escaped(&kind.id), escaped(&kind.title), escaped(&kind.about));
        let _ = write!(out, "<section id=\"panel-{id}\">\n<h2>{title}</h2>\n<p>{about}</p>\n");
        for (index, variant) in page.variants.iter().enumerate() {
            let Some(panel) = variant.panels.iter().find(|panel| panel.id == kind.id) else { continue };
            let _ = write!(out, "<figure data-panel=\"{id}\" data-variant=\"{index}\">\n<figcaption>");
            if page.variants.len() > 1 {
                let _ = write!(out, "<span class=\"name\">{}</span>", escaped(&variant.name));
            }
            keys(out, panel);
            *out += "<output class=\"needs-js\"></output></figcaption>\n";
            *out += &svg::panel(panel, variant, page);
            *out += "\n</figure>\n";
        }
        *out += "</section>\n";
    }
}

/// What the colours of bars and of meters stand for; the others say it where they are drawn.
fn keys(out: &mut String, panel: &Panel) {
    let keys: Vec<(String, &str)> = match &panel.figure {
        Figure::Bars(figure) if figure.names.len() > 1 => {
            let style = |row: usize| format!("opacity:{}", svg::SHADES[row % svg::SHADES.len()]);
            figure.names.iter().enumerate().map(|(row, name)| (style(row), name.as_str())).collect()
        }
        Figure::Meter(figure) if figure.lines.len() > 1 => {
            let style = |row: usize| format!("background:{}", svg::PALETTE[row % svg::PALETTE.len()]);
            figure.lines.iter().enumerate().map(|(row, (name, _))| (style(row), name.as_str())).collect()
        }
        _ => return,
    };
    *out += "<span class=\"keys\">";
    for (style, name) in keys {
        let _ = write!(out, "<span><i style=\"{style}\"></i>{}</span>", escaped(name));
    }
    *out += "</span>";
}

fn costs(out: &mut String, page: &Page) {
    let priced: Vec<(&Variant, &Cost)> =
        page.variants.iter().filter_map(|variant| Some((variant, variant.cost.as_ref()?))).collect();
    if priced.is_empty() {
        return;
    }
    *out += "<section id=\"cost\">\n<h2>What it cost</h2>\n<p>Equations 3.1 to 3.4 of the thesis: C_a in the ring, C_b \
             at the base by the service’s own doing, C_sb at the base as scheduled; C_tb = C_b + C_sb, and C_t = \
             C_a + C_tb in all.</p>\n<div class=\"ledger\" aria-hidden=\"true\">\n";
    let most = priced.iter().map(|(_, cost)| cost.c_t).fold(0.0, f64::max);
    for (variant, cost) in &priced {
        let _ = write!(
            out,
            "<div><div class=\"who\"><span>{}</span><span>{}</span></div><div class=\"bar\">",
            escaped(&variant.name),
            number(cost.c_t, Unit::Money)
        );
        for (class, part) in [("c-a", cost.c_a), ("c-b", cost.c_b), ("c-sb", cost.c_sb)] {
            let share = if most > 0.0 { part / most * 100.0 } else { 0.0 };
            let _ = write!(out, "<span class=\"{class}\" style=\"width:{share:.3}%\"></span>");
        }
        *out += "</div></div>\n";
    }
    *out += "<span class=\"keys\"><span><i class=\"c-a\"></i>C_a</span><span><i class=\"c-b\"></i>C_b</span><span><i \
             class=\"c-sb\"></i>C_sb</span></span></div>\n";
    *out += &table_html(&tables::costs(&priced), page, None);
    *out += "</section>\n";
}

/// Tables of the same kind stand in one section.
fn all_tables(out: &mut String, page: &Page) {
    let mut kinds: Vec<&Table> = Vec::new();
    for table in page.variants.iter().flat_map(|variant| &variant.tables) {
        if !kinds.iter().any(|kind| kind.id == table.id) {
            kinds.push(table);
        }
    }
    for kind in kinds {
        let (id, title) = (escaped(&kind.id), escaped(&kind.title));
        let _ = write!(out, "<section id=\"table-{id}\">\n<h2>{title}</h2>\n");
        for variant in &page.variants {
            let Some(table) = variant.tables.iter().find(|table| table.id == kind.id) else { continue };
            let caption = (page.variants.len() > 1).then_some(variant.name.as_str());
            *out += &table_html(table, page, caption);
        }
        *out += "</section>\n";
    }
}

fn table_html(table: &Table, page: &Page, caption: Option<&str>) -> String {
    let mut out = String::new();
    if table.rows.is_empty() {
        let caption = caption.map(|caption| format!("{}: ", escaped(caption))).unwrap_or_default();
        return format!("<p>{caption}none</p>\n");
    }
    let long = if table.rows.len() > 14 { " long" } else { "" };
    let label = escaped(caption.unwrap_or(&table.title));
    let _ = write!(
        out,
        "<div class=\"scroll{long}\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">\n<table>"
    );
    if let Some(caption) = caption {
        let _ = write!(out, "<caption>{}</caption>", escaped(caption));
    }
    out += "<thead><tr>";
    for column in &table.columns {
        let name = match column.unit {
            Unit::Moment => format!("{} ({})", column.name, page.zone.name),
            _ => column.name.clone(),
        };
        let class = if matches!(column.unit, Unit::Text | Unit::Moment) { "" } else { " class=\"n\"" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(&name));
    }
    out += "</tr></thead>\n<tbody>\n";
    for row in &table.rows {
        out += "<tr>";
        for (one, column) in row.iter().zip(&table.columns) {
            out += &cell(one, column.unit, &page.zone);
        }
        out += "</tr>\n";
    }
    out += "</tbody>\n</table>\n</div>\n";
    if table.more > 0 {
        let more = number(table.more as f64, Unit::Count);
        let _ = writeln!(out, "<p class=\"more\">and {more} more, which <code>--events</code> writes</p>");
    }
    out
}

fn footer(out: &mut String, page: &Page) {
    let said = &page.provenance;
    let _ = write!(out, "<footer>\n<p>Made by vmpolicy {}", escaped(&said.engine));
    for variant in &page.variants {
        if let Some(policy) = &variant.policy {
            let _ = write!(out, " · {}: policy {}", escaped(&variant.name), escaped(policy));
        }
    }
    if let Some(seed) = said.seed {
        let _ = write!(out, " · seed {seed}");
    }
    if let Some(zones) = &said.zones {
        let _ = write!(out, " · zone data {}", escaped(zones));
    }
    let zone = escaped(&page.zone.name);
    let _ = write!(
        out,
        "</p>\n<p>{} to {}; times on this page are those of {zone}.</p>\n<p class=\"needs-js\">In a figure: drag to \
         zoom, double-click to show all, Shift and drag to move, Ctrl and wheel to zoom; with keys: arrows, + and \
         −, 0.</p>\n</footer>\n",
        page.range.from, page.range.to
    );
}
