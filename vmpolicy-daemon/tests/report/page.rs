//! What a reader sees and does.

use crate::browser::Browser;
use crate::made::{Backtest, PATIENT, SCHEDULED, START, load, page};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const FIGURES: &str = "document.querySelectorAll('figure[data-panel]')";

/// A page of two policies and thirty guests.
fn several() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("several.html");
    let page = page("Thirty guests under two policies", &[SCHEDULED, PATIENT], 30, 2_880, load);
    vmpolicy_daemon::report::write(&path, &page).unwrap();
    (folder, path)
}

/// Nothing on the console, and nothing asked of anybody but the file itself.
fn quiet(browser: &Browser) {
    let (console, asked) = browser.said();
    assert_eq!(console, Vec::<String>::new());
    assert!(asked.iter().all(|url| url.starts_with("file://")), "{asked:?}");
    assert!(!asked.is_empty());
}

/// How many different colours each figure shows.
fn colours(browser: &Browser) -> Vec<u64> {
    let script = "return [...document.querySelectorAll('figure canvas')].map((canvas) => {
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
        return seen.size;
    })";
    browser.script(script).as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
}

/// Where a moment is in a figure, in pixels of the window; the figure is scrolled into view.
fn place(browser: &Browser, figure: &str, share: f64) -> (f64, f64) {
    let script = format!(
        "const plot = document.querySelector('figure[data-panel=\"{figure}\"] .plot');
         plot.scrollIntoView({{ block: 'center' }});
         const box = plot.getBoundingClientRect();
         return [box.left, box.top, box.width, box.height];"
    );
    let bounds = browser.script(&script);
    let part = |index: usize| bounds[index].as_f64().unwrap();
    browser.frame();
    (part(0) + part(2) * share, part(1) + part(3) / 2.0)
}

fn in_view(browser: &Browser) -> Vec<(f64, f64)> {
    let script = format!("return [...{FIGURES}].map((one) => [+one.dataset.from, +one.dataset.to])");
    let all = browser.script(&script);
    all.as_array().unwrap().iter().map(|one| (one[0].as_f64().unwrap(), one[1].as_f64().unwrap())).collect()
}

#[test]
fn every_figure_is_drawn_and_nothing_is_asked_for() {
    let backtest = Backtest::new();
    let (_folder, several) = several();
    let browser = Browser::start();
    for (name, path, figures) in [("one", backtest.page(), 4), ("several", several, 10)] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                browser.window(width, height);
                browser.media("screen", scheme);
                browser.open(&path);
                let seen = colours(&browser);
                assert_eq!(seen.len(), figures, "{name}");
                assert!(seen.iter().all(|&count| count >= 3), "{name} {width} {scheme}: {seen:?}");
                let overflow = "return document.documentElement.scrollWidth - innerWidth";
                assert!(browser.number(overflow) <= 0.0, "{name} {width} scrolls sideways");
                let ground = browser.text("return getComputedStyle(document.body).backgroundColor");
                assert_eq!(ground == "rgb(255, 255, 255)", scheme == "light", "{ground}");
                quiet(&browser);
                browser.picture(&format!("{name}-{width}-{scheme}"));
            }
        }
    }
}

#[test]
fn the_cursor_says_what_the_data_says() {
    let backtest = Backtest::new();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&backtest.page());
    let data = &backtest.json["page"];
    let embedded = browser.script("return JSON.parse(document.getElementById('data').textContent)");
    assert_eq!(&embedded, data, "the page's data is what --format json says");
    let line = &data["variants"][0]["panels"][0]["indicator"]["lines"][0];
    let (at, low) = (line["points"]["at"].as_array().unwrap(), line["points"]["low"].as_array().unwrap());
    for share in [0.2, 0.35, 0.55, 0.7] {
        browser.mouse(&[place(&browser, "indicator", share)], false);
        // The script tells the cursor's moment in the axis's own terms: by hand, from the place of its line.
        let moment = browser.text("return document.getElementById('readout').textContent");
        let says =
            browser.text("return document.querySelector('figure[data-panel=indicator] output').textContent");
        let secs = civil_secs(&moment);
        let index = at.iter().rposition(|one| one.as_f64().unwrap() <= secs as f64 + 0.5).unwrap();
        let near = low[index.saturating_sub(1)..=index].iter();
        let expected: Vec<_> = near
            .map(|value| value.as_f64().map_or("nothing known".to_owned(), |value| value.to_string()))
            .collect();
        assert!(
            expected.iter().any(|one| says.starts_with(one.as_str())),
            "{moment}: {says}, not {expected:?}"
        );
        let lane = browser
            .text("return document.querySelector('figure[data-panel=whereabouts] output').textContent");
        assert!(lane.starts_with("mln"), "{lane}");
    }
    quiet(&browser);
    browser.window_picture("cursor");
}

