//! How far it is: a bar on a terminal, and a word beforehand where it will take long.

use super::super::terminal::complain;
use super::table::grouped;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// So many polls take a moment: from here on there is a bar.
const POLLS_WORTH_A_BAR: u64 = 20_000_000;

/// So many polls take a while: from here on it is said beforehand.
const POLLS_WORTH_A_WORD: u64 = 500_000_000;

/// A bar on standard error, where that is a terminal.
#[derive(Debug)]
pub(in crate::cli) struct Bar(ProgressBar);

impl Bar {
    /// For the polls of a run. `longest` says what makes them so many.
    pub(in crate::cli) fn polls(total: u64, longest: impl FnOnce() -> String) -> Self {
        if total >= POLLS_WORTH_A_WORD {
            complain(&format!("{} polls to go, which takes a while: {}", grouped(total), longest()));
        }
        if total < POLLS_WORTH_A_BAR { Self(ProgressBar::hidden()) } else { Self::visible(total, "polls") }
    }

    /// For so much work, counted in these; there is a bar from `worth` on.
    pub(in crate::cli) fn work(total: u64, what: &'static str, worth: u64) -> Self {
        if total < worth { Self(ProgressBar::hidden()) } else { Self::visible(total, what) }
    }

    /// For parts whose number is not known yet.
    #[cfg(feature = "prometheus")]
    pub(in crate::cli) fn parts(what: &'static str) -> Self {
        let bar = Self::visible(0, what);
        // It shows with the first part of several.
        bar.0.set_draw_target(ProgressDrawTarget::hidden());
        bar
    }

    fn visible(total: u64, what: &'static str) -> Self {
        // Hidden by itself where standard error is no terminal.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3}% of {human_len} {msg}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// So many more are done.
    pub(in crate::cli) fn more(&self, count: u64) {
        self.0.inc(count);
    }

    /// So many of so many are done.
    #[cfg(feature = "prometheus")]
    pub(in crate::cli) fn at(&self, done: usize, of: usize) {
        if of > 1 && self.0.is_hidden() {
            self.0.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
