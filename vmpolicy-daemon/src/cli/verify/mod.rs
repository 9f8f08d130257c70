//! `vmpolicy verify`: random worlds in which a policy has to keep what is expected of it.

mod bug;
mod input;
mod result;
mod small;
mod text;
mod tries;

use super::check::shown;
use super::outputs::{self, is_dash};
use super::terminal::{Terminal, complain, print, print_json};
use super::{Exit, Format};
use crate::shard::Shard;
use bug::{Bug, caught};
use clap::{ColorChoice, ValueEnum};
use input::Input;
use std::path::{Path, PathBuf};
use tries::Tries;
use vmpolicy_core::verify::{Scope, Study, Tried};

const EXAMPLES: &str = "\
Examples:
  vmpolicy verify policy.yaml
  vmpolicy verify policy.yaml --expect expect.yaml --worlds 100000
  vmpolicy verify policy.yaml --expect expect.yaml --world 17
  vmpolicy verify policy.yaml --expect expect.yaml --scenario verify-1-17.yaml
  vmpolicy verify policy.yaml --expect expect.yaml --shard 1/4 --format json > 1.json

Without --expect, only what must never happen is looked for: that would be a fault of the engine.
What breaks is made small, and written as a scenario that `vmpolicy simulate` replays.

Exit status: 0 everything was kept, 1 something is broken or a file has errors, 2 wrong usage,
3 a file can't be read or written, or vmpolicy itself is at fault.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The policy file; `-` is standard input.
    #[arg(value_name = "POLICY")]
    pub file: PathBuf,
    /// How many worlds to try.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub worlds: u64,
    /// What the worlds are drawn from: the same seed, the same worlds.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// What is expected of the policy in every world.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Which faults there may be.
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    pub faults: Faults,
    /// Only the world of this number, counted from 0, made small if it breaks anything.
    #[arg(long, value_name = "N", conflicts_with_all = ["worlds", "shard"], value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    pub world: Option<u64>,
    /// Only this scenario, such as an earlier run has written, with this policy in the place of its own.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["worlds", "shard", "world", "faults", "seed"])]
    pub scenario: Option<PathBuf>,
    /// Only this part of the worlds, such as `1/4`, for `vmpolicy merge`; needs `--format json`. Nothing is made small.
    #[arg(long, value_name = "I/N", conflicts_with = "write")]
    pub shard: Option<Shard>,
    /// How many threads to use [default: one for each processor]. The result is the same.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where to write the small scenario, if anything is broken [default: `verify-SEED-WORLD.yaml`].
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// Which faults there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Faults {
    /// None, and providers are sound.
    None,
    /// Those of guests only: daemons, probes, clocks, loads, operators.
    Guest,
    /// Those of providers only.
    Provider,
    /// Those of hosts only: crashes, drains, moves by somebody else.
    Host,
    /// All of these.
    #[default]
    All,
}

impl Faults {
    const fn scope(self) -> Scope {
        match self {
            Self::None => Scope::NONE,
            Self::Guest => Scope { guest: true, ..Scope::NONE },
            Self::Provider => Scope { provider: true, ..Scope::NONE },
            Self::Host => Scope { host: true, ..Scope::NONE },
            Self::All => Scope { guest: true, provider: true, host: true },
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Guest => "guest",
            Self::Provider => "provider",
            Self::Host => "host",
            Self::All => "all",
        }
    }
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match verify(args, Study::try_world) {
        Ok(exit) | Err(exit) => exit,
    }
}

impl Args {
    /// The files that are read.
    fn inputs(&self) -> impl Iterator<Item = &Path> + Clone {
        let files = [Some(&self.file), self.expect.as_ref(), self.scenario.as_ref()];
        files.into_iter().flatten().map(PathBuf::as_path).filter(|path| !is_dash(path))
    }
}

/// Verifies, trying each world by this.
fn verify(args: &Args, try_world: impl Fn(&Study, u64) -> Tried + Sync) -> Result<Exit, Exit> {
    outputs::check(&[(args.write.as_deref(), small::WHAT)], args.inputs())?;
    outputs::attempt(args.write.as_deref())?;
    if args.shard.is_some() && args.format != Format::Json {
        complain("a shard's result is for `vmpolicy merge`: add --format json");
        return Err(Exit::Usage);
    }
    let input = Input::read(args)?;
    let study = Study::new(&input.loaded, input.expectations.clone(), args.seed, args.faults.scope());
    if let Some(path) = &args.scenario {
        let replayed = caught(|| small::replay(&study, path, &input, args));
        return replayed.unwrap_or_else(|says| Err(Bug { world: None, says }.tell(args)));
    }
    let tries = Tries::run(&study, args, try_world)?;
    let terminal = Terminal::of_stdout(args.color);
    // What can fail comes before what is printed.
    let small = match tries.broken.first() {
        Some((index, _)) if args.shard.is_none() => {
            let made = caught(|| small::Small::make(&study, *index, &input, args));
            Some(made.unwrap_or_else(|says| Err(Bug { world: Some(*index), says }.tell(args)))?)
        }
        _ => None,
    };
    let envelope = result::envelope(&study, &tries, &input, args);
    match args.format {
        Format::Json => {
            print_json(envelope.json())?;
            if let Some(small) = &small {
                complain(&format!("world {}, made small: {}", small.index, shown(&small.path)));
            }
        }
        Format::Text => print(&text::render(&study, &tries, small.as_ref(), &input, args, &terminal))?,
    }
    for idle in tries.counts.judged.iter().zip(study.expectations()).filter(|(judged, _)| **judged == 0) {
        complain(&format!("`{}` never had anything to judge: it was not tested", idle.1.name));
    }
    Ok(if tries.broken.is_empty() { Exit::Done } else { Exit::No })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    const POLICY: &str = "version: 1
arrays: { oslo: { hosts: [mln1, mln2] } }
indicators: { slow: { every: 60s } }
rules: [{ name: overloaded, when: slow > 50, tarry: 3, do: move }]
";

    /// Worlds that panic where a bug is put into them; with any number of threads.
    #[test]
    fn a_world_that_panics_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.yaml");
        std::fs::write(&policy, POLICY).unwrap();
        for threads in ["1", "3"] {
            let line = ["verify", policy.to_str().unwrap(), "--worlds", "12", "--threads", threads];
            let args = Line::parse_from(line).args;
            let with_bugs = |study: &Study, world: u64| {
                assert!(!matches!(world, 5 | 9), "injected into world {world}");
                study.try_world(world)
            };
            assert_eq!(verify(&args, with_bugs), Err(Exit::Outside));
            assert_eq!(verify(&args, Study::try_world), Ok(Exit::Done));
        }
    }
}
