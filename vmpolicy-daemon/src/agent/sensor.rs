//! A probe, in a thread of its own or read by the loop.

use super::hands::Event;
use super::worker::{Busy, Worker, WorkerId, unpanicked};
use std::sync::mpsc::Sender;
use std::time::Instant;
use vmpolicy_core::input::Absence;
use vmpolicy_core::ports::Probe;
use vmpolicy_core::time::Mono;

/// Where a probe is read.
pub(super) enum Sensor {
    /// In a thread, as nobody knows how long it takes.
    Apart(Worker<()>),
    /// By the loop, as the kernel has the number in its memory: waking a thread takes longer than reading it.
    AtHand {
        /// It is told of as a thread would be.
        id: WorkerId,
        /// The probe.
        probe: Box<dyn Probe>,
    },
}

impl Sensor {
    /// A probe, and where it is to be read.
    pub(super) fn new(
        mut probe: Box<dyn Probe>,
        at_hand: bool,
        events: Sender<Event>,
        monotonic: fn() -> Mono,
    ) -> Self {
        let id = WorkerId::next();
        if at_hand {
            return Self::AtHand { id, probe };
        }
        Self::Apart(Worker::spawn(id, "probe", move |jobs| {
            for () in jobs {
                if events.send(reading(id, probe.as_mut(), monotonic)).is_err() {
                    return;
                }
            }
        }))
    }

    /// Has it read. The answer comes as an event in either case.
    pub(super) fn read(&mut self, events: &Sender<Event>, monotonic: fn() -> Mono) -> Result<(), Busy> {
        match self {
            Self::Apart(worker) => worker.give(()),
            Self::AtHand { id, probe } => {
                let event = reading(*id, probe.as_mut(), monotonic);
                events.send(event).map_err(|_| Busy::Gone)
            }
        }
    }

    /// By what it is told of.
    pub(super) const fn id(&self) -> WorkerId {
        match self {
            Self::Apart(worker) => worker.id(),
            Self::AtHand { id, .. } => *id,
        }
    }

    /// It has answered.
    pub(super) const fn rest(&mut self) {
        if let Self::Apart(worker) = self {
            worker.rest();
        }
    }
}

fn reading(worker: WorkerId, probe: &mut dyn Probe, monotonic: fn() -> Mono) -> Event {
    let (taken, began) = (monotonic(), Instant::now());
    let value = unpanicked("a probe", Err(Absence::Missing), || probe.read());
    Event::Read { worker, taken, took: began.elapsed(), value }
}
