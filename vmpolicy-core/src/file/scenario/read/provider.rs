//! How a provider answers.

use super::super::super::node::Node;
use super::super::super::reader::{Fields, Reader};
use super::super::form::{ProviderForm, RankingForm};
use super::CHANCE;
use crate::policy::Located;

const KNOWN: &[&str] = &[
    "answers_in",
    "confirms",
    "deduplicates",
    "checks_memory",
    "at_once",
    "loses_requests",
    "loses_answers",
    "doubles",
    "delays",
    "refuses",
    "ignores",
    "fails",
    "ranking",
];

impl Reader {
    pub(super) fn provider(&mut self, node: &Node) -> Option<ProviderForm> {
        let fields = self.fields(node, "how the provider answers, such as `{ refuses: 0.05 }`", KNOWN)?;
        let mut chance = |key| self.within_of(&fields, key, CHANCE);
        let (loses_requests, loses_answers) = (chance("loses_requests"), chance("loses_answers"));
        let (doubles, delays, refuses) = (chance("doubles"), chance("delays"), chance("refuses"));
        let (ignores, fails) = (chance("ignores"), chance("fails"));
        Some(ProviderForm {
            answers_in: self.optional(&fields, "answers_in", |reader, node| {
                let expected = "a span such as `2s`, or the shortest and the longest such as `[1s, 5s]`";
                let spans = reader.spans(node, expected)?;
                let pair = match *spans.as_slice() {
                    [only] => (only, only),
                    [short, long] if short <= long => (short, long),
                    _ => {
                        reader.wrong_type(expected, node);
                        return None;
                    }
                };
                Some(Located::at(pair, node.place))
            }),
            confirms: self.truth_of(&fields, "confirms"),
            deduplicates: self.truth_of(&fields, "deduplicates"),
            checks_memory: self.truth_of(&fields, "checks_memory"),
            at_once: self.count_of(&fields, "at_once", "a number of moves, 0 for no limit", 0),
            loses_requests,
            loses_answers,
            doubles,
            delays,
            refuses,
            ignores,
            fails,
            ranking: self.optional(&fields, "ranking", Self::ranking),
        })
    }

    fn ranking(&mut self, node: &Node) -> Option<Located<RankingForm>> {
        let fields: Fields<'_> = self.fields(node, "`{ every: 60s, late: 10s }`", &["every", "late"])?;
        let every =
            self.required(&fields, "every", "every: 60s", |reader, node| reader.above_zero(node, "every"));
        let late = self.span_of(&fields, "late");
        Some(Located::at(RankingForm { every: every?, late }, node.place))
    }
}
