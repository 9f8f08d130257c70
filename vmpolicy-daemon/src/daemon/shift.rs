//! What stands beside the loop in a life of the daemon: the policy file read again, questions answered, what happens counted.

use super::{Beginning, Office, Plan, Station, kind, metrics_of, name, places, say_doubts, state};
use crate::actuator::Gate;
use crate::agent::{self, Driver, Event, Hands};
use crate::config::Config;
use crate::control::{Ask, Desk, Question, Request, Standing};
use crate::inputs::InputLog;
use crate::kept::Kept;
use crate::records::Records;
use crate::store::Kind;
use crate::zones::SystemZones;
use std::sync::Arc;
use std::time::Duration;
use vmpolicy_core::Input;
use vmpolicy_core::input::Word;
use vmpolicy_core::time::Now;

type Loop = Driver<Kept, Records, Hands>;

/// A life's work.
pub(super) struct Shift<'a, 'o> {
    office: &'a mut Office<'o>,
    station: Station,
    next: Option<Next>,
}

/// Another life, with what it needs that could fail at hand.
struct Next {
    config: Config,
    /// The state's file, where it is another one.
    store: Option<Kept>,
    here: Option<String>,
    hold: Option<Word>,
}

/// A policy file that was read again and can be taken.
enum Read {
    /// The engine takes it.
    Policy(Input),
    /// This has changed, which only a new beginning takes in.
    Anew(&'static str, Box<Next>),
}

impl<'a, 'o> Shift<'a, 'o> {
    pub(super) const fn new(office: &'a mut Office<'o>, station: Station) -> Self {
        Self { office, station, next: None }
    }

    /// The life after this one, if there is one.
    pub(super) fn into_next(self, driver: Loop) -> Option<Beginning> {
        let Next { config, store, here, hold } = self.next?;
        let (before, lines, _) = driver.into_ports();
        // With the lines go the inputs of this life, to the disk; the next one has a beginning of its own.
        let journal = lines.into_sink();
        let inputs = self.office.options.inputs.as_deref().and_then(|path| {
            let opened = InputLog::open(path);
            opened
                .inspect_err(|error| tracing::error!("no inputs are kept: {}: {error}", path.display()))
                .ok()
        });
        Some(Beginning { config, store: store.unwrap_or(before), journal, inputs, here, hold })
    }

    /// Reads the policy file again: whole or not at all.
    fn read(&mut self, now: Now, driver: &mut Loop) -> Result<Read, String> {
        let options = self.office.options;
        let zones = SystemZones::default();
        let config = Config::read(&options.config, &zones).map_err(|error| error.to_string())?;
        if config.guest != driver.journal().identity().guest {
            return Err("the guest's name can change at a start only".to_owned());
        }
        if state::place(&config) != self.office.state {
            return Err("where the state is kept can change at a start only".to_owned());
        }
        let gate = Gate::of_file(options.dry_run, &config.shell);
        let plan = Plan::of(&config, gate);
        let change = if plan.gate.is_dry() != self.station.plan.gate.is_dry() {
            Some("whether moves are asked for")
        } else if plan.locating != self.station.plan.locating {
            Some("whether the location is looked up")
        } else if plan.resends != self.station.plan.resends {
            Some("the kind of actuator")
        } else {
            None
        };
        let next = match change {
            Some(what) => Some((what, self.prepare(now, driver, &config, gate)?)),
            None => None,
        };
        let prepared = driver.journal().sink().prepare(places(&config));
        let prepared = prepared.map_err(|error| format!("records: {error}"))?;
        // The last of what can fail.
        self.office
            .published
            .change(metrics_of(&config), &self.office.asker)
            .map_err(|error| format!("metrics: {error}"))?;
        driver.journal_mut().sink_mut().change(prepared);
        say_doubts(&config);
        if let Some((what, (store, here, hold))) = next {
            return Ok(Read::Anew(what, Box::new(Next { config, store, here, hold })));
        }
        let here = driver.engine().location().map(|host| name(driver.engine().policy(), host));
        self.station.plan.gate = gate;
        self.office.desk.adopt_ports(&config.shell, &config.policy);
        let wiring = self.station.wiring(&config, here.as_deref(), driver.journal().sink().drains());
        driver.effects_mut().prepare(Arc::clone(&config.policy), wiring);
        self.office.desk.set_gate(gate);
        Ok(Read::Policy(Input::Policy(config.policy)))
    }

