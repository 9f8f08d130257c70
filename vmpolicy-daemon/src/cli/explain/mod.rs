//! `vmpolicy explain`: a policy in plain sentences, and a week of its windows.
//!
//! What is said is made from the policy alone ([`Explained::of`]); this file reads the file and the clock,
//! and lays out the page.

mod keeping;
mod moves;
mod parts;
mod rules;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

pub use timeline::{Day, Spell, Week};

use super::diagnostics::{Text, Told};
use super::given::files;
use super::terminal::{Terminal, complain, print, print_json, wrapped};
use super::{Exit, Format};
use crate::zones::SystemZones;
use clap::ColorChoice;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use vmpolicy_core::file::{Loaded, Problem};
use vmpolicy_core::id::Id as _;
use vmpolicy_core::leaf::window::{Civil, Readings, Zone};
use vmpolicy_core::policy::Zones as _;
use vmpolicy_core::time::Wall;

const EXAMPLES: &str = "\
Examples:
  vmpolicy explain policy.yaml
  vmpolicy explain policy.yaml --from 2026-10-19 --zone UTC
  vmpolicy explain policy.yaml --format json | jq -r '.rules[].says'";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The policy file; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The first day of the week that is shown, such as 2026-03-23; today where it is left out.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<Civil>,
    /// Show the week by the clock of this zone, and not of each window's own.
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// A day of the calendar, as its midnight.
fn date(text: &str) -> Result<Civil, String> {
    let date: jiff::civil::Date =
        text.parse().map_err(|_| "expected a date such as 2026-03-23".to_owned())?;
    let (month, day) = (date.month().unsigned_abs().into(), date.day().unsigned_abs().into());
    Civil::new(date.year().into(), month, day, 0, 0, 0).ok_or_else(|| "no such day".to_owned())
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let zones = SystemZones::default();
    let terminal = Terminal::of_stdout(args.color);
    let zone = match args.zone.as_deref().map(|name| zones.zone(name).ok_or(name)) {
        None => None,
        Some(Ok(zone)) => Some(zone),
        Some(Err(name)) => {
            complain(&format!("there is no time zone named `{name}`; zones are named such as Europe/Oslo"));
            return Exit::Usage;
        }
    };
    let files = match files(&args.file) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let (file, text) = (&files.main().name, Text::of(&files));
    let loaded = match files.load(&zones) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&text, &problems, &terminal, args.format),
    };
    let from = args.from.map_or_else(|| From::Now(now()), From::Day);
    let warnings: Vec<_> = loaded.warnings.iter().cloned().map(Problem::from).collect();
    let explained = Explained::of(file, &loaded, from, zone.as_ref(), &text, &warnings);
    let printed = match args.format {
        Format::Json => print_json(serde_json::to_string_pretty(&explained)),
        Format::Text => print(&explained.page(&terminal)),
    };
    printed.err().unwrap_or(Exit::Done)
}

/// A file with errors explains nothing but these.
fn refuse(text: &Text<'_>, problems: &[Problem], terminal: &Terminal, format: Format) -> Exit {
    let printed = match format {
        Format::Json => {
            let problems: Vec<_> = problems.iter().map(|problem| text.told(problem)).collect();
            let told = serde_json::json!({ "ok": false, "problems": problems });
            print(&format!("{told:#}\n"))
        }
        Format::Text => problems.iter().try_for_each(|problem| print(&(text.draw(problem, terminal) + "\n"))),
    };
    printed.err().unwrap_or(Exit::No).max(Exit::No)
}

fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// When the week begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Today, in each window's own zone; what is open is told of this moment.
    Now(Wall),
    /// This day; what is open is told of its first moment.
    Day(Civil),
}

impl From {
    fn midnight(self, zone: &Zone) -> Civil {
        match self {
            Self::Now(wall) => timeline::midnight(zone, wall),
            Self::Day(midnight) => midnight,
        }
    }

    fn wall(self, zone: &Zone) -> Wall {
        match self {
            Self::Now(wall) => wall,
            Self::Day(midnight) => match zone.readings(midnight) {
                Readings::Never { next: at } | Readings::Once(at) | Readings::Twice(at, _) => at,
            },
        }
    }
}

/// A policy, explained.
#[derive(Clone, Debug, Serialize)]
pub struct Explained<'a> {
    /// The file.
    pub file: &'a str,
    /// The guest, where the file names it.
    pub guest: Option<&'a str>,
    /// Arrays and what they cost.
    pub hosts: Vec<String>,
    /// Where numbers and jobs come from.
    pub indicators: Vec<String>,
    /// When windows are open.
    pub windows: Vec<String>,
    /// The rules, in order.
    pub rules: Vec<RuleSaid<'a>>,
    /// What holds for all moves.
    pub moves: Vec<String>,
    /// How moves are asked for, and where the guest is.
    pub shell: Vec<String>,
    /// Where records go, and where the state is kept.
    pub keeping: Vec<String>,
    /// What is legal but unwise.
    pub warnings: Vec<Told<'a>>,
    /// A week of each window.
    pub weeks: Vec<Week>,
}

/// A rule, explained.
#[derive(Clone, Debug, Serialize)]
pub struct RuleSaid<'a> {
    /// Its name.
    pub name: &'a str,
    /// The condition as the file has it.
    pub when: String,
    /// The tarry as the file has it.
    pub tarry: String,
    /// The action as the file has it.
    #[serde(rename = "do")]
    pub action: String,
    /// In English.
    pub says: String,
    /// From one request to the next while the condition holds without end, in milliseconds, where it can.
    pub request_every_ms: Option<u64>,
}

