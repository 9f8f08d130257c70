//! Loads, and the recordings that they come from.

use super::super::Recording;
use super::super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning};
use super::super::form::LoadForm;
use super::Builder;
use crate::policy::Located;
use crate::sim::load::{Bursts, LoadSpec, Mmpp, Period, Then, Trace, Wave, Weekdays};
use crate::time::{Span, Wall};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often PlanetLab's CoMon wrote down a percentage (Beloglazov and Buyya 2012, section 6.2).
const PLANETLAB_EVERY: Span = Span::from_secs(300);

type Rows = Vec<(Wall, f64)>;

/// Recordings that were read; none where one can't be, which was told.
#[derive(Default)]
pub(super) struct Loads {
    recordings: BTreeMap<(String, Option<String>), Option<Arc<Rows>>>,
    folders: BTreeMap<String, Option<Arc<Vec<String>>>>,
}

/// Whether each guest of a group has a load of its own.
pub(super) fn is_own(form: &LoadForm) -> bool {
    match form {
        LoadForm::Planetlab { .. } => true,
        LoadForm::Sum(parts) | LoadForm::Product(parts) => parts.iter().any(|part| is_own(&part.value)),
        _ => false,
    }
}

/// Whose load it is: a guest of a group, and where it is written.
#[derive(Clone, Copy)]
pub(super) struct Whose<'p> {
    /// The guest's number in its group.
    pub(super) guest: usize,
    /// How many the group has.
    pub(super) guests: usize,
    /// The way to it in the file.
    pub(super) path: &'p str,
}

impl Builder<'_> {
    /// The load of a guest; none, where that was told.
    pub(super) fn load(&mut self, form: &Located<LoadForm>, whose: Whose<'_>) -> Option<LoadSpec> {
        let before = self.problems.len();
        let spec = self.spec(form, whose)?;
        if self.problems.len() == before
            && let Err(why) = spec.check()
        {
            self.blame(&Kind::BadLoad { why: why.to_string() }, form.place, whose.path.to_owned());
            return None;
        }
        Some(spec)
    }

    fn spec(&mut self, form: &Located<LoadForm>, whose: Whose<'_>) -> Option<LoadSpec> {
        let zone = Arc::clone(&self.zone);
        let made = match &form.value {
            LoadForm::Constant(value) => Ok(LoadSpec::Constant(*value)),
            &LoadForm::Wave { week, low, high, peak } => {
                let period = if week { Period::Week } else { Period::Day };
                Ok(LoadSpec::Wave(Wave { low, high, peak, period, zone }))
            }
            LoadForm::Weekdays(factors) => Ok(LoadSpec::Weekdays(Weekdays { factors: *factors, zone })),
            &LoadForm::Bursts { gap, length, height } => Ok(LoadSpec::Bursts(Bursts { gap, length, height })),
            LoadForm::BurstsAt { at, length, height } => LoadSpec::bursts_at(at, *length, *height),
            &LoadForm::Mmpp { rates, stays } => Ok(LoadSpec::Mmpp(Mmpp { rates, stays })),
            LoadForm::Steps { rows, repeat } => {
                let then = if repeat.is_some() { Then::Repeat } else { Then::Hold };
                let trace = Trace::rows(rows, repeat.unwrap_or(Span::ZERO), then);
                trace.map(|trace| LoadSpec::Trace(Arc::new(trace)))
            }
            LoadForm::Trace { path, series, times, then } => {
                let rows = self.recording(path, series.as_deref(), form, whose)?;
                return match trace(&rows, times.unwrap_or(1.0), *then) {
                    Ok(trace) => Some(LoadSpec::Trace(Arc::new(trace))),
                    Err(why) => self.none(&Kind::BadRecording { path: path.to_owned(), why }, form, whose),
                };
            }
            LoadForm::Planetlab { path, then } => return self.planetlab(path, *then, form, whose),
            LoadForm::Sum(parts) => return self.parts(parts, whose).map(LoadSpec::Sum),
            LoadForm::Product(parts) => return self.parts(parts, whose).map(LoadSpec::Product),
        };
        match made {
            Ok(spec) => Some(spec),
            Err(why) => self.none(&Kind::BadLoad { why: why.to_string() }, form, whose),
        }
    }

    fn parts(&mut self, parts: &[Located<LoadForm>], whose: Whose<'_>) -> Option<Vec<LoadSpec>> {
        // All are looked at before one that can't be read ends it.
        let specs: Vec<_> = parts.iter().map(|part| self.spec(part, whose)).collect();
        specs.into_iter().collect()
    }

    /// There is no such load, and why.
    fn none<T>(&mut self, kind: &Kind, form: &Located<LoadForm>, whose: Whose<'_>) -> Option<T> {
        self.blame(kind, form.place, whose.path.to_owned());
        None
    }

    fn recording(
        &mut self,
        path: &str,
        series: Option<&str>,
        form: &Located<LoadForm>,
        whose: Whose<'_>,
    ) -> Option<Arc<Rows>> {
        let key = (path.to_owned(), series.map(str::to_owned));
        if let Some(known) = self.loads.recordings.get(&key) {
            return known.clone();
        }
        let rows = match self.files.recording(path, series) {
            Ok(Recording { rows, mended }) => {
                for what in mended {
                    let kind = Warning::Mended { path: path.to_owned(), what };
                    self.warn(&kind, form.place, whose.path.to_owned());
                }
                Some(Arc::new(rows))
            }
            Err(why) => self.none(&Kind::Unreadable { path: path.to_owned(), why }, form, whose),
        };
        self.loads.recordings.insert(key, rows.clone());
        rows
    }

    fn folder(&mut self, path: &str, form: &Located<LoadForm>, whose: Whose<'_>) -> Option<Arc<Vec<String>>> {
        if let Some(known) = self.loads.folders.get(path) {
            return known.clone();
        }
        let names = match self.files.folder(path) {
            Ok(mut names) => {
                names.sort_unstable();
                Some(Arc::new(names))
            }
            Err(why) => self.none(&Kind::Unreadable { path: path.to_owned(), why }, form, whose),
        };
        self.loads.folders.insert(path.to_owned(), names.clone());
        names
    }

    fn planetlab(
        &mut self,
        path: &str,
        then: Then,
        form: &Located<LoadForm>,
        whose: Whose<'_>,
    ) -> Option<LoadSpec> {
        let names = self.folder(path, form, whose)?;
        let Some(name) = names.get(whose.guest) else {
            // The first that has none says it for all.
            if whose.guest == names.len() {
                let why = format!("the folder has {} files, for {} guests", names.len(), whose.guests);
                return self.none(&Kind::BadRecording { path: path.to_owned(), why }, form, whose);
            }
            return None;
        };
        let file = format!("{}/{name}", path.trim_end_matches('/'));
        let bytes = match self.files.read(&file) {
            Ok(bytes) => bytes,
            Err(why) => return self.none(&Kind::Unreadable { path: file, why }, form, whose),
        };
        let trace = percentages(&bytes)
            .and_then(|values| Trace::every(PLANETLAB_EVERY, values, then).map_err(|why| why.to_string()));
        match trace {
            Ok(trace) => Some(LoadSpec::Trace(Arc::new(trace))),
            Err(why) => self.none(&Kind::BadRecording { path: file, why }, form, whose),
        }
    }
}