/// `Sat 28 Mar 2009 10:49:12 UTC+1`, as seconds since the beginning.
fn civil_secs(text: &str) -> i64 {
    let parts: Vec<_> = text.split(' ').collect();
    let clock: Vec<i64> = parts[4].split(':').map(|part| part.parse().unwrap()).collect();
    let offset: i64 = parts[5].strip_prefix("UTC+").map_or(0, |hours| hours.parse().unwrap());
    let day: i64 = parts[1].parse().unwrap();
    (day - 28) * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2] - offset * 3_600
}

#[test]
fn one_drag_zooms_every_figure_to_the_same_range() {
    let (_folder, path) = several();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&path);
    let whole = in_view(&browser);
    assert!(whole.iter().all(|range| *range == (0.0, 2_879.0 * 60.0)), "{whole:?}");
    let from = place(&browser, "requests", 0.3);
    browser.mouse(&[from, (from.0 + 100.0, from.1), (from.0 + 200.0, from.1)], true);
    let zoomed = in_view(&browser);
    assert!(zoomed.iter().all(|range| *range == zoomed[0]), "{zoomed:?}");
    let wide = zoomed[0].1 - zoomed[0].0;
    assert!((20_000.0..60_000.0).contains(&wide), "{zoomed:?}");

    browser.script("document.querySelector('figure[data-panel=indicator] .plot').focus()");
    browser.keys("+");
    let closer = in_view(&browser);
    assert!((closer[0].1 - closer[0].0 - wide / 2.0).abs() < 1.0, "{closer:?}");
    browser.keys("0");
    assert_eq!(in_view(&browser), whole);

    browser.wheel(place_of_axis(&browser), -120);
    assert!(in_view(&browser)[0].1 - in_view(&browser)[0].0 < 2_879.0 * 60.0);
    browser.double_click(place(&browser, "whereabouts", 0.5));
    assert_eq!(in_view(&browser), whole);
    quiet(&browser);
}

#[test]
fn a_finger_points_and_moves_what_is_in_view() {
    let backtest = Backtest::new();
    let browser = Browser::start();
    browser.window(390, 844);
    browser.open(&backtest.page());
    let at = place(&browser, "indicator", 0.6);
    browser.finger(&[at]);
    let says = "return document.querySelector('figure[data-panel=indicator] output').textContent";
    assert_ne!(browser.text(says), "", "a tap sets the cursor");
    browser.script("document.querySelector('figure[data-panel=indicator] .plot').focus()");
    browser.keys("++");
    let before = in_view(&browser)[0];
    browser.finger(&[at, (at.0 - 30.0, at.1), (at.0 - 60.0, at.1), (at.0 - 100.0, at.1)]);
    let after = in_view(&browser)[0];
    assert!(after.0 > before.0 + 1_000.0, "{before:?} {after:?}");
    assert!((after.1 - after.0 - (before.1 - before.0)).abs() < 1.0, "{before:?} {after:?}");
    quiet(&browser);
}

