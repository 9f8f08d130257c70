//! The pages of `vmpolicy simulate --report`, as a reader sees them.

use crate::browser::Browser;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// One guest and two sites; a crowd that somebody else may move; five cases.
const WORLDS: [(&str, &str); 4] = [
    ("nii4.yaml", "own"),
    ("nii3.yaml", "own"),
    ("neighbour.yaml", "none"),
    ("outage.yaml", "none,thr-mmt,iqr-mmt,mad-mmt"),
];

/// A simulation's page, and what `--format json` says beside it.
struct Simulated {
    folder: TempDir,
    json: Value,
}

impl Simulated {
    fn new(scenario: &Path, compare: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("world.html");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        command.arg("simulate").arg(scenario).args(["--compare", compare, "--format", "json", "--report"]);
        let output = command.arg(&page).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder, json: serde_json::from_slice(&output.stdout).unwrap() }
    }

    /// One of those that the docs show.
    fn of(name: &str, compare: &str) -> Self {
        Self::new(&scenarios().join(name), compare)
    }

    fn page(&self) -> PathBuf {
        self.folder.path().join("world.html")
    }

    fn figures(&self) -> usize {
        let variants = self.json["page"]["variants"].as_array().unwrap();
        variants.iter().map(|one| one["panels"].as_array().unwrap().len()).sum()
    }
}

fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/scenarios")
}

/// Nothing on the console, and nothing asked of anybody but the file itself.
fn quiet(browser: &Browser) {
    let (console, asked) = browser.said();
    assert_eq!(console, Vec::<String>::new());
    assert!(!asked.is_empty() && asked.iter().all(|url| url.starts_with("file://")), "{asked:?}");
}

/// Puts the mouse so far into the first figure of this kind, and says where that is.
fn point(browser: &Browser, figure: &str, share: f64) -> (f64, f64) {
    let bounds = browser.script(&format!(
        "const plot = document.querySelector('figure[data-panel=\"{figure}\"] .plot');
         plot.scrollIntoView({{ block: 'center' }});
         const box = plot.getBoundingClientRect();
         return [box.left, box.top, box.width, box.height];"
    ));
    browser.frame();
    let part = |index: usize| bounds[index].as_f64().unwrap();
    (part(0) + part(2) * share, part(1) + part(3) / 2.0)
}

fn outputs(browser: &Browser, figure: &str) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('figure[data-panel=\"{figure}\"] output')].map((one) => one.textContent)"
    );
    let all = browser.script(&script);
    all.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_world_is_drawn_at_every_width_in_both_themes() {
    let browser = Browser::start();
    for (name, compare) in WORLDS {
        let world = Simulated::of(name, compare);
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                browser.window(width, height);
                browser.media("screen", scheme);
                browser.open(&world.page());
                let drawn = browser.script(
                    "return [...document.querySelectorAll('figure canvas')].map((canvas) => {
                       const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                       return data.some((byte, index) => index % 4 === 3 && byte > 200);
                     })",
                );
                let drawn = drawn.as_array().unwrap();
                assert_eq!(drawn.len(), world.figures(), "{name}");
                assert!(drawn.iter().all(|one| *one == true), "{name} {width} {scheme}: {drawn:?}");
                let overflow = browser.number("return document.documentElement.scrollWidth - innerWidth");
                assert!(overflow <= 0.0, "{name} {width} scrolls sideways");
                let ground = browser.text("return getComputedStyle(document.body).backgroundColor");
                assert_eq!(ground == "rgb(255, 255, 255)", scheme == "light", "{ground}");
                quiet(&browser);
                browser.picture(&format!("simulated-{}-{width}-{scheme}", name.trim_end_matches(".yaml")));
            }
        }
    }
}

#[test]
fn one_axis_zooms_and_one_cursor_reads_every_figure() {
    let world = Simulated::of("outage.yaml", "none");
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&world.page());
    let in_view = || {
        let all = browser.script(
            "return [...document.querySelectorAll('figure[data-panel]')].map((one) => [+one.dataset.from, +one.dataset.to])",
        );
        all.as_array().unwrap().clone()
    };
    let lasts = world.json["lasts"].as_f64().unwrap();
    assert!(in_view().iter().all(|one| one[0] == 0.0 && one[1] == lasts), "{:?}", in_view());
    // The cursor in one figure is in all of them.
    let at = point(&browser, "energy", 0.5);
    browser.mouse(&[at], false);
    for figure in ["indicator", "requests", "hosts", "use", "in-use", "energy"] {
        let said = outputs(&browser, figure);
        assert_eq!(said.len(), 2, "{figure}");
        assert!(said.iter().all(|one| !one.is_empty()), "{figure}: {said:?}");
    }
    assert!(outputs(&browser, "energy")[0].contains("kWh"), "{:?}", outputs(&browser, "energy"));
    // A drag in one zooms all.
    let from = point(&browser, "use", 0.3);
    browser.mouse(&[from, (from.0 + 100.0, from.1), (from.0 + 250.0, from.1)], true);
    let zoomed = in_view();
    assert!(zoomed.iter().all(|one| *one == zoomed[0]), "{zoomed:?}");
    let wide = zoomed[0][1].as_f64().unwrap() - zoomed[0][0].as_f64().unwrap();
    assert!((0.1..0.5).contains(&(wide / lasts)), "{wide} of {lasts}");
    browser.double_click(point(&browser, "whereabouts", 0.5));
    assert_eq!(in_view()[0][1], lasts);
    quiet(&browser);
}

