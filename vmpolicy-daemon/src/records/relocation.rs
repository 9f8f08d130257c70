//! Before the guest asks to go to another array, whose disk may be another one, collectors are given what is kept for them.

use crate::agent::WiredActuator;
use crate::spool::Rest;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use vmpolicy_core::Policy;
use vmpolicy_core::id::Id;
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked};

/// How long a request for another array waits for collectors, at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of the daemon waits for them.
const LINGER: Duration = Duration::from_millis(500);

/// No more than this part of the time in which a move has to be confirmed.
const SHARE: u32 = 4;

/// What collectors are still to be given.
#[derive(Clone, Debug, Default)]
pub struct Drains(Vec<(String, Rest, bool)>);

impl Drains {
    pub(super) const fn new(drains: Vec<(String, Rest, bool)>) -> Self {
        Self(drains)
    }

    /// The daemon ends: what is on its way is waited for, for a moment.
    pub fn linger(&self) {
        let _ = self.wait(LINGER);
    }

    /// Waits until all collectors have what was taken in until now. Where one has not, and must: its name.
    fn wait(&self, at_most: Duration) -> Result<(), &str> {
        let until = Instant::now() + at_most;
        for (_, rest, _) in &self.0 {
            rest.wake();
        }
        let mut missing = None;
        for (name, rest, required) in &self.0 {
            if !rest.drained(until.saturating_duration_since(Instant::now())) {
                let waiting = rest.level().waiting();
                tracing::warn!("{name} is still to be given records ({waiting}): they stay on this disk");
                missing = missing.or(required.then_some(name.as_str()));
            }
        }
        missing.map_or(Ok(()), Err)
    }
}

/// An actuator that asks for another array once the collectors have everything, or have had their time.
pub struct Delivered {
    inner: Box<dyn Actuator>,
    drains: Drains,
    arrays: BTreeMap<String, usize>,
    patience: Duration,
}

impl Delivered {
    /// This one, for the hosts of this policy.
    #[must_use]
    pub fn before(inner: WiredActuator, drains: Drains, policy: &Policy) -> WiredActuator {
        if drains.0.is_empty() || policy.arrays().len() < 2 {
            return inner;
        }
        let arrays = policy.hosts().iter().map(|(_, host)| (host.name.clone(), host.array.index()));
        let arrays: BTreeMap<String, usize> = arrays.collect();
        let confirm = Duration::from_millis(policy.moves().confirm_within.millis());
        let patience = PATIENCE.min(confirm / SHARE);
        let collectors: Vec<_> = drains.0.iter().map(|(name, _, required)| (name, required)).collect();
        let key = format!("after {collectors:?} within {patience:?} between {arrays:?}");
        inner.within(&key, move |inner, _| Box::new(Self { inner, drains, arrays, patience }))
    }
}

impl Actuator for Delivered {
    fn resends(&self) -> bool {
        self.inner.resends()
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        if self.arrays.get(asked.from) != self.arrays.get(asked.to)
            && let Err(name) = self.drains.wait(self.patience)
        {
            tracing::error!("{} is not asked for: {name} is required to have all records first", asked.id);
            // Nothing was sent now. Of what was sent before the daemon began again nobody knows.
            return if asked.request.resent { Outcome::Unanswered } else { Outcome::Refused };
        }
        self.inner.request(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SystemDisk;
    use crate::spool::{Room, Spool};
    use std::sync::{Arc, Mutex};
    use vmpolicy_core::id::{HostId, RequestId};
    use vmpolicy_core::output::Request;
    use vmpolicy_core::policy::Action;

    /// Notes what it is asked for, and how much waited for the collector then.
    struct Noting(Arc<Mutex<Vec<(String, u64)>>>, Rest);

    impl Actuator for Noting {
        fn resends(&self) -> bool {
            true
        }

        fn request(&mut self, asked: &Asked<'_>) -> Outcome {
            self.0.lock().unwrap().push((asked.to.to_owned(), self.1.level().waiting()));
            Outcome::Accepted
        }
    }

    fn ask(actuator: &mut Delivered, to: &str) -> Outcome {
        ask_as(actuator, to, false)
    }

    fn ask_as(actuator: &mut Delivered, to: &str, resent: bool) -> Outcome {
        let host = HostId::from_index(0);
        let request = Request { id: RequestId(1), from: host, action: Action::Move, to: host, resent };
        actuator.request(&Asked { request, guest: "g", from: "a1", to, id: "g-1" })
    }

    #[test]
    fn only_a_relocation_waits_and_only_one_that_is_required_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { bytes_max: 1 << 20, drops: false };
        let mut spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let actuator = |required, patience| Delivered {
            inner: Box::new(Noting(Arc::clone(&asked), spool.rest())),
            drains: Drains::new(vec![("c".to_owned(), spool.rest(), required)]),
            arrays: [("a1", 0), ("a2", 0), ("b1", 1)].map(|(host, array)| (host.to_owned(), array)).into(),
            patience,
        };
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
        let (mut strict, mut lenient, mut patient) =
            (actuator(true, short), actuator(false, short), actuator(true, long));
        spool.append(b"{}\n{}\n").unwrap();
        assert_eq!(ask(&mut strict, "a2"), Outcome::Accepted);
        assert_eq!(ask(&mut strict, "b1"), Outcome::Refused);
        // What is sent again may have been sent before: that it did not leave now says nothing of it.
        assert_eq!(ask_as(&mut strict, "b1", true), Outcome::Unanswered);
        assert_eq!(ask(&mut lenient, "b1"), Outcome::Accepted);
        assert_eq!(*asked.lock().unwrap(), [("a2".to_owned(), 2), ("b1".to_owned(), 2)]);
        // The collector comes back while the request waits.
        let rest = spool.rest();
        let delivering = std::thread::spawn(move || {
            let batch = rest.next(1_000).unwrap().unwrap();
            rest.delivered(&batch).unwrap();
        });
        assert_eq!(ask(&mut patient, "b1"), Outcome::Accepted);
        delivering.join().unwrap();
        assert_eq!(asked.lock().unwrap()[2], ("b1".to_owned(), 0));
    }
}
