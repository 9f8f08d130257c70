//! Queues of jobs.

use super::super::super::node::{Node, Value};
use super::super::super::problem::ReadErrorKind as Kind;
use super::super::super::reader::{Entry, Fields, Reader};
use super::super::form::{ArrivalsForm, BatchForm, QueueForm};
use super::{ABOVE_ZERO, NOT_NEGATIVE};
use crate::policy::Located;
use crate::time::Span;

const COUNT: &str = "a number of jobs from 1 on";

impl Reader {
    pub(super) fn job_queues(&mut self, top: &Fields<'_>) -> Vec<QueueForm> {
        let (queues, whole) = self.named(top, "queues", |reader, name, node, first| {
            let queue = reader.job_queue(name, node);
            first.then_some(queue)
        });
        self.doubts.queues |= !whole;
        queues.into_iter().flatten().collect()
    }

    fn job_queue(&mut self, name: Located<String>, node: &Node) -> QueueForm {
        let unread = Located::made(ArrivalsForm::Batches(Vec::new()));
        let expected = "a queue such as `{ classes: { grade a: 71 }, batches: [...] }`";
        let Some(fields) = self.fields(node, expected, &["classes", "batches", "arrive"]) else {
            self.doubts.classes.insert(name.value.clone());
            return QueueForm { name, classes: Vec::new(), arrivals: unread };
        };
        let classes = self.required(&fields, "classes", "classes: { grade a: 71 }", |reader, node| {
            let entries = reader.entries(node, "classes, and the gigacycles of their jobs")?;
            if entries.is_empty() {
                reader.empty("classes, and the gigacycles of their jobs", node);
            }
            let mut classes = Vec::with_capacity(entries.len());
            for Entry { text, key, value, again } in entries {
                let work = reader.inside(text, |reader| reader.within(value, "work", ABOVE_ZERO));
                if !again {
                    // The class is known, though its work is not.
                    let work = work.unwrap_or(Located::made(1.0));
                    classes.push((Located::at(text.to_owned(), key.place), work));
                }
            }
            Some(classes)
        });
        if classes.as_ref().is_none_or(Vec::is_empty) {
            self.doubts.classes.insert(name.value.clone());
        }
        let batches = self.optional(&fields, "batches", |reader, node| {
            let items = reader.list(node, "a list of batches")?;
            let read = |(index, item): (usize, &Node)| {
                reader.inside(&format!("[{index}]"), |reader| reader.job_batch(item))
            };
            let batches: Vec<_> = items.iter().enumerate().map(read).collect();
            let batches = batches.into_iter().flatten().collect();
            Some(Located::at(ArrivalsForm::Batches(batches), node.place))
        });
        let random = self.optional(&fields, "arrive", Self::arrive);
        let arrivals = match self.one_of_two(&fields, "batches", "arrive", "batches: [...]") {
            Some(()) => batches.or(random).unwrap_or(unread),
            None => unread,
        };
        QueueForm { name, classes: classes.unwrap_or_default(), arrivals }
    }

    fn job_batch(&mut self, node: &Node) -> Option<BatchForm> {
        let fields =
            self.fields(node, "a batch such as `{ at: 10m, jobs: { grade a: 2 } }`", &["at", "jobs"])?;
        let at = self.required(&fields, "at", "at: 10m", Self::span);
        let jobs = self.required(&fields, "jobs", "jobs: { grade a: 2 }", Self::jobs);
        let unread = Located::made(Span::ZERO);
        Some(BatchForm { at: at.unwrap_or(unread), jobs: jobs.unwrap_or_default() })
    }

    /// `{ grade a: 2, grade b: 1 }`, or the classes one by one.
    fn jobs(&mut self, node: &Node) -> Option<Vec<(Located<String>, u32)>> {
        let mut jobs: Vec<(Located<String>, u32)> = Vec::new();
        match &node.value {
            Value::Seq(items) => {
                for item in items {
                    let Some(class) = self.name(item, "the class of a job") else { continue };
                    match jobs.last_mut() {
                        Some((last, count)) if last.value == class.value => *count += 1,
                        _ => jobs.push((class, 1)),
                    }
                }
                if items.is_empty() {
                    self.empty("jobs such as `{ grade a: 2 }`", node);
                }
            }
            _ => {
                let entries = self.entries(node, "jobs such as `{ grade a: 2 }`")?;
                if entries.is_empty() {
                    self.empty("jobs such as `{ grade a: 2 }`", node);
                }
                for Entry { text, key, value, .. } in entries {
                    let count = self.inside(text, |reader| {
                        let count = reader.whole(value, COUNT)?;
                        if count == 0 {
                            reader.bad_value("jobs", value, COUNT);
                        }
                        Some(count)
                    });
                    jobs.push((Located::at(text.to_owned(), key.place), count.unwrap_or(1).max(1)));
                }
            }
        }
        Some(jobs)
    }

    fn arrive(&mut self, node: &Node) -> Option<Located<ArrivalsForm>> {
        let expected = "`{ gap: 30m, jobs: [2, 8], shares: { grade a: 1 } }`";
        let fields = self.fields(node, expected, &["gap", "jobs", "shares"])?;
        let gap = self.required(&fields, "gap", "gap: 30m", |reader, node| reader.load_span(node, "gap"));
        let jobs = self.required(&fields, "jobs", "jobs: [2, 8]", |reader, node| {
            let expected = "the least and the largest number of jobs, such as `[2, 8]`";
            let items = match &node.value {
                Value::Seq(items) => items.iter().collect(),
                _ => vec![node],
            };
            let counts: Vec<_> = items.iter().map(|item| reader.whole(item, COUNT)).collect();
            let counts: Option<Vec<u32>> = counts.into_iter().collect();
            match *counts?.as_slice() {
                [only] if only > 0 => Some((only, only)),
                [least, most] if 0 < least && least <= most => Some((least, most)),
                _ => {
                    let found = node.describe();
                    reader.blame(Kind::WrongType { expected, found }, node.place);
                    None
                }
            }
        });
        let shares = self.required(&fields, "shares", "shares: { grade a: 1 }", |reader, node| {
            let entries = reader.entries(node, "classes, and how likely a job is of each")?;
            let mut shares = Vec::with_capacity(entries.len());
            for Entry { text, key, value, .. } in entries {
                let share = reader.inside(text, |reader| reader.within(value, "shares", NOT_NEGATIVE));
                let share = share.map_or(1.0, |share| share.value);
                shares.push((Located::at(text.to_owned(), key.place), share));
            }
            Some(shares)
        });
        // Classes are looked up, whatever else could not be read.
        let whole = gap.is_some() && jobs.is_some() && shares.is_some();
        let form = ArrivalsForm::Random {
            gap: gap.unwrap_or(Span::from_secs(1)),
            jobs: jobs.unwrap_or((1, 1)),
            shares: shares.unwrap_or_default(),
        };
        Some(if whole { Located::at(form, node.place) } else { Located::made(form) })
    }
}
