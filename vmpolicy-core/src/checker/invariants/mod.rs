//! What must never happen, one small function each, in one table.

mod guards;
mod location;
mod probing;
mod records;
mod requests;
mod samples;
mod targets;

use super::{Check, Invariant};
use Check::{Effect, Record, Whole};

const fn row(name: &'static str, source: &'static str, check: Check) -> Invariant {
    Invariant { name, source, check }
}

/// All invariants, with their sources: rules of the contract's section 3, and what must never happen.
pub const INVARIANTS: &[Invariant] = &[
    row("one-open-request", "rule 5; at most one open request a guest", Record(requests::one_open)),
    row("ids-rise-by-one", "rule 5; the sequence number only rises", Record(requests::ids_rise)),
    row("request-leaves-once", "rule 5; one id starts at most one move", Whole(requests::leaves_once)),
    row("effect-has-its-record", "rule 5; no effect before its record", Effect(requests::has_its_record)),
    row(
        "resent-only-if-allowed",
        "rule 5; rule 8; nothing starts for an ended request",
        Effect(requests::resent),
    ),
    row("saved-before-it-leaves", "rule 5; no effect before its record is on disk", Whole(requests::saved)),
    row("only-the-open-one-ends", "rule 8; nothing for an ended request", Record(requests::only_open_ends)),
    row(
        "moved-only-when-seen",
        "moved only after the location was seen at the target",
        Record(requests::seen),
    ),
    row("refused-by-the-provider", "rule 8", Record(requests::refused)),
    row("failed-with-a-cause", "rule 8: looked up by location first", Record(requests::failed)),
    row("expired-after-its-limit", "rule 8: looked up by location first", Record(requests::expired)),
    row("every-request-ends", "every open request ends within a bounded time", Whole(requests::ends)),
    row("from-where-it-is", "rule 9; the location must be known", Record(targets::from_here)),
    row("target-is-eligible", "rule 9", Record(targets::eligible)),
    row("target-fits-the-action", "the actions of section 2", Record(targets::fits)),
    row("next-in-the-ring", "section 2: move; thesis 3.4.1", Record(targets::next_in_ring)),
    row("bars-double", "rule 8: a while that doubles with each failure", Record(targets::bars)),
    row("reasons-are-given", "rule 14", Record(records::reasons)),
    row("verdicts-are-true", "rule 14", Record(records::verdicts)),
    row("at-most-so-many", "rule 10; at most K moves in W", Record(guards::at_most)),
    row("dwell", "rule 10; no A-B-A inside the dwell", Record(guards::dwell)),
    row("hold-is-kept", "an operator's hold", Record(guards::hold)),
    row("no-request-while-settling", "rule 6; rule 7", Record(guards::settling)),
    row("no-request-while-resting", "section 2: rest", Record(guards::resting)),
    row("no-relocation-during-a-job", "thesis 3.4.5: finish the current job", Record(guards::job_running)),
    row("held-for-a-reason", "rule 10; rule 9", Record(guards::held)),
    row("drain-leaves-at-once", "rule 16; rule 10", Whole(guards::drain_leaves)),
    row("drain-before-rules", "rule 16: before any rule", Record(guards::drain_first)),
    row("foreign-moves-void", "rule 7", Whole(location::foreign_moves)),
    row("clock-jumps-void", "rule 12", Whole(location::clock_jumps)),
    row("void-has-a-cause", "rule 7; rule 12", Record(location::void_has_a_cause)),
    row("enough-samples", "rule 1; rule 3; at least n finite samples", Record(samples::enough)),
    row("sample-is-what-was-read", "rule 1; rule 2; rule 14", Record(samples::as_read)),
    row("condition-was-true", "rule 1: nothing on the strength of an Unknown", Record(samples::was_true)),
    row("counted-on-a-sample", "rule 3: the n-th sample acts", Record(samples::on_a_sample)),
    row("ready-acts-or-says", "rule 3; a lasting breach leads to a request", Whole(samples::ready_acts)),
    row("rest-and-wake-alternate", "section 5: rest and wake", Record(records::rest_and_wake)),
    row("rest-by-the-clock", "section 2: rest; windows", Record(records::rest_by_the_clock)),
    row("already-there-once", "rule 4", Record(records::already_there)),
    row("no-better-host-if-asked", "rule 11", Record(records::no_better_host)),
    row("unknown-has-a-cause", "rule 1", Record(records::unknown)),
    row("hooks-are-written-down", "a hook becomes one record and nothing else", Whole(records::hooks)),
    row("reload-at-once-or-after", "rule 15", Whole(records::reload)),
    row("records-are-dated-now", "section 5: in time order", Record(records::dated)),
    row("steps-are-bounded", "memory and record sizes are bounded", Whole(records::bounded)),
    row("probes-only-when-allowed", "rule 6; section 2: rest", Effect(probing::allowed)),
    row("probes-keep-their-pace", "rule 6; every", Effect(probing::pace)),
    row("first-sample-after-settling", "rule 6", Effect(probing::after_settling)),
    row("locates-only-with-a-locator", "section 2: locator", Effect(probing::locates)),
    row("jobs-only-when-allowed", "thesis 3.4.5", Effect(probing::jobs)),
    row("deadline-while-open", "liveness: an open request has a deadline", Whole(probing::deadline_open)),
    row("deadline-while-settling", "liveness: settling ends", Whole(probing::deadline_settling)),
    row("deadline-while-polling", "liveness: polls go on", Whole(probing::deadline_polling)),
    row("deadline-in-the-future", "no busy loop", Whole(probing::deadline_future)),
];
