//! `happens:`, what befalls the guest.

use super::super::node::{Node, Value, short};
use super::super::problem::ReadErrorKind;
use super::super::reader::{Entry, Fields, Reader};
use super::super::scalar;
use super::Book;
use super::case::Setting;
use super::names::Named;
use super::problem::TrialErrorKind as Kind;
use crate::input::Notice;
use crate::policy::Place;
use crate::time::Span;
use crate::trial::{Happening, Jobs, Told};

/// What can happen.
const KINDS: [&str; 15] = [
    "moved-to",
    "drain",
    "withdrawn",
    "down",
    "up",
    "ranking",
    "reload",
    "clock",
    "pause",
    "restart",
    "hold",
    "resume",
    "move-to",
    "abandon",
    "batch",
];
const KEYS: &[&str] = &[
    "at",
    "for",
    "array",
    "moved-to",
    "drain",
    "withdrawn",
    "down",
    "up",
    "ranking",
    "reload",
    "clock",
    "pause",
    "restart",
    "hold",
    "resume",
    "move-to",
    "abandon",
    "batch",
];
const BATCH: &[&str] = &["queue", "classes", "others", "each"];
/// How long a job takes where nobody says.
const JOB_TAKES: Span = Span::from_mins(1);

impl Reader {
    pub(super) fn happenings(
        &mut self,
        node: &Node,
        setting: &Setting<'_>,
        book: &mut Book<'_, '_>,
    ) -> Option<Vec<(Span, Happening)>> {
        let mut found = Vec::new();
        for (index, item) in self.list(node, "a list such as `- { at: 5m, drain: mln1 }`")?.iter().enumerate()
        {
            found.extend(self.inside(&format!("[{index}]"), |reader| reader.happening(item, setting, book)));
        }
        // Of one moment, in the order of the file.
        found.sort_by_key(|(at, _)| *at);
        Some(found)
    }

    fn happening(
        &mut self,
        node: &Node,
        setting: &Setting<'_>,
        book: &mut Book<'_, '_>,
    ) -> Option<(Span, Happening)> {
        let fields = self.fields(node, "what happens, such as `{ at: 5m, drain: mln1 }`", KEYS)?;
        let at = self.required(&fields, "at", "at: 5m", |reader, node| {
            let at = reader.moment(node, &setting.start)?;
            reader.not_after(at, setting.lasts, node.place);
            Some(at)
        });
        let present: Vec<&'static str> =
            KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
        let &[kind] = present.as_slice() else {
            match present.as_slice() {
                &[one, other, ..] => {
                    let hint = "write each of them as an item of its own";
                    self.blame_hinted(ReadErrorKind::Exclusive { one, other }, node.place, hint);
                }
                _ => {
                    let hint = format!("add one of {}", KINDS.map(|kind| format!("`{kind}`")).join(", "));
                    self.blame_trial(Kind::NothingSaid, node.place, Some(hint));
                }
            }
            return None;
        };
        for (key, kinds) in [("for", &["drain", "down", "ranking"][..]), ("array", &["ranking"])] {
            if let (Some(extra), false) = (fields.get(key), kinds.contains(&kind)) {
                let hint = format!(
                    "it goes with {}",
                    kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
                );
                self.blame_hinted(ReadErrorKind::Exclusive { one: kind, other: key }, extra.place, hint);
            }
        }
        let lasts = self.optional(&fields, "for", Self::span).map(|span| span.value);
        let what = self.optional(&fields, kind, |reader, node| {
            reader.what_happens(kind, node, lasts, &fields, setting, book)
        });
        Some((at?, what?))
    }

