//! Small worlds for the properties.

use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::checker::Violation;
use vmpolicy_core::id::{HostId, Id};
use vmpolicy_core::input::Absence;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Event, Record};
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::testkit::sketch::{Sketch, above};
use vmpolicy_core::testkit::stage::Stage;
use vmpolicy_core::time::Span;

pub(crate) const MINUTE: Span = Span::from_secs(60);
pub(crate) const OVERLOADED: f64 = 80.0;

/// So many cases for each property: each is a run of hundreds of steps.
pub(crate) fn few() -> ProptestConfig {
    ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() }
}

pub(crate) fn host(number: usize) -> HostId {
    HostId::from_index(number)
}

/// A ring of four and a base (number 4), and a rule that moves on overload.
pub(crate) fn overload(tarry: u32) -> Sketch {
    ring().rule("overloaded", above("load", 50.0), Tarry::Consecutive(tarry), ActionForm::Move)
}

/// A ring of four, a base, one gauge polled each minute; nothing but the rules holds a move back.
pub(crate) fn ring() -> Sketch {
    Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3", "mln4"])
        .base("base")
        .gauge("load", MINUTE)
        .at_most(1_000, Span::from_secs(1))
        .keep_going()
}

/// A guest under constant overload.
pub(crate) fn overloaded(policy: &Arc<Policy>) -> Stage {
    Stage::new(policy, |_, _, _| Ok(OVERLOADED))
}

/// A service that says these things in turn, one for each poll, and then the last one for good.
pub(crate) fn in_turn(
    says: Vec<Result<f64, Absence>>,
) -> impl FnMut(vmpolicy_core::id::IndicatorId, vmpolicy_core::time::Now, Option<HostId>) -> Result<f64, Absence>
{
    let mut next = 0;
    move |_, _, _| {
        let said = says[next.min(says.len() - 1)];
        next += 1;
        said
    }
}

pub(crate) fn sound(run: Result<(), Violation>) -> Result<(), TestCaseError> {
    run.map_err(|violation| TestCaseError::fail(violation.to_string()))
}

/// The events of records, by name.
pub(crate) fn names(records: &[Record]) -> Vec<&'static str> {
    records.iter().map(|record| record.event.name()).collect()
}

/// When the first request was asked for, in milliseconds.
pub(crate) fn first_asked(stage: &Stage) -> Option<i64> {
    stage.asked().first().map(|(at, _)| at.0)
}

pub(crate) fn is_held(event: &Event) -> bool {
    matches!(event, Event::Held { .. })
}
