//! The table of actuators: from what a policy file says to something that asks.

use super::ExecActuator;
use crate::agent::WiredActuator;
use std::time::Duration;
use vmpolicy_core::file::ActuatorSpec;
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked};
use vmpolicy_core::time::Span;

/// Whether a kind of actuator may be told of a request twice without starting two moves.
#[must_use]
pub const fn resends(spec: &ActuatorSpec) -> bool {
    matches!(spec, ActuatorSpec::Embedded | ActuatorSpec::Webhook { .. })
}

/// Makes the actuator of a policy file; None for the embedded array, which only whoever made the array can ask.
/// `believes` where nobody but the actuator can tell where the guest is.
#[must_use]
pub fn make(spec: &ActuatorSpec, believes: bool) -> Option<WiredActuator> {
    match spec {
        ActuatorSpec::Embedded => None,
        ActuatorSpec::Exec { argv, timeout } => {
            Some(WiredActuator::new(ExecActuator::new(argv.clone(), duration(*timeout))))
        }
        ActuatorSpec::Webhook { web, poll } => {
            let (web, poll) = (web.clone(), duration(*poll));
            // A move that goes on is asked after by the same thread, as long as nothing has changed here.
            let key = format!("webhook {web:?} {poll:?} {believes}");
            Some(WiredActuator::kept(key, move |reporter| webhook(&web, poll, believes, reporter)))
        }
        _ => Some(WiredActuator::new(Unable("this program does not know such an actuator".to_owned()))),
    }
}

#[cfg(feature = "http")]
fn webhook(
    web: &vmpolicy_core::file::WebSpec,
    poll: Duration,
    believes: bool,
    reporter: crate::agent::Reporter,
) -> Box<dyn Actuator> {
    match super::WebhookActuator::new(web, poll, believes, reporter) {
        Ok(actuator) => Box::new(actuator),
        Err(fault) => Box::new(Unable(format!("its address: {fault}"))),
    }
}

#[cfg(not(feature = "http"))]
fn webhook(
    _: &vmpolicy_core::file::WebSpec,
    _: Duration,
    _: bool,
    _: crate::agent::Reporter,
) -> Box<dyn Actuator> {
    Box::new(Unable("this program was built without the `webhook` actuator".to_owned()))
}

const fn duration(span: Span) -> Duration {
    Duration::from_millis(span.millis())
}

/// One that can't ask, and says why each time.
struct Unable(String);

impl Actuator for Unable {
    fn resends(&self) -> bool {
        true
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        tracing::error!(id = asked.id, "no move can be asked for: {}", self.0);
        Outcome::Refused
    }
}
