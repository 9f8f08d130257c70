//! What happens at a given time.

use super::super::super::node::{Node, Value, short};
use super::super::super::problem::ReadErrorKind as Kind;
use super::super::super::reader::{Fields, Reader, choices};
use super::super::super::scalar::parse_span;
use super::super::error::{ScenarioErrorKind, error};
use super::super::form::{FaultForm, PolicyForm, WhatForm};
use super::{ABOVE_ZERO, NOT_NEGATIVE};
use crate::input::Absence;
use crate::policy::Located;
use crate::time::Span;

/// What can happen, and which of `lasts`, `guests` and `array` go with it.
const KINDS: [(&str, &[&str]); 14] = [
    ("reload", &["guests"]),
    ("daemon", &["lasts", "guests"]),
    ("guest", &["lasts", "guests"]),
    ("clock", &["guests"]),
    ("probes", &["lasts", "guests"]),
    ("service", &["guests"]),
    ("locator", &["lasts", "guests"]),
    ("load_times", &["lasts", "guests"]),
    ("moved_to", &["guests"]),
    ("operator", &["guests"]),
    ("crash", &["lasts"]),
    ("drain", &["lasts", "comes_true"]),
    ("provider", &["lasts", "array"]),
    ("link_times", &["lasts", "array"]),
];
const BESIDE: [&str; 4] = ["lasts", "guests", "array", "comes_true"];
const FAULT: &str = "something that happens, such as `{ at: 3h, lasts: 1h, provider: down }`";

impl Reader {
    pub(super) fn faults(&mut self, top: &Fields<'_>) -> Vec<FaultForm> {
        let mut faults = Vec::new();
        self.inside("faults", |reader| {
            let mut index = 0;
            for node in top.all("faults").filter(|node| !node.is_null()) {
                for item in reader.list(node, FAULT).unwrap_or_default() {
                    faults.extend(reader.inside(&format!("[{index}]"), |reader| reader.fault(item)));
                    index += 1;
                }
            }
        });
        faults
    }

    fn fault(&mut self, node: &Node) -> Option<FaultForm> {
        let known: Vec<&'static str> =
            ["at"].into_iter().chain(KINDS.into_iter().map(|(kind, _)| kind)).chain(BESIDE).collect();
        let fields = self.fields(node, FAULT, &known)?;
        let at = self.required(&fields, "at", "at: 3h", Self::span);
        let lasts = self.optional(&fields, "lasts", |reader, node| reader.above_zero(node, "lasts"));
        let guests = self.optional(&fields, "guests", |reader, node| {
            let names = reader.names(node, "a guest, a list of guests or `all`")?;
            Some(Located::at(names, node.place))
        });
        let all = guests.as_ref().is_some_and(|set| set.value.iter().any(|name| name.value == "all"));
        let array = self.optional(&fields, "array", |reader, node| reader.name(node, "the name of an array"));
        let comes_true = self.truth_of(&fields, "comes_true");
        let present: Vec<_> = KINDS.into_iter().filter(|(kind, _)| fields.get(kind).is_some()).collect();
        let nothing = present.is_empty() && self.only_known(node, &known);
        if let &[(one, _), (other, _), ..] = present.as_slice() {
            let hint = "write one entry for each";
            self.blame_hinted(Kind::Exclusive { one, other }, node.place, hint);
        } else if nothing {
            let mut problem = error(&ScenarioErrorKind::NothingHappens, Some(node.place), self.way());
            problem.hint = Some(choices(&KINDS.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>()));
            self.problems.push(problem);
        }
        if let [(kind, beside)] = present.as_slice() {
            for key in BESIDE.into_iter().filter(|key| !beside.contains(key)) {
                if let Some(value) = fields.get(key) {
                    self.inside(key, |reader| {
                        reader.wrong(&ScenarioErrorKind::Misplaced { key, with: kind }, value);
                    });
                }
            }
        }
        let whats: Vec<_> = present
            .iter()
            .map(|&(kind, _)| {
                self.optional(&fields, kind, |reader, node| {
                    let what = reader.what(node, kind, comes_true.unwrap_or(true))?;
                    Some(Located::at(what, node.place))
                })
            })
            .collect();
        let unread = present.first().map_or("guest", |&(kind, _)| kind);
        let what = whats.into_iter().next().flatten().unwrap_or_else(|| Located::made(stand_in(unread)));
        // Of what could not be read it is not known when it happens; the rest of it is still judged.
        let at = at.unwrap_or(Located::made(Span::ZERO));
        let guests = guests.filter(|_| !all);
        Some(FaultForm { at, lasts, guests, array, what })
    }

    fn only_known(&self, node: &Node, known: &[&str]) -> bool {
        let Value::Map(pairs) = &node.value else { return false };
        pairs.iter().all(|(key, _)| match &key.value {
            Value::Scalar { text, .. } => known.contains(&text.as_str()),
            _ => false,
        })
    }

