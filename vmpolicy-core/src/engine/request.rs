//! The life of a request: from the asking to one of its four ends (contract, rules 5, 6 and 8).
//!
//! | phase | entered by | left by |
//! | --- | --- | --- |
//! | asked | the request leaves | any outcome |
//! | accepted | `Accepted` | the location, the limit |
//! | unclear | `Unanswered`, a `Confirmed`, `Failed` or late `Refused` to be looked up, a start | the location, the limit |
//! | overdue | the limit, where there is a locator | the location |

use super::plan::bit;
use super::state::{Location, Open, Phase, Said};
use super::step::Step;
use crate::id::{HostId, RequestId};
use crate::input::{Outcome, Sighting};
use crate::leaf::guard::backoff::doubled;
use crate::output::{Because, Discontinuity, Effect, Event, Failure, Origin, Request};
use crate::policy::Action;
use crate::time::Span;

/// While a request waits for the location, it is looked up again after a quarter of the time since the asking: soon for
/// a move that takes a second, and not for ever each second for one that takes minutes.
const LOOK_UP_SHARE: u64 = 4;
const LOOK_UP_SOONEST: Span = Span::from_millis(100);
const LOOK_UP_LATEST: Span = Span::from_secs(30);

impl Step<'_> {
    /// Asks for a move. All counters start again.
    pub(super) fn ask(&mut self, origin: Origin, action: Action, from: HostId, to: HostId, because: Because) {
        self.state.sequence = self.state.sequence.saturating_add(1);
        let request = Request { id: RequestId(self.state.sequence), action, from, to, resent: false };
        let moves = &self.policy.moves;
        self.state.open = Some(Open {
            request,
            origin,
            confirm_by: self.t.plus(moves.confirm_within),
            phase: Phase::Asked,
            resend: false,
        });
        self.state.budget.spend(moves.at_most.count, self.t);
        self.recount_all();
        for (_, indicator) in self.state.indicators.iter_mut() {
            indicator.asked = None;
        }
        self.record(Event::Request { id: request.id, origin, action, from, to, because });
        self.out.effects.push(Effect::Request(request));
    }

    /// What an actuator says. What it says of a request that has ended starts nothing.
    pub(super) fn outcome(&mut self, id: RequestId, outcome: Outcome) {
        let locates = self.state.setup.locates;
        let Some(open) = self.state.open.as_mut().filter(|open| open.request.id == id) else {
            return self.late_outcome(id, outcome);
        };
        // Once a request was taken on, or sent again, a refusal may be of the second asking only.
        let plainly_asked = open.phase == Phase::Asked && !open.request.resent;
        match outcome {
            Outcome::Refused if plainly_asked || !locates => self.refused(),
            Outcome::Accepted | Outcome::Confirmed if !locates => self.confirmed(),
            Outcome::Failed if !locates => self.failed(Failure::Reported),
            Outcome::Unanswered if !locates => open.phase = Phase::Unclear { reported_failed: false },
            _ => {
                if open.phase != Phase::Overdue {
                    open.phase = match outcome {
                        Outcome::Accepted => Phase::Accepted,
                        outcome => Phase::Unclear {
                            reported_failed: matches!(outcome, Outcome::Failed | Outcome::Refused),
                        },
                    };
                }
                self.state.locate_due = Some(self.t);
            }
        }
    }

    /// A request that has ended otherwise was carried out after all.
    fn late_outcome(&mut self, id: RequestId, outcome: Outcome) {
        let Some((last, to)) = self.state.last else { return };
        if last != id || outcome != Outcome::Confirmed || self.state.open.is_some() {
            return;
        }
        if self.state.setup.locates {
            self.state.locate_due = Some(self.t);
        } else {
            self.seen_at(Location::At(to));
        }
    }

    /// What a locator saw.
    pub(super) fn sighted(&mut self, sighting: Sighting) {
        let seen = match sighting {
            Sighting::Unknown => return,
            Sighting::Elsewhere => Location::Elsewhere,
            Sighting::At(host) if self.has_host(host) => Location::At(host),
            Sighting::At(_) => Location::Elsewhere,
        };
        let Some(open) = self.state.open else { return self.seen_at(seen) };
        if seen == Location::At(open.request.to) {
            self.confirmed();
        } else if seen == Location::At(open.request.from) {
            self.still_at_source(open);
        } else {
            self.failed(Failure::WentElsewhere);
            self.seen_at(seen);
        }
    }

    fn still_at_source(&mut self, open: Open) {
        match open.phase {
            Phase::Overdue => self.expired(),
            Phase::Unclear { reported_failed: true } => self.failed(Failure::Reported),
            Phase::Unclear { reported_failed: false } if open.resend => self.resend(open.request),
            Phase::Asked | Phase::Accepted | Phase::Unclear { .. } => {}
        }
    }

    /// The guest was seen with no request to explain it.
    fn seen_at(&mut self, seen: Location) {
        let before = self.state.location;
        if before == seen {
            return;
        }
        self.arrive(seen);
        if before != Location::Unknown {
            self.void(Discontinuity::Moved { from: before.host(), to: seen.host() });
        }
        self.out.save = true;
    }

    /// Whether the request's time is up.
    #[inline]
    pub(super) fn request_limits(&mut self) {
        let locates = self.state.setup.locates;
        let Some(open) = &mut self.state.open else { return };
        if open.confirm_by > self.t || open.phase == Phase::Overdue && locates {
            return;
        }
        if locates {
            open.phase = Phase::Overdue;
            self.state.locate_due = Some(self.t);
        } else {
            self.expired();
        }
    }

    /// After a start nobody knows what became of the open request: the location comes first.
    pub(super) fn reopen(&mut self) {
        let setup = self.state.setup;
        let Some(open) = &mut self.state.open else { return };
        if open.phase == Phase::Overdue {
            return;
        }
        let reported_failed = matches!(open.phase, Phase::Unclear { reported_failed: true });
        open.phase = Phase::Unclear { reported_failed };
        open.resend = setup.resends && !reported_failed;
        if open.resend && !setup.locates && open.confirm_by > self.t {
            let request = open.request;
            self.resend(request);
        }
    }

    fn resend(&mut self, request: Request) {
        let request = Request { resent: true, ..request };
        if let Some(open) = &mut self.state.open {
            (open.request, open.phase, open.resend) = (request, Phase::Asked, false);
        }
        self.out.effects.push(Effect::Request(request));
        self.out.save = true;
    }

    /// How long it is until the location is looked up again.
    pub(super) fn look_up_every(&self) -> Span {
        let moves = &self.policy.moves;
        match self.state.open {
            Some(Open {
                phase: Phase::Accepted | Phase::Unclear { .. } | Phase::Overdue,
                confirm_by,
                ..
            }) => {
                let waited = self.t.plus(moves.confirm_within).since(confirm_by);
                Span::from_millis(waited.millis() / LOOK_UP_SHARE)
                    .clamp(LOOK_UP_SOONEST, LOOK_UP_LATEST)
                    .min(moves.locate_every)
            }
            _ => moves.locate_every,
        }
    }

    fn close(&mut self) -> Option<Open> {
        let open = self.state.open.take();
        if let Some(open) = open {
            self.state.last = Some((open.request.id, open.request.to));
        }
        open
    }

    fn confirmed(&mut self) {
        let Some(open) = self.close() else { return };
        let Request { id, to, .. } = open.request;
        self.arrive(Location::At(to));
        self.state.hosts[to].failures = 0;
        if let Origin::Rule(rule) = open.origin {
            self.state.moved_at = Some(self.t);
            if self.plan.clock_rules & bit(rule) != 0 || self.state.rest == Some(rule) {
                // It has what it wanted, and no sample will make it ready anew: nothing more to say.
                self.state.rules[rule].said = Said::AlreadyThere;
            }
        }
        self.record(Event::Confirmed { id, at_host: to });
        self.forget_samples();
        self.settle();
    }

    fn refused(&mut self) {
        if let Some((Request { id, to, .. }, barred)) = self.in_vain() {
            self.record(Event::Refused { id, to, barred });
        }
    }

    fn expired(&mut self) {
        if let Some((Request { id, to, .. }, barred)) = self.in_vain() {
            self.record(Event::Expired { id, to, barred });
        }
    }

    fn failed(&mut self, why: Failure) {
        if why == Failure::Reported {
            if let Some((Request { id, to, .. }, barred)) = self.in_vain() {
                self.record(Event::Failed { id, to, barred, why });
            }
        } else if let Some(open) = self.close() {
            let Request { id, to, .. } = open.request;
            self.record(Event::Failed { id, to, barred: Span::ZERO, why });
        }
    }

    /// An operator gives the open request up. Whether it is carried out all the same, the location tells.
    pub(super) fn abandon(&mut self) {
        if self.state.open.is_some() {
            self.failed(Failure::Abandoned);
            if self.state.setup.locates {
                self.state.locate_due = Some(self.t);
            }
        }
    }

    /// Ends a request that came to nothing: its target is barred, the budget gets it back.
    fn in_vain(&mut self) -> Option<(Request, Span)> {
        let open = self.close()?;
        let target = &mut self.state.hosts[open.request.to];
        let barred = doubled(self.policy.moves.bar, target.failures);
        target.failures = target.failures.saturating_add(1);
        target.barred_until = self.t.plus(barred);
        self.state.budget.refund();
        if let Origin::Rule(rule) = open.origin {
            self.state.rules[rule].done = false;
        }
        Some((open.request, barred))
    }
}
