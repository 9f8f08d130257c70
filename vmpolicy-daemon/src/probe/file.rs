//! `file`: the first number in a file.

use super::{Failure, Source, head_of};
use crate::number::first_number;
use std::path::PathBuf;

/// The first number in the first 64 KiB of a file, in whatever unit the file has it.
#[derive(Clone, Debug)]
pub struct FileProbe {
    path: PathBuf,
}

impl FileProbe {
    /// A probe of this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Source for FileProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let head = head_of(&self.path)?;
        first_number(&head.bytes, head.cut)
            .map_err(|absence| Failure::new(absence, format!("{}: no usable number", self.path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::FILE_BYTES_MAX;
    use super::*;
    use vmpolicy_core::input::Absence;

    #[test]
    fn files_good_and_hostile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let mut probe = FileProbe::new(&path);
        let mut read = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            probe.sample().map_err(|failure| failure.absence)
        };
        assert_eq!(read(b"17\n"), Ok(17.0));
        assert_eq!(read(b"17"), Ok(17.0));
        assert_eq!(read(b""), Err(Absence::Missing));
        assert_eq!(read(b"no number"), Err(Absence::Unparsable));
        assert_eq!(read(b"NaN"), Err(Absence::NotFinite));
        assert_eq!(read(&[0xff, 0x00, b'8', b'\n']), Ok(8.0));
        // Megabytes: a number at the start is found, one behind the limit is not, one across it is not cut.
        let mut large = vec![b' '; 5_000_000];
        large[10] = b'4';
        assert_eq!(read(&large), Ok(4.0));
        assert_eq!(read(&vec![b'9'; 5_000_000]), Err(Absence::Unparsable));
        let mut across = vec![b'x'; FILE_BYTES_MAX - 3];
        across.extend_from_slice(b" 123456");
        assert_eq!(read(&across), Err(Absence::Unparsable));
    }
}
