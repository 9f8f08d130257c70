//! Queues of jobs.

use super::super::error::ScenarioErrorKind as Kind;
use super::super::form::{ArrivalsForm, BatchForm, QueueForm, ScenarioFile};
use super::Builder;
use crate::policy::Located;
use crate::policy::error::{Noun, PolicyErrorKind};
use crate::sim::scenario::Queue;
use crate::sim::service::jobs::{Arrivals, JobClass, JobsSpec};
use crate::time::Span;

impl Builder<'_> {
    pub(super) fn queues(&mut self, file: &ScenarioFile) {
        for form in &file.queues {
            let path = format!("queues.{}", form.name.value);
            self.named(Noun::Queue, &form.name, || path.clone());
            if self.queues.iter().any(|queue| queue.name == form.name.value) && !self.doubts.from_file {
                let kind =
                    PolicyErrorKind::DuplicateName { what: Noun::Queue, name: form.name.value.clone() };
                self.blame_as_policy(&kind, form.name.place, path.clone());
            }
            let jobs = self.jobs(form, &path);
            self.queues.push(Queue { name: form.name.value.clone(), spec: jobs });
        }
    }

    fn jobs(&mut self, form: &QueueForm, path: &str) -> JobsSpec {
        let before = self.problems.len();
        let class = |(name, work): &(Located<String>, Located<f64>)| JobClass {
            name: name.value.clone(),
            work_gcycles: work.value,
        };
        let classes: Vec<JobClass> = form.classes.iter().map(class).collect();
        for (name, _) in &form.classes {
            self.named(Noun::Class, name, || format!("{path}.classes"));
        }
        let arrivals = match &form.arrivals.value {
            ArrivalsForm::Batches(batches) => Arrivals::Listed(self.batches(form, batches, path)),
            ArrivalsForm::Random { gap, jobs, shares } => {
                let mut of_class = vec![0.0; classes.len()];
                for (name, share) in shares {
                    if let Some(class) = self.class(form, name, &format!("{path}.arrive.shares")) {
                        of_class[usize::from(class)] = *share;
                    }
                }
                Arrivals::Random { gap: *gap, jobs: *jobs, shares: of_class }
            }
        };
        let spec = JobsSpec { classes, arrivals };
        // What the reader said already would only be said again.
        let doubtful =
            self.doubts.classes.contains(&form.name.value) || self.doubts.stands_in(&form.arrivals);
        if self.problems.len() == before
            && !doubtful
            && let Err(why) = spec.check()
        {
            let kind = Kind::BadService { why: why.to_string() };
            self.blame(&kind, form.arrivals.place, path.to_owned());
        }
        spec
    }

    /// Their order in the file is for its reader; they come in the order of time.
    fn batches(&mut self, form: &QueueForm, batches: &[BatchForm], path: &str) -> Vec<(Span, Vec<u16>)> {
        let most = JobsSpec::JOBS_MOST as usize;
        let mut listed = Vec::with_capacity(batches.len());
        for (index, batch) in batches.iter().enumerate() {
            let path = format!("{path}.batches[{index}].jobs");
            let mut jobs = Vec::new();
            for (name, count) in &batch.jobs {
                let class = self.class(form, name, &path);
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                if count > most - jobs.len() {
                    self.blame(&Kind::TooMuch { what: "jobs in a batch", most }, name.place, path);
                    break;
                }
                jobs.extend(core::iter::repeat_n(class.unwrap_or(0), count));
            }
            // One whose time or jobs could not be read was told.
            if !self.doubts.stands_in(&batch.at) && !jobs.is_empty() {
                listed.push((batch.at.value, jobs));
            }
        }
        listed.sort_by_key(|(at, _)| *at);
        listed
    }

    fn class(&mut self, form: &QueueForm, name: &Located<String>, path: &str) -> Option<u16> {
        let found = form.classes.iter().position(|(class, _)| class.value == name.value);
        if found.is_none() && !self.doubts.classes.contains(&form.name.value) {
            let known = form.classes.iter().map(|(class, _)| class.value.as_str());
            self.undefined(Noun::Class, name, path.to_owned(), known);
        }
        found.and_then(|class| u16::try_from(class).ok())
    }
}
