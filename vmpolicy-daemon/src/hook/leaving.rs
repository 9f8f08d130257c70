//! `before_leaving`: run in the actuator's thread before a request is sent.

use super::{Told, carry_out};
use crate::agent::Reporter;
use vmpolicy_core::file::HookSpec;
use vmpolicy_core::input::{Hook, Outcome};
use vmpolicy_core::ports::{Actuator, Asked};

/// An actuator that runs a hook before each request. Where that goes wrong and is `required`, nothing is asked for.
#[must_use]
pub fn before_leaving(
    actuator: Box<dyn Actuator>,
    spec: HookSpec,
    required: bool,
    reporter: Reporter,
) -> Box<dyn Actuator> {
    Box::new(Leaving { actuator, spec, required, reporter })
}

struct Leaving {
    actuator: Box<dyn Actuator>,
    spec: HookSpec,
    required: bool,
    reporter: Reporter,
}

impl Actuator for Leaving {
    fn resends(&self) -> bool {
        self.actuator.resends()
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        let Asked { request, guest, from, to, id } = *asked;
        let told = Told { guest, from, to, id, host: from };
        let ran = carry_out(Hook::BeforeLeaving, &self.spec, told, Some(request.id));
        let is_well = ran.ended.is_well();
        self.reporter.hooked(ran);
        // Nothing was sent now. Of what was sent before the daemon began again nobody knows.
        let nothing = if request.resent { Outcome::Unanswered } else { Outcome::Refused };
        if self.required && !is_well {
            tracing::warn!(id, "it is not asked for, as the hook before_leaving is required");
            return nothing;
        }
        // It may have ended while the hook ran, by an operator's word or by its limit.
        if !self.reporter.is_open(request.id) {
            tracing::warn!(id, "it has ended before it could be asked for");
            return nothing;
        }
        self.actuator.request(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuator::test_request;
    use crate::agent::Event;
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};
    use vmpolicy_core::id::RequestId;
    use vmpolicy_core::input::HookEnd;
    use vmpolicy_core::output::Request;
    use vmpolicy_core::time::Span;

    /// Confirms all that it is asked for.
    struct Yes;

    impl Actuator for Yes {
        fn resends(&self) -> bool {
            true
        }

        fn request(&mut self, _: &Asked<'_>) -> Outcome {
            Outcome::Confirmed
        }
    }

    /// What comes of a request under such a hook, and how the hook ended.
    fn ask(script: &str, required: bool, resent: bool, open: bool) -> (Outcome, HookEnd) {
        let (events, inbox) = channel();
        let reporter = Reporter::of_test(events, open.then_some(RequestId(7)));
        let argv =
            ["/bin/sh", "-c", script, "{guest}", "{from}", "{to}", "{id}", "{host}"].map(str::to_owned);
        let spec = HookSpec { argv: argv.to_vec(), timeout: Span::from_millis(500) };
        let mut actuator = before_leaving(Box::new(Yes), spec, required, reporter);
        assert!(actuator.resends());
        let request = Request { resent, ..test_request() };
        let began = Instant::now();
        let outcome =
            actuator.request(&Asked { request, guest: "nii3", from: "mln1", to: "mln2", id: "nii3-7" });
        assert!(began.elapsed() < Duration::from_secs(5), "{script}: {:?}", began.elapsed());
        let Ok(Event::Hooked { ran, .. }) = inbox.recv() else { panic!("nothing is said of the hook") };
        assert_eq!((ran.hook, ran.id, ran.host.as_str()), (Hook::BeforeLeaving, Some(RequestId(7)), "mln1"));
        (outcome, ran.ended)
    }

    #[test]
    fn a_hook_goes_wrong_in_many_ways_and_only_a_required_one_keeps_the_guest() {
        let names = "test \"$0 $1 $2 $3 $4\" = 'nii3 mln1 mln2 nii3-7 mln1'";
        for (script, ended) in [
            (names, HookEnd::Exit(0)),
            ("exit 3", HookEnd::Exit(3)),
            ("kill -9 $$", HookEnd::Signal(9)),
            ("trap '' TERM; while :; do sleep 1; done", HookEnd::TimedOut),
            ("sleep 100 & sleep 100", HookEnd::TimedOut),
            ("yes 1234567890", HookEnd::TimedOut),
            ("head -c 10000000 /dev/zero", HookEnd::Exit(0)),
        ] {
            assert_eq!(ask(script, false, false, true), (Outcome::Confirmed, ended), "{script}");
        }
        assert_eq!(ask(names, true, false, true), (Outcome::Confirmed, HookEnd::Exit(0)));
        assert_eq!(ask("exit 1", true, false, true), (Outcome::Refused, HookEnd::Exit(1)));
        assert_eq!(ask("exit 1", true, true, true), (Outcome::Unanswered, HookEnd::Exit(1)));
        // An operator has given the request up while the hook ran.
        assert_eq!(ask("exit 0", false, false, false), (Outcome::Refused, HookEnd::Exit(0)));
    }
}
