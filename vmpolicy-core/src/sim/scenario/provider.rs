//! How the infrastructure answers.

use crate::time::Span;

/// How a provider behaves. Chances are between 0 and 1 and are drawn for each request by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Provider {
    /// The shortest and the longest time until it answers.
    pub answers_in: (Span, Span),
    /// Whether it says when a move is done; otherwise the guest has to look.
    pub confirms: bool,
    /// Whether a request that comes twice under one id starts one move only.
    pub deduplicates: bool,
    /// Whether it refuses where the host's memory is taken.
    pub checks_memory: bool,
    /// How many moves of the array are under way at most; further ones wait for their turn. 0 for no limit.
    pub at_once: u32,
    /// The chance that a request never reaches it.
    pub loses_requests: f64,
    /// The chance that an answer of its never reaches the guest.
    pub loses_answers: f64,
    /// The chance that an answer comes twice.
    pub doubles: f64,
    /// The chance that an answer is overtaken: that it takes ten times as long.
    pub delays: f64,
    /// The chance that it refuses.
    pub refuses: f64,
    /// The chance that it accepts and does nothing (thesis, 5.3).
    pub ignores: f64,
    /// The chance that a move fails on its way.
    pub fails: f64,
    /// Whether it publishes how good its hosts are.
    pub ranking: Option<Ranking>,
}

/// A published order of hosts: the least loaded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// How often it is published.
    pub every: Span,
    /// How old it is when it arrives.
    pub late: Span,
}

impl Default for Provider {
    /// One that answers at once, does what it is asked and says so.
    fn default() -> Self {
        Self {
            answers_in: (Span::ZERO, Span::ZERO),
            confirms: true,
            deduplicates: true,
            checks_memory: true,
            at_once: 0,
            loses_requests: 0.0,
            loses_answers: 0.0,
            doubles: 0.0,
            delays: 0.0,
            refuses: 0.0,
            ignores: 0.0,
            fails: 0.0,
            ranking: None,
        }
    }
}
