//! The result for people.

use super::Args;
use super::input::Input;
use super::result::named;
use super::small::Small;
use super::tries::Tries;
use crate::cli::backtest::grouped;
use crate::cli::check::{many, shown};
use crate::cli::terminal::{Terminal, wrapped};
use crate::provenance::Provenance;
use std::fmt::Write as _;
use vmpolicy_core::verify::{Counts, Doing, FAULTS, Study};

/// Where the second column begins.
const INDENT: &str = "            ";
const GREEN: &str = "32";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";

pub(super) fn render(
    study: &Study,
    tries: &Tries,
    small: Option<&Small>,
    input: &Input,
    args: &Args,
    terminal: &Terminal,
) -> String {
    let mut out = String::new();
    let counts = &tries.counts;
    let provenance = Provenance::new(study.policy(), &input.zones, Some(args.seed));
    let mut row = |name: &str, says: &str| {
        let width = terminal.prose().saturating_sub(INDENT.len());
        let _ = writeln!(out, "{name:<12}{}", wrapped(says, width, "").replace('\n', &format!("\n{INDENT}")));
    };
    row("policy", &format!("{} ({provenance})", shown(&args.file)));
    let which = match args.world {
        Some(world) => format!("number {world}"),
        None => grouped(counts.worlds),
    };
    row("worlds", &format!("{which}, with {} guests that have the policy", grouped(counts.guests)));
    row("steps", &format!("{}, each seen by the checker of what must never happen", grouped(counts.steps)));
    row("moves", &format!("{}, after {} requests", grouped(counts.moves), grouped(counts.requests)));
    row("faults", &faults(counts));
    if counts.all_faults() > 0 {
        let met = Doing::ALL.map(|doing| format!("{} {}", doing.name(), grouped(counts.met_while(doing))));
        row("", &format!("met by guests that were {}", met.join(", ")));
    }
    out.push('\n');
    let painted = |text: &str, colour: &str| {
        if terminal.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let verdict = match counts.violated_in {
        0 => painted("kept", GREEN),
        _ => painted("BROKEN", RED),
    };
    let _ = writeln!(out, "{verdict}  what must never happen{}", in_worlds(counts.violated_in));
    for (index, expectation) in study.expectations().iter().enumerate() {
        let (broken, judged) = (counts.broken_in[index], counts.judged[index]);
        let verdict = match (broken, judged) {
            (0, 0) => painted("NOT TESTED", YELLOW),
            (0, _) => painted("kept", GREEN),
            _ => painted("BROKEN", RED),
        };
        let judged = match judged {
            0 => "it never had anything to judge".to_owned(),
            _ => format!(
                "judged {} in {}",
                many_times(judged),
                many(usize::try_from(counts.judged_in[index]).unwrap_or(usize::MAX), "world")
            ),
        };
        let _ = writeln!(out, "{verdict}  {}{}; {judged}", expectation.name, in_worlds(broken));
    }
    if let Some(small) = small {
        tell(&mut out, study, small, args);
    }
    out
}

fn many_times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", grouped(number)) }
}

fn in_worlds(number: u64) -> String {
    match number {
        0 => String::new(),
        1 => ", in 1 world".to_owned(),
        _ => format!(", in {} worlds", grouped(number)),
    }
}

fn faults(counts: &Counts) -> String {
    let by_kind = FAULTS.iter().zip(counts.faults).filter(|(_, number)| *number > 0);
    let by_kind: Vec<_> = by_kind.map(|(name, number)| format!("{name} {}", grouped(number))).collect();
    match by_kind.as_slice() {
        [] => "none".to_owned(),
        _ => format!("{}: {}", grouped(counts.all_faults()), by_kind.join(", ")),
    }
}

/// The first world that breaks something, made small.
fn tell(out: &mut String, study: &Study, small: &Small, args: &Args) {
    let Small { index, shrunk, path } = small;
    let (broken, file) = (&shrunk.broken, &shrunk.file);
    let (kind, what) = named(study, broken);
    let ours = file.guests.iter().filter(|guest| guest.policy.is_some()).count();
    let others = file.guests.len() - ours;
    let mut has = vec![many(ours, "guest")];
    if others > 0 {
        has.push(format!("{} beside", many(others, "other")));
    }
    has.push(many(file.faults.len(), "fault"));
    let _ = write!(
        out,
        "\nWorld {index} breaks the {kind} `{what}`.\nMade small in {} runs: {}, {}.\n\n{} at {}: {}\n",
        shrunk.runs,
        file.lasts.value,
        has.join(", "),
        broken.guest,
        broken.at,
        broken.says
    );
    for line in &shrunk.story {
        let _ = writeln!(out, "  {line}");
    }
    let expect = args.expect.as_ref().map_or_else(String::new, |path| format!(" --expect {}", shown(path)));
    let (path, policy) = (shown(path), shown(&args.file));
    let _ = write!(
        out,
        "\nIt is in {path}. To see it again, and to try it with the policy changed:\n  vmpolicy simulate {path}\n  vmpolicy verify {policy}{expect} --scenario {path}\n"
    );
}
