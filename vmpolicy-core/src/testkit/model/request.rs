//! A request from the asking to its end.

use super::decide::Reasons;
use super::{Asked, End, Failed, Model, Open, Phase, Place, Said};
use crate::id::{HostId, Id as _, RequestId};
use crate::input::{Outcome, Setup};
use crate::output::{Discontinuity, Effect, Event, Failure, Origin, Output, Request};
use crate::policy::Action;
use crate::time::Span;

/// How a request ends without a move of its own.
enum Ending {
    Refused,
    Expired,
    Failed(Failure),
}

impl Model {
    pub(super) fn request(
        &mut self,
        origin: Origin,
        action: Action,
        from: HostId,
        to: HostId,
        why: &Reasons,
        out: &mut Output,
    ) {
        let id = RequestId(self.requests.last().map_or(1, |last| last.id.0 + 1));
        let because = why.put(out);
        self.record(Event::Request { id, origin, action, from, to, because }, out);
        let request = Request { id, action, from, to, resent: false };
        out.effects.push(Effect::Request(request));
        for polled in &mut self.indicators {
            polled.asked = None;
        }
        self.requests.push(Asked { id, at: self.t, origin, to, end: None, remembered: true });
        let confirm_by = self.t.plus(self.policy.moves.confirm_within);
        self.open = Some(Open { request, confirm_by, phase: Phase::Asked, resend: false });
        self.counters_start_again();
    }

    pub(super) fn outcome(&mut self, id: RequestId, outcome: Outcome, out: &mut Output) {
        let locates = self.setup.locates;
        let Some(open) = self.open.as_mut().filter(|open| open.request.id == id) else {
            self.outcome_of_another(id, outcome, out);
            return;
        };
        match outcome {
            Outcome::Accepted | Outcome::Confirmed if !locates => self.confirmed(out),
            Outcome::Failed if !locates => self.ended(Ending::Failed(Failure::Reported), out),
            Outcome::Refused if !locates || (open.phase == Phase::Asked && !open.request.resent) => {
                self.ended(Ending::Refused, out);
            }
            _ if open.phase == Phase::Overdue => self.locate_due = self.t,
            Outcome::Accepted => {
                open.phase = Phase::Accepted;
                self.locate_due = self.t;
            }
            Outcome::Confirmed => self.unclear(false),
            Outcome::Failed | Outcome::Refused => self.unclear(true),
            Outcome::Unanswered => self.unclear(false),
        }
    }

    fn unclear(&mut self, after_failed: bool) {
        if let Some(open) = &mut self.open {
            open.phase = Phase::Unclear { after_failed };
        }
        self.locate_due = self.t;
    }

    /// A request that ended without a move may have moved the guest after all.
    fn outcome_of_another(&mut self, id: RequestId, outcome: Outcome, out: &mut Output) {
        let last = self.requests.iter().rev().find(|request| request.end.is_some());
        let known = |last: &&Asked| last.id == id && self.policy.hosts.row(last.to).is_some();
        let Some(last) = last.filter(known) else { return };
        if outcome != Outcome::Confirmed || self.open.is_some() {
            return;
        }
        if self.setup.locates {
            self.locate_due = self.t;
        } else {
            self.seen_at(Place::At(last.to), out);
        }
    }

    pub(super) fn restarted_with_open_request(&mut self, out: &mut Output) {
        let Setup { locates, resends, .. } = self.setup;
        let Some(open) = &mut self.open else { return };
        if open.phase == Phase::Overdue {
            return;
        }
        // That it failed is known already; then there is nothing to send again.
        let after_failed = open.phase == Phase::Unclear { after_failed: true };
        open.phase = Phase::Unclear { after_failed };
        open.resend = resends && !after_failed;
        if !locates && self.t < open.confirm_by {
            self.send_again(out);
        }
    }

    fn send_again(&mut self, out: &mut Output) {
        let Some(open) = self.open.as_mut().filter(|open| open.resend) else { return };
        open.resend = false;
        open.phase = Phase::Asked;
        open.request.resent = true;
        out.effects.push(Effect::Request(open.request));
    }