/// Figure 4.1: as many guests are somewhere as there are, and the timeline of one says where it was.
#[test]
fn guests_on_hosts_and_the_timeline_say_what_the_data_says() {
    let world = Simulated::of("nii4.yaml", "own");
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&world.page());
    let panels = world.json["page"]["variants"][0]["panels"].as_array().unwrap();
    let figure = |id: &str| panels.iter().find(|panel| panel["id"] == id).unwrap();
    let counts = figure("hosts")["stack"]["counts"].as_array().unwrap();
    for step in 0..counts[0].as_array().unwrap().len() {
        let sum: f64 = counts.iter().map(|row| row[step].as_f64().unwrap()).sum();
        assert_eq!(sum, 1.0, "one guest is somewhere");
    }
    // It begins at Amazon, comes home after 574 s, and is away again for a while later on.
    for (share, host) in [(0.2, "mln1"), (0.5, "mln1"), (0.7, "m1-large"), (0.85, "mln1")] {
        browser.mouse(&[point(&browser, "whereabouts", share)], false);
        let said = outputs(&browser, "whereabouts");
        assert!(said[0].starts_with(host), "{share}: {said:?}");
    }
    quiet(&browser);
}

#[test]
fn the_comparison_says_what_the_totals_say() {
    let world = Simulated::of("outage.yaml", "none,thr-mmt,iqr-mmt,mad-mmt");
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&world.page());
    let variants = world.json["variants"].as_array().unwrap();
    let cells = |row: &str| -> Vec<f64> {
        let cells = browser.script(&format!(
            "const row = [...document.querySelectorAll('#compare tbody tr')].find((one) => one.querySelector('th').textContent === '{row}');
             return [...row.querySelectorAll('data')].map((one) => +one.value)"
        ));
        cells.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
    };
    for (row, key) in [
        ("in breach", "breach"),
        ("share not judged", "unjudged_share"),
        ("in breach, of what was judged", "judged_breach_share"),
        ("requests", "requests"),
        ("live moves", "live_moves"),
        ("on the way", "moving"),
        ("energy", "energy_kwh"),
    ] {
        let totals: Vec<_> = variants.iter().map(|one| one["totals"][key].as_f64().unwrap()).collect();
        assert_eq!(cells(row), totals, "{row}");
    }
    assert_eq!(variants.len(), 5);
    // Of five cases on a phone the table scrolls by itself, and the first column stays readable.
    browser.window(390, 844);
    browser.open(&world.page());
    let narrow = "return document.querySelector('#compare tbody th').getBoundingClientRect().width";
    assert!(browser.number(narrow) >= 60.0, "{}", browser.number(narrow));
    quiet(&browser);
}

#[test]
fn a_world_prints_and_reads_without_scripts() {
    let world = Simulated::of("outage.yaml", "none,thr-mmt");
    let browser = Browser::start();
    browser.window(1440, 900);
    browser.open(&world.page());
    let figures = world.figures() as f64;
    let shown = |what: &str| {
        browser.number(&format!(
            "return [...document.querySelectorAll('{what}')].filter((one) => one.checkVisibility()).length"
        ))
    };
    assert_eq!((shown("figure > svg"), shown("figure canvas")), (0.0, figures));
    browser.media("print", "dark");
    assert_eq!((shown("figure > svg"), shown("figure canvas")), (figures, 0.0));
    assert_eq!(browser.text("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    browser.media("screen", "light");
    browser.open_without_scripts(&world.page());
    assert_eq!((shown("figure > svg"), shown("figure canvas")), (figures, 0.0));
    // Each drawing stays in its own width, and no label is cut off at the right.
    let parts = "return [...document.querySelectorAll('figure[data-panel=use] svg text')].some((one) => one.textContent === '50%')";
    assert_eq!(browser.script(parts), true, "a part of a whole in per cent, as on the screen");
    let wide = "return [...document.querySelectorAll('figure > svg')].filter((svg) => { const box = svg.getBBox(); return box.width < 300 || box.x + box.width > 1002; }).length";
    assert_eq!(browser.number(wide), 0.0);
    browser.picture("simulated-without-scripts");
    quiet(&browser);
    browser.open(&world.page());
    browser.media("", "light");
    let pdf = browser.print();
    assert!(pdf.starts_with(b"%PDF-"));
    std::fs::write(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("simulated.pdf"), pdf).unwrap();
}

/// `docs/report.md`: at most 5 MB. A quarter of the thousand guests, all five cases: what grows with guests and hosts
/// has bounds of its own.
#[test]
fn a_comparison_of_a_crowd_is_bounded() {
    let mut text = std::fs::read_to_string(scenarios().join("thousand.yaml")).unwrap();
    for (all, some) in [
        ("[001-400]", "[001-100]"),
        ("[001-300]", "[001-075]"),
        ("[001-200]", "[001-050]"),
        ("g5-230", "g5-030"),
        ("quiet[001-100]", "quiet[001-025]"),
        ("lasts: 24h", "lasts: 8h"),
    ] {
        assert!(text.contains(all), "{all}");
        text = text.replace(all, some);
    }
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("crowd.yaml");
    std::fs::write(&scenario, text).unwrap();
    let world = Simulated::new(&scenario, "none,thr-mmt,iqr-mmt,mad-mmt");
    assert_eq!((&world.json["guests"], &world.json["hosts"]), (&250.into(), &200.into()));
    let size = std::fs::metadata(world.page()).unwrap().len();
    assert!(size < 5_000_000, "{size} bytes");
    assert_eq!(world.json["page"]["title"], "250 guests in crowd.yaml");
    for variant in world.json["page"]["variants"].as_array().unwrap() {
        let rows =
            variant["tables"].as_array().unwrap().iter().map(|one| one["rows"].as_array().unwrap().len());
        assert!(rows.max().unwrap() <= 120, "{}", variant["name"]);
    }
}
