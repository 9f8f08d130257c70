//! A page put in place: whole, or not at all.

use super::{Page, html};
use crate::cli::backtest::output::Output;
use std::io;
use std::path::Path;

/// Writes the document. It gets its name when it is whole, so a reader never sees half of it, and whoever interrupts
/// leaves what was there.
///
/// # Errors
///
/// Where the file can't be written; nothing is left then.
pub fn write(path: &Path, page: &Page) -> io::Result<()> {
    Output::whole(path, html(page).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Builder, Range};
    use vmpolicy_core::time::Wall;

    #[test]
    fn a_page_is_whole_or_not_there() {
        let range = Range { from: Wall::from_secs(0), to: Wall::from_secs(60) };
        let page = Builder::new("nothing", range, Vec::new(), 1).build();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write(&path, &page).unwrap();
        write(&path, &page).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("</html>\n"));
        assert!(write(&folder.path().join("nowhere").join("page.html"), &page).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