/// Rows of a recording, from its first one on.
fn trace(rows: &[(Wall, f64)], times: f64, then: Then) -> Result<Trace, String> {
    if let Some((at, value)) =
        rows.iter().find(|(_, value)| !(0.0..=LoadSpec::MOST).contains(&(value * times)))
    {
        let times = if times == 1.0 { String::new() } else { format!(", times {times}") };
        return Err(format!(
            "at {at} it has {value}{times}, and a load is a number from 0 to {:e}",
            LoadSpec::MOST
        ));
    }
    let first = rows.first().map_or(Wall(0), |row| row.0);
    let steps: Vec<(Span, f64)> = rows.iter().map(|&(at, value)| (at.since(first), value * times)).collect();
    // The last row holds as long as the one before it did.
    let last = rows.last().map_or(Span::ZERO, |row| row.0.since(first));
    let step = match rows {
        [.., before, last] => last.0.since(before.0),
        _ => Span::from_secs(1),
    };
    let lasts = Span::from_millis(last.millis().saturating_add(step.millis()));
    Trace::rows(&steps, lasts, then).map_err(|why| why.to_string())
}

/// A whole number of percent a line; what it comes to as a share.
fn percentages(bytes: &[u8]) -> Result<Vec<f64>, String> {
    let mut values = Vec::with_capacity(288);
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let number = line.iter().try_fold(0_u32, |number, &byte| match byte {
            b'0'..=b'9' if number < 1_000 => Some(number * 10 + u32::from(byte - b'0')),
            _ => None,
        });
        match number {
            Some(percent @ 0..=100) => values.push(f64::from(percent) / 100.0),
            _ => return Err(format!("line {} is no percentage from 0 to 100", index + 1)),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planetlab_file_is_a_percentage_a_line() {
        assert_eq!(percentages(b"12\n0\r\n100\n\n"), Ok(vec![0.12, 0.0, 1.0]));
        for text in ["101", "-1", "x", "1.5", "99999999999"] {
            assert!(percentages(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_recording_begins_with_its_first_row_and_repeats_after_its_last() {
        let rows = [(Wall(5_000), 1.0), (Wall(65_000), 2.0)];
        let repeated = trace(&rows, 2.0, Then::Repeat).expect("a trace");
        assert_eq!(repeated.values(), [2.0, 4.0]);
        assert_eq!(repeated.lasts(), Span::from_secs(120));
        assert!(trace(&[], 1.0, Then::Hold).is_err());
        assert!(trace(&[(Wall(0), f64::NAN)], 1.0, Then::Hold).is_err());
    }
}
