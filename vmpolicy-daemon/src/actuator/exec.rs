//! `exec`: a program that asks for the move; its exit status is the outcome.

use crate::argv::filled;
use crate::process::{RunError, run};
use std::time::Duration;
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked};

/// Runs a program for each request, by its argv and without a shell. `{guest}`, `{from}`, `{to}` and
/// `{id}` in the arguments are filled in.
///
/// | what happens | outcome |
/// | --- | --- |
/// | exit status 0 | accepted |
/// | another exit status | refused: the program vouches that nothing has started |
/// | it can't be started | refused |
/// | a signal ends it, or the time limit | nobody knows |
///
/// A program has no key by which the other side could tell a request that comes twice, so none is sent
/// twice.
#[derive(Clone, Debug)]
pub struct ExecActuator {
    argv: Vec<String>,
    limit: Duration,
}

impl ExecActuator {
    /// An actuator that runs this.
    #[must_use]
    pub const fn new(argv: Vec<String>, limit: Duration) -> Self {
        Self { argv, limit }
    }
}

impl Actuator for ExecActuator {
    fn resends(&self) -> bool {
        false
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        let values = [("guest", asked.guest), ("from", asked.from), ("to", asked.to), ("id", asked.id)];
        let argv: Vec<String> = self.argv.iter().map(|argument| filled(argument, &values)).collect();
        match run(&argv, self.limit) {
            Ok(finished) if finished.status.success() => Outcome::Accepted,
            Ok(finished) if finished.status.code().is_some() => {
                tracing::warn!(
                    id = asked.id,
                    "the actuator refused: {}: {}",
                    finished.status,
                    finished.complaint
                );
                Outcome::Refused
            }
            Ok(finished) => {
                tracing::warn!(
                    id = asked.id,
                    "the actuator was ended: {}: {}",
                    finished.status,
                    finished.complaint
                );
                Outcome::Unanswered
            }
            Err(error) => {
                tracing::warn!(id = asked.id, "the actuator: {error}");
                match error {
                    RunError::Spawn { .. } => Outcome::Refused,
                    RunError::TimedOut(_) | RunError::Lost(_) => Outcome::Unanswered,
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Instant;
    use vmpolicy_core::id::{HostId, Id, RequestId};
    use vmpolicy_core::output::Request;
    use vmpolicy_core::policy::Action;

    pub(crate) fn request() -> Request {
        let (from, to) = (HostId::from_index(0), HostId::from_index(1));
        Request { id: RequestId(7), action: Action::Move, from, to, resent: false }
    }

    fn ask(argv: &[&str]) -> Outcome {
        let argv = argv.iter().map(|argument| (*argument).to_owned()).collect();
        let mut actuator = ExecActuator::new(argv, Duration::from_millis(300));
        assert!(!actuator.resends());
        let request = request();
        actuator.request(&Asked { request, guest: "nii3", from: "mln1", to: "mln2; reboot", id: "nii3-7" })
    }

    #[test]
    fn the_exit_status_is_the_outcome() {
        let test = ["/usr/bin/test", "{guest} {from} {to} {id}", "=", "nii3 mln1 mln2; reboot nii3-7"];
        assert_eq!(ask(&test), Outcome::Accepted);
        assert_eq!(ask(&["/usr/bin/test", "{to}", "=", "mln2"]), Outcome::Refused);
        assert_eq!(ask(&["/nonexistent"]), Outcome::Refused);
        assert_eq!(ask(&["/bin/sh", "-c", "kill -9 $$"]), Outcome::Unanswered);
        let began = Instant::now();
        assert_eq!(ask(&["/bin/sleep", "100"]), Outcome::Unanswered);
        assert_eq!(ask(&["/bin/sh", "-c", "sleep 100 & sleep 100"]), Outcome::Unanswered);
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}