impl<'a> Explained<'a> {
    /// Everything there is to say.
    #[must_use]
    pub fn of(
        file: &'a str,
        loaded: &'a Loaded,
        from: From,
        zone: Option<&Zone>,
        text: &Text<'a>,
        warnings: &'a [Problem],
    ) -> Self {
        let Loaded { policy, shell, .. } = loaded;
        let mut hosts: Vec<_> =
            policy.arrays().iter().map(|(id, array)| parts::array(policy, id, array)).collect();
        hosts.extend(policy.arrays().rows().iter().filter_map(parts::cost));
        let mut indicators: Vec<_> =
            policy.indicators().ids().map(|id| parts::indicator(policy, shell, id.index())).collect();
        indicators.extend(policy.queues().iter().map(|(id, queue)| {
            let source = shell.sources.get(id.index()).and_then(Option::as_ref);
            let run = shell.work.get(id.index()).and_then(|work| work.run.as_ref());
            parts::queue(queue, source.map(|source| &source.value), run.map(|run| &run.value))
        }));
        let windows = policy.windows().rows();
        let rules = policy.rules().rows().iter().map(|rule| RuleSaid {
            name: &rule.name,
            when: policy.show(&rule.when).to_string(),
            tarry: rule.tarry.to_string(),
            action: policy.show_action(rule.action).to_string(),
            says: rules::rule(policy, rule),
            request_every_ms: moves::Cadence::of(policy, rule).map(|cadence| cadence.apart.millis()),
        });
        Self {
            file,
            guest: policy.guest(),
            hosts,
            indicators,
            windows: windows
                .iter()
                .map(|named| parts::window(&named.name, &named.window, from.wall(named.window.zone())))
                .collect(),
            rules: rules.collect(),
            moves: moves::sentences(policy),
            shell: parts::shell(policy, shell),
            keeping: keeping::sentences(shell),
            warnings: warnings.iter().map(|warning| text.told(warning)).collect(),
            weeks: windows
                .iter()
                .map(|named| {
                    let zone = zone.unwrap_or(named.window.zone());
                    Week::of(&named.name, &named.window, zone, from.midnight(zone))
                })
                .collect(),
        }
    }

    /// As a page of text.
    #[must_use]
    pub fn page(&self, terminal: &Terminal) -> String {
        let mut page = Page { out: String::new(), terminal };
        let guest = self.guest.map_or_else(String::new, |guest| format!(", the policy of guest {guest}"));
        page.plain(&format!("{}{guest}", self.file));
        page.section("Hosts", &self.hosts);
        page.section("Indicators", &self.indicators);
        page.section("Windows", &self.windows);
        page.title("Rules");
        match self.rules.len() {
            0 => page.plain("  There are none."),
            1 => {}
            _ => page.item(
                "Of the rules that are ready the first one acts; then all begin to count anew. What can't be read counts for nothing.",
            ),
        }
        for (index, rule) in self.rules.iter().enumerate() {
            page.numbered(index + 1, rule);
        }
        page.section("Moves", &self.moves);
        page.section("Asking and knowing", &self.shell);
        page.section("Records and state", &self.keeping);
        let warnings: Vec<_> = self.warnings.iter().map(warning).collect();
        page.section("Warnings", &warnings);
        for week in &self.weeks {
            page.week(week);
        }
        page.out
    }
}

fn warning(told: &Told<'_>) -> String {
    let place = told.at.line.map_or_else(String::new, |line| format!(" (line {line})"));
    let hint = told.hint.map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}: {}{hint}{place}.", told.code, told.message)
}

/// The page under way.
struct Page<'a> {
    out: String,
    terminal: &'a Terminal,
}

impl Page<'_> {
    fn plain(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn title(&mut self, title: &str) {
        let (bold, plain) = if self.terminal.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(self.out, "\n{bold}{title}{plain}");
    }

    fn item(&mut self, text: &str) {
        let wrapped = wrapped(&format!("- {text}"), self.terminal.prose() - 2, "    ");
        let _ = writeln!(self.out, "  {wrapped}");
    }

    fn section(&mut self, title: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.title(title);
        for item in items {
            self.item(item);
        }
    }

    fn numbered(&mut self, number: usize, rule: &RuleSaid<'_>) {
        let text = format!("{number}. {}: {}", rule.name, rule.says);
        let _ = writeln!(self.out, "  {}", wrapped(&text, self.terminal.prose() - 2, "     "));
    }

    /// One line a day, with a bar where there is room for one.
    fn week(&mut self, week: &Week) {
        self.title(&format!("A week of {}, by the clock of {}", week.window, week.zone));
        let cells = match self.terminal.columns.unwrap_or(100) {
            100.. => 48,
            60..100 => 24,
            _ => 0,
        };
        if cells > 0 {
            let hours: String = (0..8)
                .map(|hour| format!("{:<width$}", format!("{:02}", hour * 3), width = cells / 8))
                .collect();
            self.plain(&format!("                  {}", hours.trim_end()));
        }
        for day in &week.days {
            let bar = if cells > 0 { format!("{}  ", day.bar(cells)) } else { String::new() };
            let change = day.clock_change.as_ref().map_or_else(String::new, |(from, to)| {
                format!("  (clock {} from {from} to {to})", if from < to { "forward" } else { "back" })
            });
            self.plain(&format!("  {} {}  {bar}{}{change}", day.weekday, day.date, day.said()));
        }
        let hours = |ms: i64| words::rounded(ms as f64 / 3_600_000.0);
        self.plain(&format!("  Open for {} of {} hours.", hours(week.open_ms), hours(week.lasts_ms)));
    }
}
