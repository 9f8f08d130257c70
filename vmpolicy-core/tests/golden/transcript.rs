//! A run of an engine as a document: when, where, what was seen, what was counted, what came of it.

use chrono::{DateTime, FixedOffset};
use std::fmt::Write as _;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones as _;
use vmpolicy_core::record::View;
use vmpolicy_core::testkit::sketch::EuropeanZones;
use vmpolicy_core::testkit::stage::Stage;
use vmpolicy_core::time::{Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// What is left out of a document.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Show {
    /// Every sample with its counters, and what happened.
    Samples,
    /// Only what happened.
    Events,
}

/// Writes down a run.
pub(crate) struct Transcript {
    text: String,
    guest: &'static str,
    show: Show,
    zone: Zone,
}

impl Transcript {
    pub(crate) fn new(title: &str, guest: &'static str, show: Show) -> Self {
        let zone = EuropeanZones.zone("Europe/Oslo").expect("it is listed");
        Self { text: format!("{title}\n"), guest, show, zone }
    }

    /// A line between parts of the document.
    pub(crate) fn heading(&mut self, heading: &str) {
        let _ = write!(self.text, "\n{heading}\n");
    }

    /// Runs the stage for a while, and writes down what happens.
    pub(crate) fn run(&mut self, stage: &mut Stage, span: Span) {
        stage
            .run_watched(span, |engine, now, input, output| self.step(engine, now, input, output))
            .expect("sound");
    }

    pub(crate) fn document(self) -> String {
        self.text
    }

    /// The time on the wall of the guest's owner.
    fn local(&self, wall: Wall) -> String {
        let offset = FixedOffset::east_opt(self.zone.offset_secs_at(wall)).expect("less than a day");
        let utc = DateTime::from_timestamp_millis(wall.0).expect("a date");
        let format = if self.show == Show::Events { "%a %Y-%m-%d %H:%M:%S %:z" } else { "%H:%M:%S" };
        utc.with_timezone(&offset).format(format).to_string()
    }

    fn step(&mut self, engine: &Engine, now: Now, input: &Input, output: &Output) {
        let policy = engine.policy();
        let at = self.local(now.wall);
        match input {
            Input::Reading(reading) if self.show == Show::Samples => {
                let name = &policy.indicators()[reading.indicator].name;
                let value =
                    engine.value(reading.indicator).map_or("unknown".to_owned(), |value| value.to_string());
                let _ = write!(self.text, "{at}  {name} {value:<7}");
                for (id, rule) in policy.rules().iter() {
                    let need = match rule.tarry {
                        Tarry::Consecutive(need) => need.to_string(),
                        other => other.to_string(),
                    };
                    // A request starts the counters again; its record says how far they were.
                    let counted = output.records.iter().find_map(|record| match record.event {
                        vmpolicy_core::output::Event::Request { origin, because, .. }
                            if origin == vmpolicy_core::output::Origin::Rule(id) =>
                        {
                            Some(because.counter)
                        }
                        _ => None,
                    });
                    let counted = counted.unwrap_or_else(|| engine.counter(id));
                    let _ = write!(self.text, "  {} {counted} of {need}", rule.name);
                }
                self.end_line();
            }
            Input::Batch { queue, classes, others } => {
                let queue = &policy.queues()[*queue];
                let mut jobs: Vec<String> = Vec::new();
                for (class, count) in queue.classes.iter().zip(classes).filter(|(_, count)| **count > 0) {
                    jobs.push(format!("{count} of {}", class.name));
                }
                if *others > 0 {
                    jobs.push(format!("{others} others"));
                }
                let jobs = if jobs.is_empty() { "nothing".to_owned() } else { jobs.join(", ") };
                let _ = writeln!(self.text, "{at}  {} hold {jobs}", queue.name);
            }
            Input::JobDone { .. } => {
                let _ = writeln!(self.text, "{at}  the job is done");
            }
            _ => {}
        }
        for view in View::all(policy, self.guest, output) {
            let line = view.line().to_string();
            let said = line.split_once(' ').map_or(line.as_str(), |(_, said)| said);
            let _ = writeln!(self.text, "{at}  {said}");
        }
        for effect in &output.effects {
            if let Effect::Run { job, .. } = effect {
                let _ = writeln!(self.text, "{at}  job {} runs", job + 1);
            }
        }
    }

    fn end_line(&mut self) {
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        self.text.push('\n');
    }
}
