//! `vmpolicy check`: every error and warning of policy files; of scenarios and tests, with the policies that they
//! name; and of expectations of a policy.

use super::diagnostics::{Text, Told};
use super::given::{Given, part_of};
use super::simulate::input::Looked as LookedAtScenario;
use super::terminal::{Terminal, complain, print, print_json};
use super::{Exit, Format};
use crate::policy_files::{PolicyFiles, whole_of};
use crate::zones::SystemZones;
use clap::{ColorChoice, ValueEnum};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use vmpolicy_core::Policy;
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::file::scenario::Told as ToldOfPolicy;
use vmpolicy_core::file::trial::{BadPolicy, TrialProblems, load_trials};
use vmpolicy_core::file::{FileKind, Problem, Severity};
use vmpolicy_core::sim::scenario::Scenario;

const EXAMPLES: &str = "\
Examples:
  vmpolicy check policy.yaml
  vmpolicy check /etc/vmpolicy
  vmpolicy check --deny warnings --format json policies/*.yaml
  vmpolicy check scenarios/*.yaml
  vmpolicy check tests/*.yaml
  vmpolicy check expect.yaml --policy policy.yaml
  generate-policy | vmpolicy check -
  vmpolicy check --explain VP0012

With a policy goes what the daemon reads with it: the files *.yaml in the folder conf.d beside it. A folder
is the vmpolicy.yaml in it.

A file that says at its top how long it `lasts` is a scenario, and one that has `tests` is a file for
`vmpolicy test`: what they name is read and judged too. One that has `expect` is for `vmpolicy verify`, and
is about the policy that --policy names.

Exit status: 0 no errors, 1 a file has errors, 2 wrong usage, 3 a file can't be read. The
other files are still checked; the greatest number counts.";

/// What each code means, from `docs/errors.md`: a link beside this file, which packaging follows.
const CODES: &str = include_str!("errors.md");

/// No file that is one is longer; the reader says so and need not see it all.
const BYTES_MAX: u64 = 8 << 20;

/// Why expectations alone can't be judged.
const HOMELESS: &str = "expectations are about a policy: say which with --policy";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Policies, scenarios, tests and expectations; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<PathBuf>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// What else makes a file fail.
    #[arg(long, value_name = "WHAT", value_enum)]
    pub deny: Option<Deny>,
    /// The policy that expectations are about.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Explain what a code such as VP0012 means, and check nothing.
    #[arg(long, value_name = "CODE", conflicts_with = "files")]
    pub explain: Option<String>,
}

/// What can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// What is legal but unwise.
    Warnings,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let about = match args.policy.as_deref().map(Given::read).transpose() {
        Ok(about) => about.map(|given| given.loaded.policy),
        Err(exit) => return exit,
    };
    let zones = SystemZones::default();
    let terminal = Terminal::of_stdout(args.color);
    let mut exit = Exit::Done;
    let mut found = Vec::new();
    for path in &args.files {
        let file = shown(path);
        let looked = match PolicyFiles::read(path) {
            Ok(files) => {
                let file = files.main().name.clone();
                let checked = match Checked::by_kind(&files, path, about.as_ref(), &zones) {
                    Some(checked) => {
                        if checked.fails(args.deny) {
                            exit = exit.max(Exit::No);
                        }
                        if checked.sound.is_none()
                            && let Some(whole) = whole_of(path)
                        {
                            complain(&part_of(&file, &whole));
                        }
                        Ok(checked)
                    }
                    None => {
                        exit = exit.max(Exit::Usage);
                        complain(&format!("{file}: {HOMELESS}"));
                        Err(HOMELESS.to_owned())
                    }
                };
                Looked { file, files: Some(files), checked }
            }
            Err(error) => {
                exit = Exit::Outside;
                complain(&format!("can't read {error}"));
                let why = if error.path == *path { error.source.to_string() } else { error.to_string() };
                Looked { file, files: None, checked: Err(why) }
            }
        };
        match args.format {
            Format::Json => found.push(looked),
            // As soon as it is known: another file may be a slow pipe.
            Format::Text => {
                if let Err(failed) = print(&looked.drawn(&terminal, args.deny)) {
                    return exit.max(failed);
                }
            }
        }
    }
    if args.format == Format::Json {
        let told: Vec<_> = found.iter().map(Looked::told).collect();
        let printed = print_json(serde_json::to_string_pretty(&told));
        exit = exit.max(printed.err().unwrap_or(Exit::Done));
    }
    exit
}

/// The name as it is shown.
pub(super) fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// A whole file, or standard input for `-`.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(BYTES_MAX).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What was found in a file.
struct Checked {
    /// None where there are errors.
    sound: Option<Sound>,
    problems: Vec<Problem>,
    /// What was found in the policy files that a scenario names.
    named: Vec<ToldOfPolicy>,
}

/// A file without errors.
enum Sound {
    Policy(Box<Policy>),
    Scenario(Box<Scenario>),
    /// So many tests.
    Tests(usize),
    /// So many expectations.
    Expectations(usize),
}

/// A file that was looked at.
struct Looked {
    file: String,
    /// None where it can't be read.
    files: Option<PolicyFiles>,
    /// Why not, where it can't be looked at.
    checked: Result<Checked, String>,
}

/// A file as JSON.
#[derive(Serialize)]
struct ToldFile<'a> {
    file: &'a str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    problems: Vec<Told<'a>>,
    /// The policy files that a scenario names, where there is something to say of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    named: Vec<ToldNamed<'a>>,
}

/// A policy file that a scenario names, as JSON.
#[derive(Serialize)]
struct ToldNamed<'a> {
    file: &'a str,
    problems: Vec<Told<'a>>,
}

impl Checked {
    /// As what it is meant. None for expectations of nobody knows which policy.
    fn by_kind(
        files: &PolicyFiles,
        path: &Path,
        about: Option<&Policy>,
        zones: &SystemZones,
    ) -> Option<Self> {
        let bytes = &files.main().bytes;
        Some(match FileKind::of(bytes) {
            FileKind::Scenario => Self::of_scenario(bytes, path, zones),
            FileKind::Tests => Self::of_tests(bytes, path, zones),
            FileKind::Expectations => Self::of_expectations(bytes, about?),
            FileKind::Policy => Self::of(files, zones),
        })
    }

    fn of(files: &PolicyFiles, zones: &SystemZones) -> Self {
        match files.load(zones) {
            Ok(loaded) => {
                let problems = loaded.warnings.into_iter().map(Problem::from).collect();
                let sound = Some(Sound::Policy(Box::new(loaded.policy)));
                Self { sound, problems, named: Vec::new() }
            }
            Err(problems) => Self { sound: None, problems, named: Vec::new() },
        }
    }

    fn of_scenario(bytes: &[u8], path: &Path, zones: &SystemZones) -> Self {
        let LookedAtScenario { scenario, problems, policies, .. } = LookedAtScenario::at(bytes, path, zones);
        let sound = scenario.map(|scenario| Sound::Scenario(Box::new(scenario)));
        Self { sound, problems, named: policies }
    }

    /// The tests are not run.
    fn of_tests(bytes: &[u8], path: &Path, zones: &SystemZones) -> Self {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut policy = |name: &str| read(&folder.join(name)).map_err(|error| error.to_string());
        match load_trials(bytes, zones, &mut policy) {
            Ok(trials) => {
                let sound = Some(Sound::Tests(trials.cases.len()));
                Self { sound, problems: Vec::new(), named: Vec::new() }
            }
            Err(TrialProblems { problems, policies }) => {
                let from_here = |BadPolicy { path, text, problems }: BadPolicy| ToldOfPolicy {
                    path: shown(&folder.join(path)),
                    text,
                    problems,
                };
                Self { sound: None, problems, named: policies.into_iter().map(from_here).collect() }
            }
        }
    }

    fn of_expectations(bytes: &[u8], about: &Policy) -> Self {
        match load_expectations(bytes, about) {
            Ok(expectations) => {
                let sound = Some(Sound::Expectations(expectations.len()));
                Self { sound, problems: Vec::new(), named: Vec::new() }
            }
            Err(problems) => Self { sound: None, problems, named: Vec::new() },
        }
    }

    fn all(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(self.named.iter().flat_map(|told| &told.problems))
    }

    fn number_of(&self, severity: Severity) -> usize {
        self.all().filter(|problem| problem.severity == severity).count()
    }

    fn fails(&self, deny: Option<Deny>) -> bool {
        self.sound.is_none() || (deny == Some(Deny::Warnings) && self.all().next().is_some())
    }

    fn drawn(&self, text: &Text<'_>, file: &str, terminal: &Terminal, deny: Option<Deny>) -> String {
        let mut out = String::new();
        for problem in &self.problems {
            out.push_str(&text.draw(problem, terminal));
            out.push('\n');
        }
        for told in &self.named {
            let text = Text::new(&told.path, &told.text);
            for problem in &told.problems {
                out.push_str(&text.draw(problem, terminal));
                out.push('\n');
            }
        }
        let (errors, warnings) = (self.number_of(Severity::Error), self.number_of(Severity::Warning));
        let _ = write!(out, "{file}: ");
        match &self.sound {
            Some(sound) => {
                out.push_str(if self.fails(deny) { "denied" } else { "ok" });
                if warnings > 0 {
                    let _ = write!(out, ", {}", many(warnings, "warning"));
                }
                let _ = write!(out, " ({})", sound.parts());
            }
            None => out.push_str(&many(errors, "error")),
        }
        out.push('\n');
        if let Some(problem) = self.all().next() {
            let _ = writeln!(out, "More about {0}: vmpolicy check --explain {0}", problem.code);
        }
        out
    }
}

impl Sound {
    /// What it holds: `2 rules, 1 window`.
    fn parts(&self) -> String {
        let parts = match self {
            Self::Policy(policy) => vec![
                (policy.rules().len(), "rule", true),
                (policy.windows().len(), "window", false),
                (policy.queues().len(), "queue", false),
            ],
            Self::Scenario(scenario) => vec![
                (scenario.guests.len(), "guest", true),
                (scenario.hosts.len(), "host", true),
                (scenario.faults.len(), "fault", false),
            ],
            Self::Tests(tests) => vec![(*tests, "test", true)],
            Self::Expectations(expectations) => vec![(*expectations, "expectation", true)],
        };
        let shown = parts.into_iter().filter(|(number, _, always)| *always || *number > 0);
        shown.map(|(number, what, _)| many(number, what)).collect::<Vec<_>>().join(", ")
    }
}

impl Looked {
    fn text(&self) -> Text<'_> {
        self.files.as_ref().map_or_else(|| Text::new(&self.file, &[]), Text::of)
    }

    fn told(&self) -> ToldFile<'_> {
        let (text, file) = (self.text(), self.file.as_str());
        match &self.checked {
            Ok(checked) => {
                let problems = checked.problems.iter().map(|problem| text.told(problem)).collect();
                let named = checked.named.iter().map(|told| {
                    let text = Text::new(&told.path, &told.text);
                    let problems = told.problems.iter().map(|problem| text.told(problem)).collect();
                    ToldNamed { file: &told.path, problems }
                });
                let (ok, named) = (checked.sound.is_some(), named.collect());
                ToldFile { file, ok, unreadable: None, problems, named }
            }
            Err(error) => {
                let unreadable = Some(error.clone());
                ToldFile { file, ok: false, unreadable, problems: Vec::new(), named: Vec::new() }
            }
        }
    }

    /// Nothing where the file could not be read: that was said on standard error.
    fn drawn(&self, terminal: &Terminal, deny: Option<Deny>) -> String {
        match &self.checked {
            Ok(checked) => checked.drawn(&self.text(), &self.file, terminal, deny),
            Err(_) => String::new(),
        }
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn many(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

fn explain(code: &str) -> Exit {
    match explanation(code) {
        Some(text) => print(&format!("{}\n", text.trim_end())).err().unwrap_or(Exit::Done),
        None => {
            complain(&format!("there is no code `{code}`; `vmpolicy check` prints them: error[VP0012]"));
            Exit::Usage
        }
    }
}

/// The section of [`CODES`] whose heading has this code.
fn explanation(code: &str) -> Option<&'static str> {
    let code = code.trim().to_ascii_uppercase();
    if code.is_empty() {
        return None;
    }
    let level = |line: &str| line.bytes().take_while(|&byte| byte == b'#').count();
    let words = |line: &str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == code);
    let mut found: Option<(usize, usize)> = None;
    let (mut at, mut fenced) = (0, false);
    for line in CODES.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        let depth = if fenced { 0 } else { level(line) };
        match found {
            None if depth > 0 && words(line) => found = Some((at, depth)),
            Some((start, above)) if depth > 0 && depth <= above => return Some(&CODES[start..at]),
            _ => {}
        }
        at += line.len();
    }
    found.map(|(start, _)| &CODES[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_explained_and_others_are_not() {
        assert!(explanation("VP0008").is_some_and(|text| text.contains("VP0008")));
        assert_eq!(explanation("vp0008"), explanation("VP0008"));
        for code in ["", "VP", "VP9999", "#", " "] {
            assert_eq!(explanation(code), None, "{code}");
        }
    }
}
