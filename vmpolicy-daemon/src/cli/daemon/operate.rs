//! `vmpolicy hold`, `resume`, `move` and `reload`: an operator's word.

use super::words::about;
use super::{Exit, Format, Reach, ended, show};
use crate::control::{Changed, Moving, Request, Said, Told};
use vmpolicy_core::file::parse_span;
use vmpolicy_core::time::Span;

const HOLD_EXAMPLES: &str = "\
Examples:
  vmpolicy hold           until `vmpolicy resume`
  vmpolicy hold 2h        for two hours

A hold survives the daemon. It keeps rules from acting, and the guest on a host that will be drained; a request that is
open goes on, and `vmpolicy move` is not held.

Exit status: 0 done, 2 wrong usage, 3 the daemon can't be reached.";

const RESUME_EXAMPLES: &str = "\
Examples:
  vmpolicy resume

Exit status: 0 done, 2 wrong usage, 3 the daemon can't be reached.";

const MOVE_EXAMPLES: &str = "\
Examples:
  vmpolicy move mln3

It is asked for whatever the rules say, and whatever would hold them back: a hold, dwell, the budget, a host that is
barred, draining or down. Where it leads to is seen with `vmpolicy status`.

Exit status: 0 it is asked for, 1 it can't be (no such host, a request is open, the guest is there), 2 wrong usage,
3 the daemon can't be reached.";

const RELOAD_EXAMPLES: &str = "\
Examples:
  vmpolicy reload && vmpolicy status

A policy file is taken whole or not at all: where it has errors, the old policy stays in force.

Exit status: 0 taken, 1 not taken, 2 wrong usage, 3 the daemon can't be reached.";

/// The arguments of `hold`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HOLD_EXAMPLES)]
pub struct HoldArgs {
    /// For how long, such as `30m` or `2h`; without it until `resume`.
    #[arg(value_parser = some_span)]
    pub span: Option<Span>,
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// The arguments of `resume`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub struct ResumeArgs {
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// The arguments of `move`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = MOVE_EXAMPLES)]
pub struct MoveArgs {
    /// A host of the policy.
    pub host: String,
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// The arguments of `reload`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = RELOAD_EXAMPLES)]
pub struct ReloadArgs {
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

fn some_span(text: &str) -> Result<Span, String> {
    match parse_span(text) {
        Ok(span) if span.is_zero() => Err("it must be more than nothing".to_owned()),
        Ok(span) => Ok(span),
        Err(why) => Err(why.to_owned()),
    }
}

/// Runs `hold`.
#[must_use]
pub fn hold(args: &HoldArgs) -> Exit {
    let request = Request::Hold { seconds: args.span.map(Span::as_secs_f64) };
    said(&args.reach, args.reach.ask(&request, "hold"), |said: &Said| match said.lasts {
        Some(lasts) => format!("held for {}: no rule asks for a move", about(lasts)),
        None => "held until `vmpolicy resume`: no rule asks for a move".to_owned(),
    })
}

/// Runs `resume`.
#[must_use]
pub fn resume(args: &ResumeArgs) -> Exit {
    said(&args.reach, args.reach.ask(&Request::Resume {}, "resume"), |said: &Said| {
        if said.before { "goes on" } else { "it was not held" }.to_owned()
    })
}

/// Runs `move`.
#[must_use]
pub fn go(args: &MoveArgs) -> Exit {
    let request = Request::Move { to: args.host.clone() };
    said(&args.reach, args.reach.ask(&request, "move"), |moving: &Moving| {
        let Moving { id, from, to, .. } = moving;
        let mut words = format!("request {id}: {from} -> {to}");
        if moving.mode != "act" {
            words += &format!(", which nobody is asked for: the daemon does not act ({})", moving.mode);
        }
        if let Some(despite) = &moving.despite {
            words += &format!("\n{to} is {despite}; asked for all the same");
        }
        if let Some(trouble) = &moving.trouble {
            words += &format!("\nit has not left: {trouble}");
        }
        words
    })
}

/// Runs `reload`.
#[must_use]
pub fn reload(args: &ReloadArgs) -> Exit {
    said(&args.reach, args.reach.ask(&Request::Reload {}, "reload"), |changed: &Changed| {
        let Changed { fingerprint, mode, .. } = changed;
        match (changed.rules_kept, changed.waits_for, &changed.begins_anew) {
            (_, _, Some(what)) => {
                format!("taken: {fingerprint}; {what} has changed, so the daemon begins anew; mode: {mode}")
            }
            (_, Some(id), _) => {
                format!(
                    "taken: {fingerprint}; it lacks a host of request {id}, and is in force after its end"
                )
            }
            (Some(1), ..) => format!("taken: {fingerprint}; 1 rule goes on counting; mode: {mode}"),
            (Some(kept), ..) => format!("taken: {fingerprint}; {kept} rules go on counting; mode: {mode}"),
            (None, ..) => format!("taken: {fingerprint}; mode: {mode}"),
        }
    })
}

fn said<T>(reach: &Reach, told: Result<Told<T>, Exit>, words: impl FnOnce(&T) -> String) -> Exit {
    match told {
        Err(exit) => exit,
        Ok(told) => ended(show(&match reach.format {
            Format::Json => told.json + "\n",
            Format::Text => words(&told.value) + "\n",
        })),
    }
}