    /// What another life needs: the state's file, where the guest is, an operator's word.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn prepare(
        &self,
        now: Now,
        driver: &mut Loop,
        config: &Config,
        gate: Gate,
    ) -> Result<(Option<Kept>, Option<String>, Option<Word>), String> {
        if let Some(trouble) = driver.effects_mut().trouble() {
            return Err(format!("the daemon would have to begin anew, and {}", trouble.words));
        }
        let kind = kind(gate);
        if kind == driver.store_mut().kind() {
            return Ok((None, None, None));
        }
        let mut store =
            state::try_open(self.office.options, config, kind).map_err(|error| error.to_string())?;
        let engine = driver.engine();
        // Whoever observes begins with the truth, not with what was believed the last time. Whoever acts takes up its own
        // state and nothing that was believed.
        let here = match kind {
            Kind::Dry => {
                store.forget().map_err(|error| error.to_string())?;
                engine.location().map(|host| name(engine.policy(), host))
            }
            Kind::Live => None,
        };
        let word = engine.held(now).map_or(Word::Resume, |held| Word::Hold(held.lasts));
        Ok((Some(store), here, Some(word)))
    }

    /// Reads the policy file again, and says what came of it.
    fn take(&mut self, now: Now, question: Option<Question>, driver: &mut Loop) -> Option<Input> {
        let file = self.office.options.config.display();
        let read = self.read(now, driver);
        let desk = &mut *self.office.desk;
        match read {
            Err(words) => {
                tracing::error!("{file} is not taken, the policy stays as it was: {words}");
                desk.not_taken(now.wall, &words);
                if let Some(question) = question {
                    desk.refuse_reload(question);
                }
                None
            }
            Ok(Read::Policy(input)) => {
                tracing::info!("{file} is read again");
                desk.taken(now.wall);
                self.office.thrift.begun();
                if let Some(question) = question {
                    desk.reloads(question);
                }
                Some(input)
            }
            Ok(Read::Anew(what, next)) => {
                let gate = Gate::of_file(self.office.options.dry_run, &next.config.shell);
                tracing::warn!(
                    "{file} is read again: {what} has changed, so the daemon begins anew; {}",
                    match gate.why() {
                        Some(why) => format!("nothing is asked for: {why}"),
                        None => "moves are asked for".to_owned(),
                    }
                );
                desk.taken(now.wall);
                if let Some(question) = question {
                    Desk::begin_anew(question, what, gate, &next.config.policy);
                }
                self.next = Some(*next);
                None
            }
        }
    }
}

fn standing<'a>(now: Now, driver: &'a Loop) -> Standing<'a> {
    Standing {
        now,
        engine: driver.engine(),
        deadline: driver.last_output().deadline,
        trouble: driver.effects().trouble(),
        records: Some(driver.journal().sink()),
    }
}

impl agent::Desk<Kept, Records> for Shift<'_, '_> {
    fn heard(&mut self, now: Now, event: &Event, hands: &Hands) {
        if let Event::Read { worker, taken, took, .. } = event
            && let Some(indicator) = hands.indicator_of(*worker)
        {
            self.office.desk.counts_mut().probed(indicator, *took, *taken, now);
        }
        if let Event::Hooked { ran, .. } = event {
            self.office.desk.ran(ran, now.wall);
        }
    }

    fn reload(&mut self, now: Now, driver: &mut Loop) -> Option<Input> {
        self.take(now, None, driver)
    }

    fn asked(&mut self, now: Now, question: Question, driver: &mut Loop) -> Option<Input> {
        if let Ask::Request { request: Request::Reload {}, uid } = question.ask {
            tracing::info!(uid, "an operator wants the policy file read again");
            return self.take(now, Some(question), driver);
        }
        self.office.desk.asked(question, &standing(now, driver))
    }

    fn turned(&mut self, now: Now, input: &Input, driver: &Loop) {
        self.office.desk.turned(&standing(now, driver), input, driver.last_output());
    }

    fn waits(&mut self, at_most: Duration) -> Duration {
        self.office.pulse.beat();
        self.office.thrift.rest();
        self.office.pulse.longest_sleep(at_most)
    }

    fn begins_anew(&self) -> bool {
        self.next.is_some()
    }
}
