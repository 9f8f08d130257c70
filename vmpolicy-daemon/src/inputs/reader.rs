//! Reading inputs back.

use super::{Entry, FORM};
use std::io::{self, BufRead};

/// A line is not longer than this: a policy and a state with thousands of hosts are less.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It could not be read at all.
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not what `vmpolicyd --inputs` writes.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong, in words.
        why: String,
    },
}

/// The entries of a file, one at a time.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    line: u64,
    text: Vec<u8>,
    /// A line that was cut off by the death of its writer, if the next one is a beginning.
    cut: Option<Broken>,
    /// How many lines were cut off so.
    cut_off: u64,
}

impl<R: BufRead> Reader<R> {
    /// From the first line on.
    pub const fn new(from: R) -> Self {
        Self { from, line: 0, text: Vec::new(), cut: None, cut_off: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// How many lines the death of a writer has cut off.
    pub const fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    ///
    /// What is wrong with the line. One that can't be read as the last before a beginning or the end of the file is no
    /// error: its writer was killed.
    #[expect(clippy::should_implement_trait, reason = "an iterator can't say which line it is at")]
    pub fn next(&mut self) -> Option<Result<Entry, Broken>> {
        loop {
            let read = match self.read_line() {
                Ok(false) => {
                    self.cut_off += u64::from(self.cut.take().is_some());
                    return None;
                }
                Ok(true) => self.parse(),
                Err(error) => Err(error),
            };
            match (read, self.cut.take()) {
                (Ok(entry @ Entry::Begin(_)), cut) => {
                    self.cut_off += u64::from(cut.is_some());
                    return Some(Ok(entry));
                }
                (_, Some(cut)) => return Some(Err(cut)),
                (Ok(entry), None) => return Some(Ok(entry)),
                (Err(error @ Broken::Line { .. }), None) if self.line > 1 => self.cut = Some(error),
                (Err(error), None) => return Some(Err(error)),
            }
        }
    }

    fn read_line(&mut self) -> Result<bool, Broken> {
        self.text.clear();
        let mut limited = io::Read::take(&mut self.from, LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut self.text)?;
        self.line += u64::from(read > 0);
        Ok(read > 0)
    }

    fn parse(&self) -> Result<Entry, Broken> {
        let broken = |why: String| Broken::Line { line: self.line, why };
        let not_ours = "this is not a file that `vmpolicyd --inputs` has written";
        let entry: Entry = serde_json::from_slice(&self.text).map_err(|error| {
            let what = if self.line == 1 { not_ours } else { "this line can't be read" };
            broken(format!("{what}: {error}"))
        })?;
        match &entry {
            Entry::Begin(begin) if begin.form != FORM => {
                Err(broken(format!("its form is {}, this program reads form {FORM}", begin.form)))
            }
            _ => Ok(entry),
        }
    }
}
