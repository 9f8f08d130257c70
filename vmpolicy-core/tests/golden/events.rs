//! One of each event, as JSON and as a line for people.

use crate::golden;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use vmpolicy_core::Input;
use vmpolicy_core::id::{HostId, Id};
use vmpolicy_core::input::{Absence, Setup, Sighting};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{ActionForm, Monitor};
use vmpolicy_core::record::View;
use vmpolicy_core::testkit::sketch::{Sketch, above, outside};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::{Span, Wall};

/// In the order in which the contract lists them (section 5).
const ALL: [&str; 13] = [
    "request",
    "confirmed",
    "refused",
    "failed",
    "expired",
    "held",
    "already-there",
    "no-better-host",
    "rest",
    "wake",
    "void",
    "unknown",
    "reload",
];

#[test]
fn one_of_each() {
    let overloaded = Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .gauge("load", Span::from_secs(60))
        .rule("overloaded", above("load", 50.0), Tarry::Consecutive(3), ActionForm::Move);
    let by_day = overloaded.clone().window("working_hours", "Mon-Fri", "09:00-16:00", "Europe/Oslo").rule(
        "off-duty",
        outside("working_hours"),
        Tarry::default(),
        ActionForm::Rest(Monitor::Off),
    );
    let stay = overloaded.clone().rule("stay", above("load", 90.0), Tarry::default(), Sketch::to("mln1"));
    let mut found = BTreeMap::new();
    let mut look = |mut stage: Stage, span: Span| {
        stage
            .run_watched(span, |engine, _, _, output| {
                for view in View::all(engine.policy(), "nii1", output) {
                    let name = view.record.event.name();
                    let json = serde_json::to_string(&view).expect("plain data");
                    found.entry(name).or_insert_with(|| (json, view.line().to_string()));
                }
            })
            .expect("sound");
    };
    let busy = |sketch: &Sketch| Stage::new(&sketch.clone().build(), |_, _, _| Ok(80.0));
    let hour = Span::from_hours(1);
    look(busy(&overloaded), hour);
    look(busy(&overloaded).provider(|_| Answer::Refuses), hour);
    look(busy(&overloaded).provider(|_| Answer::Fails(Span::from_secs(20))), hour);
    look(busy(&overloaded).provider(|_| Answer::Ignores), hour);
    look(busy(&overloaded.clone().at_most(1, hour)), hour);
    look(Stage::new(&stay.build(), |_, _, _| Ok(95.0)), hour);
    // 8:30 in Oslo, on a Wednesday.
    look(busy(&by_day).starts(Wall::from_secs(1_241_591_400)), hour);
    look(Stage::new(&overloaded.clone().build(), |_, _, _| Err(Absence::Unreachable)), hour);
    let setup = Setup { at: Some(HostId::from_index(0)), ..Setup::default() };
    let mut moved = Stage::with_setup(&overloaded.clone().build(), setup, |_, _, _| Ok(0.0));
    moved.later(Span::from_secs(90), Input::Location(Sighting::At(HostId::from_index(2))));
    moved.later(Span::from_secs(200), Input::Policy(by_day.build()));
    look(moved, hour);

    let mut text = "One of each event: as JSON, and as a line for people.\n".to_owned();
    for name in ALL {
        let (json, line) = found.remove(name).unwrap_or_default();
        assert!(!json.is_empty(), "no `{name}` came up");
        let _ = write!(text, "\n{name}\n  {json}\n  {line}\n");
    }
    assert!(found.is_empty(), "not listed: {found:?}");
    golden("events", &text);
}