#[test]
fn words_stand_out_in_both_themes() {
    let backtest = Backtest::new();
    let browser = Browser::start();
    for scheme in ["light", "dark"] {
        browser.media("screen", scheme);
        browser.open(&backtest.page());
        // WCAG 2.2, 1.4.3: at least 4.5 to 1.
        let ratios = browser.script(
            "const style = getComputedStyle(document.documentElement);
             const light = (name) => {
               const part = (at) => {
                 const c = parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16) / 255;
                 return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
               };
               return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
             };
             const ratio = (one, other) => {
               const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
               return (more + 0.05) / (less + 0.05);
             };
             return ['--ink', '--muted', '--bad', '--good', '--accent'].map((name) => ratio(name, '--ground'))
               .concat(ratio('--ink', '--shade'))",
        );
        let ratios: Vec<_> = ratios.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
        assert!(ratios.iter().all(|ratio| *ratio >= 4.5), "{scheme}: {ratios:?}");
    }
}

fn place_of_axis(browser: &Browser) -> (f64, f64) {
    let bounds =
        browser.script("const box = document.getElementById('axis').getBoundingClientRect(); return [box.x + box.width / 2, box.y + 10]");
    (bounds[0].as_f64().unwrap(), bounds[1].as_f64().unwrap())
}

#[test]
fn a_guest_is_chosen_and_colours_are_switched() {
    let (_folder, path) = several();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.media("screen", "light");
    browser.open(&path);
    let choices = browser.number("return document.getElementById('guest').options.length");
    assert!(choices > 12.0, "{choices}");
    browser.mouse(&[place(&browser, "indicator", 0.25)], false);
    let says = "return document.querySelector('figure[data-panel=indicator] output').textContent";
    assert!(browser.text(says).contains("of 30 in breach"), "{}", browser.text(says));
    browser.script(
        "const box = document.getElementById('guest'); box.selectedIndex = 1; box.dispatchEvent(new Event('change'))",
    );
    browser.mouse(&[place(&browser, "indicator", 0.26)], false);
    assert!(!browser.text(says).contains("of 30"), "{}", browser.text(says));

    let ground = "return getComputedStyle(document.body).backgroundColor";
    let before = browser.text(ground);
    browser.script("document.getElementById('theme').click()");
    browser.frame();
    assert_ne!(browser.text(ground), before);
    quiet(&browser);
}

#[test]
fn hours_are_those_of_the_guests_even_on_the_night_of_the_change() {
    let backtest = Backtest::new();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&backtest.page());
    let zone = &backtest.json["page"]["zone"];
    assert_eq!((&zone["name"], &zone["first_offset_s"]), (&json!("Europe/Oslo"), &json!(3_600)));
    assert_eq!(zone["transitions"], json!([[START + 25 * 3_600, 7_200]]));
    // From 00:00 to 06:00 that night it is five hours: the axis goes from 01:00 to 03:00.
    browser.script("document.querySelector('figure .plot').focus()");
    let there = (24.5 * 3_600.0) / (2_879.0 * 60.0);
    let x = 64.0 / 1_176.0 + there * (1_176.0 - 64.0 - 118.0) / 1_176.0;
    browser.mouse(&[place(&browser, "indicator", x)], false);
    let before = browser.text("return document.getElementById('readout').textContent");
    assert!(before.starts_with("Sun 29 Mar 2009 01:") && before.ends_with("UTC+1"), "{before}");
    let x = x + (1.0 * 3_600.0) / (2_879.0 * 60.0) * (1_176.0 - 64.0 - 118.0) / 1_176.0;
    browser.mouse(&[place(&browser, "indicator", x)], false);
    let after = browser.text("return document.getElementById('readout').textContent");
    assert!(after.starts_with("Sun 29 Mar 2009 03:") && after.ends_with("UTC+2"), "{after}");
}