    fn what_happens(
        &mut self,
        kind: &str,
        node: &Node,
        lasts: Option<Span>,
        fields: &Fields<'_>,
        setting: &Setting<'_>,
        book: &mut Book<'_, '_>,
    ) -> Option<Happening> {
        let known = setting.known;
        let notice = |reader: &mut Self, notice| {
            let host = reader.known(node, Named::Host, known)?;
            Some(Happening::Notice { host, notice, lasts })
        };
        match kind {
            "moved-to" => {
                let host = self.known_or(node, Named::Host, known, &["elsewhere"])?;
                Some(Happening::MovedTo((host != "elsewhere").then_some(host)))
            }
            "drain" => notice(self, Notice::Drain),
            "withdrawn" => notice(self, Notice::Withdrawn),
            "down" => notice(self, Notice::Down),
            "up" => notice(self, Notice::Up),
            "ranking" => {
                let items = self.list(node, "a list of hosts, the best first")?;
                let order: Vec<Option<String>> =
                    items.iter().map(|item| self.known(item, Named::Host, known)).collect();
                let order: Vec<String> = order.into_iter().collect::<Option<_>>()?;
                let named =
                    self.optional(fields, "array", |reader, node| reader.known(node, Named::Array, known));
                let array = named.or_else(|| {
                    // That of its first host; else, home.
                    known.policies().iter().find_map(|policy| {
                        let of = order.first().map(|host| policy.host_named(host));
                        let array = of
                            .map_or(Some(policy.home()), |host| host.map(|host| policy.hosts()[host].array));
                        array.map(|array| policy.arrays()[array].name.clone())
                    })
                })?;
                Some(Happening::Ranking { array, order, lasts })
            }
            "reload" => {
                let path = self.text(node, "the name of a policy file")?;
                self.policy_file(path, node.place, book).map(Happening::Reload)
            }
            "clock" => self.clock(node).map(Happening::Clock),
            "pause" => self.span(node).map(|span| Happening::Pause(span.value)),
            "restart" => self.span(node).map(|span| Happening::Restart(span.value)),
            "hold" => self.hold(node).map(|span| Happening::Operator(Told::Hold(span))),
            "resume" => self.so(node).map(|()| Happening::Operator(Told::Resume)),
            "abandon" => self.so(node).map(|()| Happening::Operator(Told::Abandon)),
            "move-to" => {
                let host = self.known(node, Named::Host, known)?;
                Some(Happening::Operator(Told::MoveTo(host)))
            }
            _ => self.batch_of(node, setting).map(Happening::Batch),
        }
    }

    /// `true` and nothing else.
    fn so(&mut self, node: &Node) -> Option<()> {
        self.choice(node, "`true`", &[("true", ())])
    }

    /// `true`, or for how long.
    fn hold(&mut self, node: &Node) -> Option<Option<Span>> {
        match &node.value {
            Value::Scalar { text, .. } if text == "true" => Some(None),
            _ => self.span(node).map(|span| Some(span.value)),
        }
    }

    /// `+1h`, `-30m`: by how much the wall clock is set.
    fn clock(&mut self, node: &Node) -> Option<i64> {
        let text = self.text(node, "by how much the wall clock is set, such as `+1h` or `-30m`")?;
        self.signed(text, node.place, "write `+1h` or `-30m`")
    }

    /// A span with a sign, in milliseconds.
    pub(super) fn signed(&mut self, text: &str, place: Place, hint: &str) -> Option<i64> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        match scalar::parse_span(rest) {
            Ok(span) => Some(sign * i64::try_from(span.millis()).unwrap_or(i64::MAX)),
            Err(why) => {
                self.blame_hinted(ReadErrorKind::Span { text: short(text), why }, place, hint);
                None
            }
        }
    }

    /// `{ queue: jobs, classes: { grade a: 2 }, others: 1, each: 5m }`
    fn batch_of(&mut self, node: &Node, setting: &Setting<'_>) -> Option<Jobs> {
        let known = setting.known;
        let fields = self.fields(node, "a batch such as `{ queue: jobs, classes: { big: 2 } }`", BATCH)?;
        let queue = self.required(&fields, "queue", "queue: jobs", |reader, node| {
            reader.known(node, Named::Queue, known)
        });
        let classes = self.optional(&fields, "classes", |reader, node| {
            let mut classes = Vec::new();
            for Entry { text, key, value, again } in reader.entries(node, "classes such as `big: 2`")? {
                reader.class(text, key, queue.as_deref(), setting);
                let count = reader.whole(value, "how many jobs there are");
                if let (false, Some(count)) = (again, count) {
                    classes.push((text.to_owned(), count));
                }
            }
            Some(classes)
        });
        let others =
            self.optional(&fields, "others", |reader, node| reader.whole(node, "how many jobs there are"));
        let each = self.optional(&fields, "each", Self::span).map_or(JOB_TAKES, |span| span.value);
        let (classes, others) = (classes.unwrap_or_default(), others.unwrap_or(0));
        Some(Jobs { queue: queue?, classes, others, each })
    }

    fn class(&mut self, text: &str, key: &Node, queue: Option<&str>, setting: &Setting<'_>) {
        let (Some(queue), Some(policies)) = (queue, &setting.known.policies) else { return };
        let queues: Vec<_> = policies
            .iter()
            .filter_map(|policy| policy.queue_named(queue).map(|id| &policy.queues()[id]))
            .collect();
        let mut names: Vec<&str> =
            queues.iter().flat_map(|queue| queue.classes.iter().map(|class| class.name.as_str())).collect();
        names.dedup();
        if queues.is_empty() || names.contains(&text) {
            return;
        }
        let near = crate::policy::error::nearest(text, names.iter().copied());
        let hint = near.map_or_else(
            || "jobs of no class are counted by `others`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        self.blame_trial(Kind::Undefined { what: "class", name: short(text) }, key.place, Some(hint));
    }
}
