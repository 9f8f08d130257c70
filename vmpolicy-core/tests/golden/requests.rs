//! How a request lives: every phase, every event, what comes of it.

use crate::golden;
use std::fmt::Write as _;
use vmpolicy_core::checker::Checker;
use vmpolicy_core::id::{HostId, Id, IndicatorId, RequestId};
use vmpolicy_core::input::{Outcome, Reading, Setup, Sighting, Word};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::Event;
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::testkit::sketch::{Sketch, above};
use vmpolicy_core::time::{Now, Span};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// The way into a phase.
const PHASES: &[(&str, &[Way])] = &[
    ("asked", &[]),
    ("accepted", &[Way::Says(Outcome::Accepted)]),
    ("unclear", &[Way::Says(Outcome::Unanswered)]),
    ("unclear, reported failed", &[Way::Says(Outcome::Failed)]),
    ("unclear, to be sent again", &[Way::Start]),
    ("overdue", &[Way::Limit]),
];

#[derive(Clone, Copy)]
enum Way {
    Says(Outcome),
    SaysOfAnother(Outcome),
    Seen(Sight),
    Limit,
    Start,
    Abandon,
    Hold,
}

#[derive(Clone, Copy)]
enum Sight {
    Target,
    Source,
    Third,
    Elsewhere,
    Unknown,
}

const EVENTS: &[(&str, Way)] = &[
    ("accepted", Way::Says(Outcome::Accepted)),
    ("confirmed", Way::Says(Outcome::Confirmed)),
    ("refused", Way::Says(Outcome::Refused)),
    ("failed", Way::Says(Outcome::Failed)),
    ("unanswered", Way::Says(Outcome::Unanswered)),
    ("confirmed, of another id", Way::SaysOfAnother(Outcome::Confirmed)),
    ("seen at the target", Way::Seen(Sight::Target)),
    ("seen at the source", Way::Seen(Sight::Source)),
    ("seen at a third host", Way::Seen(Sight::Third)),
    ("seen elsewhere", Way::Seen(Sight::Elsewhere)),
    ("not seen", Way::Seen(Sight::Unknown)),
    ("its limit", Way::Limit),
    ("a start", Way::Start),
    ("given up", Way::Abandon),
    ("an operator's hold", Way::Hold),
];

struct Guest {
    engine: Engine,
    checker: Checker,
    now: Now,
    out: Output,
    setup: Setup,
}

impl Guest {
    /// A guest whose request to the second host has just left.
    fn asking(locates: bool, resends: bool) -> Self {
        let policy = Sketch::default()
            .array("oslo", &["mln1", "mln2", "mln3"])
            .gauge("load", Span::from_secs(60))
            .rule("overloaded", above("load", 50.0), Tarry::default(), ActionForm::Move)
            .moves(|moves| moves.locate_every = Some(Span::from_hours(5).into()))
            .build();
        let setup = Setup { at: Some(HostId::from_index(0)), locates, resends };
        let engine = Engine::new(policy.clone(), setup);
        let checker = Checker::new(policy, setup);
        let mut guest = Self { engine, checker, now: Now::default(), out: Output::default(), setup };
        guest.step(&Input::Tick);
        let reading =
            Reading { indicator: IndicatorId::from_index(0), taken: guest.now.mono, value: Ok(80.0) };
        guest.step(&Input::Reading(reading));
        guest
    }

    fn step(&mut self, input: &Input) {
        self.engine.step(self.now, input, &mut self.out);
        self.checker.observe(self.now, input, &self.out).expect("sound");
    }

    fn go(&mut self, way: Way) {
        let open = self.engine.open_request().expect("it is open");
        let input = match way {
            Way::Says(outcome) => Input::Outcome { id: open.id, outcome },
            Way::SaysOfAnother(outcome) => Input::Outcome { id: RequestId(open.id.0 + 1), outcome },
            Way::Seen(sight) => Input::Location(match sight {
                Sight::Target => Sighting::At(open.to),
                Sight::Source => Sighting::At(open.from),
                Sight::Third => Sighting::At(HostId::from_index(2)),
                Sight::Elsewhere => Sighting::Elsewhere,
                Sight::Unknown => Sighting::Unknown,
            }),
            Way::Limit => {
                self.now = Now::default().plus(Span::from_mins(10));
                Input::Tick
            }
            Way::Start => Input::Start(self.setup),
            Way::Abandon => Input::Operator(Word::Abandon),
            Way::Hold => Input::Operator(Word::Hold(None)),
        };
        self.step(&input);
    }

    fn phase(&self) -> String {
        let saved = serde_json::to_value(self.engine.save()).expect("plain data");
        let open = &saved["state"]["open"];
        let failed = &open["phase"]["Unclear"]["reported_failed"];
        match (open["phase"].as_str(), failed.as_bool()) {
            _ if open.is_null() => "-".to_owned(),
            (Some(phase), _) => phase.to_lowercase(),
            (_, Some(true)) => "unclear, reported failed".to_owned(),
            _ if open["resend"] == true => "unclear, to be sent again".to_owned(),
            _ => "unclear".to_owned(),
        }
    }

    fn came_of_it(&self) -> String {
        let records = self.out.records.iter().map(|record| match record.event {
            Event::Failed { why, .. } => {
                format!("failed ({})", serde_json::to_value(why).expect("plain").as_str().unwrap_or(""))
            }
            event => event.name().to_owned(),
        });
        let effects = self.out.effects.iter().map(|effect| match effect {
            Effect::Request(request) if request.resent => "SEND AGAIN".to_owned(),
            Effect::Request(_) => "SEND".to_owned(),
            Effect::Locate => "LOOK UP".to_owned(),
            Effect::Probe(_) => "PROBE".to_owned(),
            other => format!("{other:?}"),
        });
        records.chain(effects).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn every_phase_and_every_event() {
    let mut text = "A request from mln1 to mln2: in each phase, what comes of each event.\n\
                    First the phase after it (- where the request has ended), then the records, then the EFFECTS.\n"
        .to_owned();
    for (locates, resends, heading) in [
        (true, false, "With a locator; one id may not be sent twice"),
        (true, true, "With a locator; one id may be sent twice"),
        (false, false, "Without a locator; one id may not be sent twice"),
        (false, true, "Without a locator; one id may be sent twice"),
    ] {
        let _ = write!(text, "\n\n{heading}\n{}\n", "=".repeat(heading.len()));
        for (phase, way) in PHASES {
            let mut reached = Guest::asking(locates, resends);
            way.iter().for_each(|way| reached.go(*way));
            if reached.phase() != *phase {
                let _ = writeln!(text, "\n{phase}: never");
                continue;
            }
            let _ = writeln!(text, "\n{phase}");
            for (event, way) in EVENTS {
                let mut guest = Guest::asking(locates, resends);
                let into = PHASES.iter().find(|(name, _)| name == phase).map_or(&[][..], |(_, way)| way);
                into.iter().for_each(|way| guest.go(*way));
                guest.go(*way);
                let line = format!("  {event:<26} {:<26} {}", guest.phase(), guest.came_of_it());
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
    }
    golden("requests", &text);
}
