//! Policies for random worlds: small, and between them with everything that a policy can say.

use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{ActionForm, Monitor};
use vmpolicy_core::testkit::sketch::{Sketch, above, all, any, below, count_of, not, outside};
use vmpolicy_core::time::Span;

/// How many there are.
pub(crate) const ALL: usize = 7;
/// The one with a ring, a base and one gauge.
pub(crate) const PLAIN: usize = 0;

const MINUTE: Span = Span::from_secs(60);

fn oslo() -> Sketch {
    Sketch::default().array("oslo", &["mln1", "mln2", "mln3"]).base("mln6")
}

/// Policy number `which`.
pub(crate) fn policy(which: usize) -> Arc<Policy> {
    let three = Tarry::Consecutive(3);
    let sketch = match which {
        PLAIN => oslo()
            .gauge("slow", MINUTE)
            .rule("overloaded", above("slow", 50.0), three, ActionForm::Move)
            .rule("idle", below("slow", 1.0), Tarry::Consecutive(5), ActionForm::MoveToBase),
        1 => oslo()
            .delta("slow", MINUTE)
            .missing(1)
            .rule("overloaded", above("slow", 50.0), three, ActionForm::Move)
            .rule("idle", below("slow", 1.0), Tarry::Of { hits: 3, last: 4 }, ActionForm::MoveToBase)
            .keep_going()
            .at_most(3, Span::from_mins(20)),
        2 => oslo()
            .window("working_hours", "Mon-Fri", "09:00-16:00", "Europe/Oslo")
            .gauge("slow", MINUTE)
            .rule("off-duty", outside("working_hours"), Tarry::default(), ActionForm::Rest(Monitor::Off))
            .rule("overloaded", above("slow", 50.0), Tarry::Consecutive(2), ActionForm::Move)
            .settle(Span::ZERO)
            .dwell(Span::from_mins(5)),
        3 => oslo()
            .array("away", &["ec1", "ec2"])
            .relocation(Span::from_mins(10))
            .gauge("slow", MINUTE)
            .queue("jobs", Span::from_mins(2), &[("big", MINUTE), ("small", Span::from_secs(10))])
            .rule("out", count_of("jobs", "big", 2.0), Tarry::default(), ActionForm::MoveFromHome(None))
            .rule("back", not(count_of("jobs", "big", 1.0)), Tarry::default(), ActionForm::MoveToHome)
            .rule("down", above("slow", 50.0), Tarry::Consecutive(2), ActionForm::MoveDown)
            .rule("up", below("slow", 1.0), Tarry::Consecutive(2), ActionForm::MoveUp),
        4 => oslo()
            .indicator("slow", MINUTE, Read::Rate)
            .gauge("load", Span::from_secs(30))
            .rule(
                "both",
                all(vec![above("slow", 0.5), above("load", 50.0)]),
                Tarry::Consecutive(2),
                ActionForm::Move,
            )
            .rule(
                "either",
                any(vec![above("slow", 2.0), above("load", 79.0)]),
                Tarry::Lasting(Span::from_mins(3)),
                Sketch::to("mln3"),
            )
            .bar(Span::from_mins(1)),
        5 => oslo()
            .gauge("slow", MINUTE)
            .gauge("load", MINUTE)
            .rule("quiet", below("load", 1.0), Tarry::Consecutive(2), ActionForm::Rest(Monitor::On))
            .rule("overloaded", above("slow", 50.0), Tarry::Lasting(Span::from_mins(2)), ActionForm::Move),
        _ => oslo()
            .gauge("slow", MINUTE)
            .rule("overloaded", above("slow", 50.0), three, ActionForm::Move)
            .rule("idle", below("slow", 2.0), Tarry::Consecutive(5), ActionForm::MoveToBase)
            .rule("new", above("slow", 70.0), Tarry::Consecutive(2), Sketch::to("mln2"))
            .dwell(Span::from_mins(10)),
    };
    sketch.build()
}
