//! The last records, in memory.

use std::collections::VecDeque;
use vmpolicy_core::record::View;
use vmpolicy_core::{Output, Policy};

/// At most so many records are kept, and so many bytes of them.
const RECORDS_MAX: usize = 1_000;
const BYTES_MAX: usize = 512 * 1024;

/// How many are told where nobody says.
const TOLD: usize = 20;

/// A record that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its number since the daemon has started, from 1.
    pub number: u64,
    /// For people.
    pub line: String,
    /// The record, a JSON object.
    pub record: String,
}

/// The last records.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    kept: VecDeque<Remembered>,
    bytes: usize,
    last: u64,
}

impl History {
    /// Takes in the records of an output.
    pub(super) fn take(&mut self, policy: &Policy, guest: &str, dry_run: bool, output: &Output) {
        if output.records.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        crate::journal::render(policy, guest, dry_run, output, &mut lines);
        let lines = String::from_utf8_lossy(&lines);
        for (record, view) in lines.lines().zip(View::all(policy, guest, output)) {
            self.last += 1;
            let line = view.line().dated().to_string();
            self.bytes += record.len() + line.len();
            self.kept.push_back(Remembered { number: self.last, line, record: record.to_owned() });
        }
        while self.kept.len() > RECORDS_MAX || self.bytes > BYTES_MAX {
            let Some(gone) = self.kept.pop_front() else { return };
            self.bytes -= gone.record.len() + gone.line.len();
        }
    }

    /// The last `last` of those with a number above `after`, as the lines of an answer: one that says how many follow, and the
    /// number of the newest record; then one for each, the oldest first.
    pub(super) fn answer(&self, last: Option<u32>, after: Option<u64>) -> Vec<u8> {
        let most = last.map_or_else(
            || if after.is_some() { RECORDS_MAX } else { TOLD },
            |last| usize::try_from(last).unwrap_or(usize::MAX),
        );
        let newer = self.kept.iter().filter(|kept| after.is_none_or(|after| kept.number > after)).count();
        let told = newer.min(most);
        let mut lines =
            super::wire::answer(true, "history", &serde_json::json!({ "lines": told, "newest": self.last }));
        for kept in self.kept.iter().skip(self.kept.len() - told) {
            let words = serde_json::Value::from(kept.line.as_str());
            let line =
                format!("{{\"number\":{},\"line\":{words},\"record\":{}}}\n", kept.number, kept.record);
            lines.extend_from_slice(line.as_bytes());
        }
        lines
    }
}

impl Remembered {
    /// Reads a line of an answer; the record is kept as it was written.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Head {
            number: u64,
            line: String,
        }
        let Head { number, line: words } = serde_json::from_str(line).ok()?;
        // Inside of a text quotes are escaped, so the first is the key.
        let (_, record) = line.trim_end().split_once(",\"record\":")?;
        Some(Self { number, line: words, record: record.strip_suffix('}')?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmpolicy_core::output::{Event, Record};
    use vmpolicy_core::policy::UtcOnly;
    use vmpolicy_core::time::Wall;

    fn filled(count: i64) -> History {
        let text = b"version: 1\narrays: { oslo: { hosts: [mln1, mln2] } }\n";
        let policy = vmpolicy_core::file::load(text, &UtcOnly).unwrap().policy;
        let mut history = History::default();
        for second in 0..count {
            let record = Record { at: Wall::from_secs(second), event: Event::Reload { rules_kept: 2 } };
            let output = Output { records: vec![record], ..Output::default() };
            history.take(&policy, "a\",\"record\":\"b", false, &output);
        }
        history
    }

    fn told(history: &History, last: Option<u32>, after: Option<u64>) -> Vec<Remembered> {
        let text = String::from_utf8(history.answer(last, after)).unwrap();
        let mut lines = text.lines();
        let head: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let told: Vec<_> = lines.map(|line| Remembered::parse(line).unwrap()).collect();
        assert_eq!(head["history"]["lines"], told.len());
        told
    }

    #[test]
    fn it_is_bounded_and_keeps_the_newest() {
        let history = filled(1_500);
        assert!(history.kept.len() <= RECORDS_MAX && history.bytes <= BYTES_MAX);
        let told = |last, after| told(&history, last, after);
        assert_eq!(told(None, None).len(), TOLD);
        assert_eq!(
            told(Some(3), None).iter().map(|kept| kept.number).collect::<Vec<_>>(),
            [1_498, 1_499, 1_500]
        );
        assert_eq!(told(None, Some(1_498)).len(), 2);
        assert!(told(None, Some(1_500)).is_empty());
        assert_eq!(told(Some(u32::MAX), Some(0)).len(), history.kept.len());
    }

    #[test]
    fn a_record_comes_through_as_it_was_written() {
        let history = filled(1);
        let record = &told(&history, None, None)[0].record;
        let value: serde_json::Value = serde_json::from_str(record).unwrap();
        assert_eq!(value["event"], "reload");
        assert!(record.starts_with("{\"at\":\"1970-01-01T00:00:00Z\",\"guest\":"), "{record}");
    }
}