#[test]
fn numbers_are_those_of_the_summary_and_rows_those_of_the_events() {
    let backtest = Backtest::new();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&backtest.page());
    let shown = |name: &str| {
        let script = format!(
            "return [...document.querySelectorAll('.stats div')].find((one) => \
             one.querySelector('dt').textContent === '{name}').querySelector('data').value"
        );
        browser.text(&script).parse::<f64>().unwrap()
    };
    let totals = &backtest.json["totals"];
    assert_eq!(shown("requests"), totals["requests"]["count"].as_f64().unwrap());
    assert_eq!(shown("in breach"), totals["time"]["breach"].as_f64().unwrap());
    assert_eq!(shown("cost in all (C_t)"), totals["cost"]["c_t"].as_f64().unwrap());
    let of = |event: &str| backtest.events.iter().filter(|one| one["event"] == event).collect::<Vec<_>>();
    let rows = |table: &str| {
        browser.script(&format!(
            "return [...document.querySelectorAll('#table-{table} tbody tr')].map((row) => \
             [row.querySelector('time').dateTime, row.textContent])"
        ))
    };
    let requests = rows("requests");
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.len(), of("request").len());
    for (row, event) in requests.iter().zip(of("request")) {
        assert_eq!(row[0], event["at"]);
        let text = row[1].as_str().unwrap();
        for part in ["rule", "from", "to", "do"] {
            assert!(text.contains(event[part].as_str().unwrap()), "{text}: {event}");
        }
    }
    let held = rows("held");
    assert!(!held.as_array().unwrap().is_empty());
    assert_eq!(held.as_array().unwrap().len(), of("held").len() + of("no-better-host").len());
    assert!(held[0][1].as_str().unwrap().contains("its budget of moves is spent"), "{held}");
    // The bars add up to the requests, and the lanes to the time at base.
    let panels = &backtest.json["page"]["variants"][0]["panels"];
    let counts = panels[1]["bars"]["counts"].as_array().unwrap().iter();
    let sum: u64 = counts.flat_map(|row| row.as_array().unwrap()).map(|one| one.as_u64().unwrap()).sum();
    assert_eq!(sum, totals["requests"]["count"].as_u64().unwrap());
    let base =
        backtest.json["page"]["hosts"].as_array().unwrap().iter().position(|host| host["base"] == true);
    let stays = panels[3]["lanes"]["lanes"][0]["stays"].as_array().unwrap();
    let there = stays.iter().filter(|stay| stay[2] == json!(base.unwrap()));
    let lasted: f64 = there.map(|stay| stay[1].as_f64().unwrap() - stay[0].as_f64().unwrap()).sum();
    assert_eq!(lasted, totals["time"]["at_base"].as_f64().unwrap());
    let breach = &panels[0]["indicator"]["lines"][0]["breach_s"];
    assert_eq!(breach.as_f64(), totals["time"]["breach"].as_f64());
}

#[test]
fn it_prints_and_reads_without_scripts() {
    let (_folder, path) = several();
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&path);
    let shown = |what: &str| {
        let script = format!(
            "return [...document.querySelectorAll('{what}')].filter((one) => one.checkVisibility()).length"
        );
        browser.number(&script)
    };
    assert_eq!((shown("figure > svg"), shown("figure canvas")), (0.0, 10.0));
    browser.media("print", "dark");
    assert_eq!((shown("figure > svg"), shown("figure canvas"), shown("#theme")), (10.0, 0.0, 0.0));
    let ground = browser.text("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(255, 255, 255)", "ink is for the text");
    assert!(shown("tbody tr") > 50.0);
    browser.media("screen", "light");
    browser.open_without_scripts(&path);
    assert_eq!(browser.script("return document.documentElement.dataset.ready"), Value::Null);
    assert_eq!((shown("figure > svg"), shown("figure canvas"), shown(".needs-js")), (10.0, 0.0, 0.0));
    let empty = "return [...document.querySelectorAll('figure > svg')].filter((svg) => svg.getBBox().width < 300).length";
    assert_eq!(browser.number(empty), 0.0);
    browser.picture("without-scripts");
    quiet(&browser);

    browser.open(&Backtest::new().page());
    // As the printer has it, and not as it was pretended above.
    browser.media("", "light");
    let pdf = browser.print();
    assert!(pdf.starts_with(b"%PDF-"));
    std::fs::write(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("one.pdf"), pdf).unwrap();
}
