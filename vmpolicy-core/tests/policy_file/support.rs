//! Problems as text.

use crate::shared::TwoZones;
use crate::shared::problems::draw;
use vmpolicy_core::file::{Problem, load};

/// Every problem of a text as a reader would see it, errors or else warnings.
pub(crate) fn told(text: &[u8]) -> String {
    let problems = match load(text, &TwoZones) {
        Ok(loaded) => loaded.warnings.into_iter().map(Problem::from).collect(),
        Err(problems) => problems,
    };
    let shown = String::from_utf8_lossy(text);
    problems.iter().map(|problem| draw(&shown, problem)).collect()
}
