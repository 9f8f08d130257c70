//! `psi`: pressure stall information, the share of time in which tasks wait for a resource.

use super::{Failure, Source, head_of};
use crate::number::only_number;
use std::path::{Path, PathBuf};
use vmpolicy_core::input::Absence;

/// What tasks wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsiResource {
    /// A processor.
    Cpu,
    /// Memory.
    Memory,
    /// Input and output.
    Io,
}

/// How many of the tasks wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsiKind {
    /// At least one.
    Some,
    /// All that are not idle.
    Full,
}

/// Over how long the kernel averages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsiAverage {
    /// Ten seconds.
    Seconds10,
    /// A minute.
    Seconds60,
    /// Five minutes.
    Seconds300,
}

/// A share of time in per cent, from `/proc/pressure`.
///
/// Read by hand: the `procfs` crate reads these as `f32`, so that 2.1 would come out as 2.0999999046325684
/// and miss a threshold of 2.1, and it panics on a line of four letters.
#[derive(Clone, Debug)]
pub struct PsiProbe {
    path: PathBuf,
    kind: PsiKind,
    average: PsiAverage,
}

impl PsiProbe {
    /// A probe of one of the kernel's figures; `proc` is `/proc` but in tests.
    #[must_use]
    pub fn new(proc: &Path, resource: PsiResource, kind: PsiKind, average: PsiAverage) -> Self {
        let name = match resource {
            PsiResource::Cpu => "cpu",
            PsiResource::Memory => "memory",
            PsiResource::Io => "io",
        };
        Self { path: proc.join("pressure").join(name), kind, average }
    }
}

impl Source for PsiProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let head = head_of(&self.path).map_err(|failure| Failure {
            words: format!("{} (the kernel may need psi=1)", failure.words),
            ..failure
        })?;
        let text = std::str::from_utf8(&head.bytes).map_err(|_| Absence::Unparsable)?;
        let kind = match self.kind {
            PsiKind::Some => "some",
            PsiKind::Full => "full",
        };
        let average = match self.average {
            PsiAverage::Seconds10 => "avg10=",
            PsiAverage::Seconds60 => "avg60=",
            PsiAverage::Seconds300 => "avg300=",
        };
        let mut lines = text.lines().map(str::split_ascii_whitespace);
        // Kernels before 5.13 have no `full` line for the processor.
        let mut line = lines
            .find_map(|mut words| (words.next() == Some(kind)).then_some(words))
            .ok_or(Absence::Missing)?;
        let value = line.find_map(|word| word.strip_prefix(average)).ok_or(Absence::Unparsable)?;
        Ok(only_number(value.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_lines_and_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pressure")).unwrap();
        let read = |content: &[u8], kind, average| {
            std::fs::write(folder.path().join("pressure/memory"), content).unwrap();
            PsiProbe::new(folder.path(), PsiResource::Memory, kind, average)
                .sample()
                .map_err(|failure| failure.absence)
        };
        let file = b"some avg10=2.10 avg60=0.91 avg300=0.00 total=681245\n\
                     full avg10=1.10 avg60=0.12 avg300=100.00 total=391926\n";
        assert_eq!(read(file, PsiKind::Some, PsiAverage::Seconds10), Ok(2.1));
        assert_eq!(read(file, PsiKind::Some, PsiAverage::Seconds60), Ok(0.91));
        assert_eq!(read(file, PsiKind::Full, PsiAverage::Seconds10), Ok(1.1));
        assert_eq!(read(file, PsiKind::Full, PsiAverage::Seconds300), Ok(100.0));
        for (content, absence) in [
            (&b"some"[..], Absence::Unparsable),
            (b"some avg10=", Absence::Missing),
            (b"some avg10=x", Absence::Unparsable),
            (b"", Absence::Missing),
            (b"\xff\xff", Absence::Unparsable),
            (b"full avg10=1.00", Absence::Missing),
        ] {
            assert_eq!(read(content, PsiKind::Some, PsiAverage::Seconds10), Err(absence), "{content:?}");
        }
        let nowhere =
            PsiProbe::new(folder.path(), PsiResource::Io, PsiKind::Some, PsiAverage::Seconds10).sample();
        assert_eq!(nowhere.unwrap_err().absence, Absence::Missing);
    }
}