    /// The guest was seen somewhere, or is believed to be there.
    pub(super) fn seen_at(&mut self, place: Place, out: &mut Output) {
        let Some(open) = &self.open else {
            self.moved_by_others(place, out);
            return;
        };
        let Request { from, to, .. } = open.request;
        if place == Place::At(to) {
            self.confirmed(out);
        } else if place == Place::At(from) {
            match open.phase {
                Phase::Overdue => self.ended(Ending::Expired, out),
                Phase::Unclear { after_failed: true } => self.ended(Ending::Failed(Failure::Reported), out),
                Phase::Unclear { after_failed: false } => self.send_again(out),
                Phase::Asked | Phase::Accepted => {}
            }
        } else {
            self.ended(Ending::Failed(Failure::WentElsewhere), out);
            self.moved_by_others(place, out);
        }
    }

    fn moved_by_others(&mut self, place: Place, out: &mut Output) {
        let before = self.place;
        if place == before {
            return;
        }
        let host = |place| if let Place::At(host) = place { Some(host) } else { None };
        self.arrive(place);
        if before != Place::Unknown {
            self.void(Discontinuity::Moved { from: host(before), to: host(place) }, out);
        }
    }

    fn confirmed(&mut self, out: &mut Output) {
        let Some(open) = self.open.take() else { return };
        let Request { id, to, .. } = open.request;
        self.record(Event::Confirmed { id, at_host: to }, out);
        if let Some(last) = self.requests.last_mut() {
            last.end = Some(End::Confirmed(self.t));
        }
        self.failures.iter_mut().filter(|failed| failed.host == to).for_each(|failed| failed.counts = false);
        self.arrive(Place::At(to));
        self.begin_again();
        if let Some(Origin::Rule(rule)) = self.requests.last().map(|last| last.origin)
            && (self.rest == Some(rule)
                || self.policy.rules.row(rule).is_some_and(|rule| rule.is_clock_only()))
        {
            self.rules[rule.index()].said = Some(Said::AlreadyThere);
        }
    }

    fn ended(&mut self, ending: Ending, out: &mut Output) {
        let Some(open) = self.open.take() else { return };
        let Request { id, to, .. } = open.request;
        let bars = !matches!(ending, Ending::Failed(Failure::WentElsewhere | Failure::Abandoned));
        if let Some(last) = self.requests.last_mut() {
            last.end = Some(if bars { End::InVain } else { End::Unknown });
            if bars
                && let Origin::Rule(rule) = last.origin
                && let Some(ruled) = self.rules.get_mut(rule.index())
            {
                ruled.done = false;
            }
        }
        let barred = if bars { self.next_bar(to) } else { Span::ZERO };
        if bars {
            self.failures.push(Failed { host: to, at: self.t, barred, counts: true });
        }
        let event = match ending {
            Ending::Refused => Event::Refused { id, to, barred },
            Ending::Expired => Event::Expired { id, to, barred },
            Ending::Failed(why) => Event::Failed { id, to, barred, why },
        };
        self.record(event, out);
    }

    pub(super) fn abandon(&mut self, out: &mut Output) {
        if self.open.is_some() {
            self.ended(Ending::Failed(Failure::Abandoned), out);
            self.locate_due = self.t;
        }
    }

    /// Step 4.
    pub(super) fn limits(&mut self, out: &mut Output) {
        let Some(open) = self.open.as_mut().filter(|open| self.t >= open.confirm_by) else { return };
        if !self.setup.locates {
            self.ended(Ending::Expired, out);
        } else if open.phase != Phase::Overdue {
            open.phase = Phase::Overdue;
            self.locate_due = self.t;
        }
    }

    /// How far apart look-ups are while it is unclear what became of a request.
    pub(super) fn fast(&self) -> Span {
        let moves = &self.policy.moves;
        let Some(open) = &self.open else { return moves.locate_every };
        let waited = self.t.0.saturating_add(moves.confirm_within.millis().try_into().unwrap_or(i64::MAX));
        let quarter = u64::try_from(waited.saturating_sub(open.confirm_by.0) / 4).unwrap_or(0);
        Span::from_millis(quarter.clamp(100, 30_000)).min(moves.locate_every)
    }
}