    fn what(&mut self, node: &Node, kind: &'static str, comes_true: bool) -> Option<WhatForm> {
        match kind {
            "reload" => Some(WhatForm::Reload(self.policy_form(node)?)),
            "daemon" => self.choice(node, "`crash`", &[("crash", ())]).map(|()| WhatForm::DaemonCrash),
            "guest" => self.choice(node, "`pause`", &[("pause", ())]).map(|()| WhatForm::Pause),
            "service" => {
                self.choice(node, "`restart`", &[("restart", ())]).map(|()| WhatForm::ServiceRestart)
            }
            "locator" => self.choice(node, "`fail`", &[("fail", ())]).map(|()| WhatForm::LocatorFails),
            "clock" => self.clock_step(node),
            "probes" => self.probes(node),
            "operator" => self.operator(node),
            "load_times" => Some(WhatForm::LoadTimes(self.within(node, "load_times", NOT_NEGATIVE)?.value)),
            "link_times" => Some(WhatForm::LinkTimes(self.within(node, "link_times", ABOVE_ZERO)?.value)),
            "moved_to" => Some(WhatForm::MovedTo(self.name(node, "the name of a host")?)),
            "crash" => Some(WhatForm::HostCrash(self.name(node, "the name of a host")?)),
            "drain" => Some(WhatForm::Drain { host: self.name(node, "the name of a host")?, comes_true }),
            _ => match &node.value {
                Value::Map(_) => Some(WhatForm::ProviderBehaves(Box::new(self.provider(node)?))),
                _ => self.choice(node, "`down`", &[("down", ())]).map(|()| WhatForm::ProviderDown),
            },
        }
    }

    /// `1h`, `-30m`.
    fn clock_step(&mut self, node: &Node) -> Option<WhatForm> {
        let text = self.text(node, "how far the clock is set, such as `1h` or `-30m`")?;
        let (back, span) = match text.strip_prefix('-') {
            Some(span) => (true, span),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        match parse_span(span) {
            Ok(span) => {
                let ms = i64::try_from(span.millis()).unwrap_or(i64::MAX);
                Some(WhatForm::Clock { by_ms: if back { -ms } else { ms } })
            }
            Err(why) => {
                self.blame(Kind::Span { text: short(text), why }, node.place);
                None
            }
        }
    }

    /// `hang`, `{ fail: unreachable }`, `{ say: 1e9 }`.
    fn probes(&mut self, node: &Node) -> Option<WhatForm> {
        let Value::Map(_) = node.value else {
            return self.choice(node, "`hang`", &[("hang", ())]).map(|()| WhatForm::ProbesHang);
        };
        let fields = self.fields(node, "`{ fail: unreachable }` or `{ say: 1e9 }`", &["fail", "say"])?;
        let fail = self.optional(&fields, "fail", |reader, node| {
            let words = Absence::ALL.map(|absence| (absence.name(), absence));
            let choices = "`missing`, `stale`, `late`, `timed-out`, `unreachable`, `denied`, `unparsable`, `not-finite`, `counter-reset`, `not-fed`";
            reader.choice(node, choices, &words)
        });
        let say = self.optional(&fields, "say", |reader, node| reader.number(node, "a number"));
        self.one_of_two(&fields, "fail", "say", "fail: unreachable")?;
        fail.map(WhatForm::ProbesFail).or(say.map(|say| WhatForm::ProbesSay(say.value)))
    }

    /// `hold`, `{ hold: 1h }`, `resume`, `abandon`.
    fn operator(&mut self, node: &Node) -> Option<WhatForm> {
        if let Value::Map(_) = node.value {
            let fields = self.fields(node, "`{ hold: 1h }`", &["hold"])?;
            let span =
                self.required(&fields, "hold", "hold: 1h", |reader, node| reader.above_zero(node, "hold"))?;
            return Some(WhatForm::Hold(Some(span.value)));
        }
        let words =
            [("hold", WhatForm::Hold(None)), ("resume", WhatForm::Resume), ("abandon", WhatForm::Abandon)];
        let numbers = [("hold", 0), ("resume", 1), ("abandon", 2)];
        let chosen: usize = self.choice(node, "`hold`, `resume`, `abandon`", &numbers)?;
        words.into_iter().nth(chosen).map(|(_, what)| what)
    }
}

/// What stands for something that can't be read, so that what stands beside it is judged. It has no place.
fn stand_in(kind: &str) -> WhatForm {
    let nothing = || Located::made(String::new());
    match kind {
        "reload" => WhatForm::Reload(Located::made(PolicyForm::File(String::new()))),
        "daemon" => WhatForm::DaemonCrash,
        "clock" => WhatForm::Clock { by_ms: 0 },
        "probes" => WhatForm::ProbesHang,
        "service" => WhatForm::ServiceRestart,
        "locator" => WhatForm::LocatorFails,
        "load_times" => WhatForm::LoadTimes(1.0),
        "moved_to" => WhatForm::MovedTo(nothing()),
        "operator" => WhatForm::Resume,
        "crash" => WhatForm::HostCrash(nothing()),
        "drain" => WhatForm::Drain { host: nothing(), comes_true: true },
        "provider" => WhatForm::ProviderDown,
        "link_times" => WhatForm::LinkTimes(1.0),
        _ => WhatForm::Pause,
    }
}
