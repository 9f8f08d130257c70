//! The loop of a daemon: waits for an event or a deadline, and hands it to the driver.

use super::{Driver, Event, Hands, RecordSink, StateStore};
use crate::control::Question;
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};
use vmpolicy_core::Input;
use vmpolicy_core::time::{Mono, Now, Wall};

/// The longest sleep: a wall clock that steps moves the edges of windows, and is noticed at the next
/// input.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// The shortest sleep after a tick: a deadline that a tick does not move is a fault of the engine, and
/// must not take the guest's processor away.
const SLEEP_AFTER_TICK: Duration = Duration::from_millis(1);

/// Reads the two clocks.
pub trait Clock {
    /// What they say now.
    fn now(&mut self) -> Now;
}

/// The system's clocks.
///
/// The monotonic one is `CLOCK_MONOTONIC`: it stands still while the machine sleeps or is paused, which
/// is what the engine wants to see when it compares it with the wall clock. It begins anew at boot. The wall clock is read as
/// the C library has it, so that a test can put another one before the program.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The monotonic clock alone.
    #[must_use]
    pub fn monotonic() -> Mono {
        let at = clock_gettime(ClockId::Monotonic);
        Mono(at.tv_sec.saturating_mul(1_000).saturating_add(at.tv_nsec / 1_000_000))
    }

    /// The wall clock alone; before 1970 it is negative.
    #[must_use]
    pub fn wall() -> Wall {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Wall(
            SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or_else(|before| -millis(before.duration()), millis),
        )
    }
}

impl Clock for SystemClock {
    fn now(&mut self) -> Now {
        Now { mono: Self::monotonic(), wall: Self::wall() }
    }
}

/// What stands beside the loop and is no part of the deciding: it reads the policy file again, answers questions, counts.
pub trait Desk<S, R> {
    /// An event has come, and the engine has not heard of it.
    fn heard(&mut self, now: Now, event: &Event, hands: &Hands) {
        let _ = (now, event, hands);
    }

    /// The policy file is to be read again. What comes of it is the engine's next input.
    fn reload(&mut self, now: Now, driver: &mut Driver<S, R, Hands>) -> Option<Input> {
        let _ = (now, driver);
        None
    }

    /// Somebody asks. Where the engine is to be told something, that is its next input.
    fn asked(&mut self, now: Now, question: Question, driver: &mut Driver<S, R, Hands>) -> Option<Input> {
        let _ = (now, question, driver);
        None
    }

    /// The engine has taken an input, and the driver holds what came of it.
    fn turned(&mut self, now: Now, input: &Input, driver: &Driver<S, R, Hands>) {
        let _ = (now, input, driver);
    }

    /// The loop turns, and would sleep for so long at most: for how long may it?
    fn waits(&mut self, at_most: Duration) -> Duration {
        at_most
    }

    /// Whether the loop is to end, as something has changed that only a new beginning can take in.
    fn begins_anew(&self) -> bool {
        false
    }
}

/// Nobody: a loop by itself.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl<S, R> Desk<S, R> for Alone {}

/// Runs until it is told to stop, its desk begins anew, or nobody can send events any more.
///
/// # Errors
///
/// Where the last state or records could not be written.
pub fn run<C, S, R>(
    driver: &mut Driver<S, R, Hands>,
    clock: &mut C,
    events: &Receiver<Event>,
    desk: &mut impl Desk<S, R>,
) -> io::Result<()>
where
    C: Clock,
    S: StateStore<Error = io::Error>,
    R: RecordSink,
{
    let mut ticked = false;
    loop {
        let now = clock.now();
        driver.retry(now);
        let longest = desk.waits(SLEEP_MAX);
        let sleep = driver.wake_at().map_or(longest, |at| {
            // A deadline that is past is not slept for; it comes back as a tick below.
            Duration::from_millis(at.since(now.mono).millis()).min(longest)
        });
        let sleep = if ticked { sleep.max(SLEEP_AFTER_TICK) } else { sleep };
        let (input, slept) = match events.recv_timeout(sleep) {
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => {
                return driver.finish().map_err(io::Error::other);
            }
            Ok(event) => {
                let now = clock.now();
                desk.heard(now, &event, driver.effects_mut());
                if driver.effects_mut().is_prepared() && driver.engine().open_request().is_none() {
                    // The engine takes a new policy at the beginning of a step. The names in this event
                    // are to be looked up in the policy that is in force when it is handled.
                    turn(driver, desk, now, &Input::Tick);
                }
                let input = match event {
                    Event::Reload => desk.reload(now, driver),
                    Event::Asked(question) => desk.asked(now, question, driver),
                    event => {
                        let policy = driver.engine().policy().clone();
                        driver.effects_mut().input_of(event, &policy)
                    }
                };
                (input, false)
            }
            Err(RecvTimeoutError::Timeout) => (None, true),
        };
        let now = clock.now();
        ticked = false;
        match input {
            Some(input) => turn(driver, desk, now, &input),
            None if driver.is_due(now) || slept && sleep == longest => {
                ticked = true;
                turn(driver, desk, now, &Input::Tick);
            }
            None => {}
        }
        if desk.begins_anew() {
            return driver.finish().map_err(io::Error::other);
        }
    }
}

/// The engine takes an input, and the desk sees what came of it.
pub fn turn<S, R>(driver: &mut Driver<S, R, Hands>, desk: &mut impl Desk<S, R>, now: Now, input: &Input)
where
    S: StateStore<Error = io::Error>,
    R: RecordSink,
{
    driver.handle(now, input);
    driver.effects().stepped(driver.engine(), driver.last_output());
    desk.turned(now, input, driver);
}
