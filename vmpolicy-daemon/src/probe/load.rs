//! `load`: the load average.

use super::{Failure, Source, head_of};
use crate::number::only_number;
use std::path::{Path, PathBuf};
use vmpolicy_core::input::Absence;

/// Over how long the load is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadSpan {
    /// One minute.
    #[default]
    One,
    /// Five minutes.
    Five,
    /// Fifteen minutes.
    Fifteen,
}

/// The load average from `/proc/loadavg`: runnable and blocked tasks, not divided by processors.
#[derive(Clone, Debug)]
pub struct LoadProbe {
    path: PathBuf,
    span: LoadSpan,
}

impl LoadProbe {
    /// A probe of the load; `proc` is `/proc` but in tests.
    #[must_use]
    pub fn new(proc: &Path, span: LoadSpan) -> Self {
        Self { path: proc.join("loadavg"), span }
    }
}

impl Source for LoadProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let head = head_of(&self.path)?;
        let mut words = head.bytes.split(u8::is_ascii_whitespace);
        let word = words.nth(self.span as usize).ok_or(Absence::Unparsable)?;
        Ok(only_number(word)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_line_and_others() {
        let folder = tempfile::tempdir().unwrap();
        let read = |content: &[u8], span| {
            std::fs::write(folder.path().join("loadavg"), content).unwrap();
            LoadProbe::new(folder.path(), span).sample().map_err(|failure| failure.absence)
        };
        let line = b"0.20 0.18 12.01 1/80 11206\n";
        assert_eq!(read(line, LoadSpan::One), Ok(0.20));
        assert_eq!(read(line, LoadSpan::Five), Ok(0.18));
        assert_eq!(read(line, LoadSpan::Fifteen), Ok(12.01));
        assert_eq!(read(b"0.20 ", LoadSpan::Five), Err(Absence::Missing));
        assert_eq!(read(b"0.20", LoadSpan::Fifteen), Err(Absence::Unparsable));
        assert_eq!(read(b"lots of it", LoadSpan::One), Err(Absence::Unparsable));
        assert!(LoadProbe::new(Path::new(super::super::PROC), LoadSpan::One).sample().is_ok());
    }
}
