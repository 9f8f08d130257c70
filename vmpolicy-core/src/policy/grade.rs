//! Which class a job is of: found by a pattern in what is known of it before it runs.

use super::Queue;
use crate::leaf::glob;

/// How the class of a job of one queue is found.
///
/// The patterns are tried in the order of the queue's classes, and the first that fits is it. A class without a
/// pattern fits where its name stands anywhere in the text.
///
/// ```
/// use vmpolicy_core::policy::{Class, Grades, Queue};
/// use vmpolicy_core::time::Span;
/// let class = |name: &str| Class { name: name.to_owned(), takes: None };
/// let queue =
///     Queue { name: "jobs".into(), every: Span::from_secs(60), classes: vec![class("big"), class("small")] };
/// let grades = Grades::new(&queue, &[("big".to_owned(), "*.iso".to_owned())]);
/// assert_eq!(grades.count(["a.iso", "2.small", "a small.iso", "readme"]), (vec![2, 1], 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grades(Vec<Fits>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fits {
    /// All of it is as this pattern says.
    Whole(String),
    /// This stands in it.
    Holds(String),
}

impl Grades {
    /// For this queue, with these patterns by the names of classes.
    #[must_use]
    pub fn new(queue: &Queue, patterns: &[(String, String)]) -> Self {
        let fits =
            queue.classes.iter().map(|class| match patterns.iter().find(|(name, _)| *name == class.name) {
                Some((_, pattern)) => Fits::Whole(pattern.clone()),
                None => Fits::Holds(class.name.clone()),
            });
        Self(fits.collect())
    }

    /// The number of the class of a job of which this is known; none where no pattern fits.
    #[must_use]
    pub fn class_of(&self, known: &str) -> Option<usize> {
        self.0.iter().position(|fits| match fits {
            Fits::Whole(pattern) => glob::matches(pattern, known),
            Fits::Holds(name) => known.contains(name.as_str()),
        })
    }

    /// How many jobs of each class a batch holds, and how many of none: what
    /// [`Input::Batch`](crate::Input::Batch) says.
    pub fn count<'a>(&self, batch: impl IntoIterator<Item = &'a str>) -> (Vec<u32>, u32) {
        let (mut classes, mut others) = (vec![0_u32; self.0.len()], 0_u32);
        for known in batch {
            let count = self.class_of(known).map_or(&mut others, |class| &mut classes[class]);
            *count = count.saturating_add(1);
        }
        (classes, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Class;
    use crate::time::Span;

    #[test]
    fn the_first_class_that_fits_and_a_name_as_it_stands() {
        let class = |name: &str| Class { name: name.to_owned(), takes: None };
        let classes = vec![class("a*"), class("b"), class("rest")];
        let queue = Queue { name: "q".to_owned(), every: Span::from_secs(1), classes };
        let said = |name: &str, pattern: &str| (name.to_owned(), pattern.to_owned());
        let grades = Grades::new(&queue, &[said("rest", "*"), said("b", "b?"), said("gone", "*")]);
        assert_eq!(grades.class_of("xa*x"), Some(0), "a name is no pattern");
        assert_eq!(grades.class_of("ab"), Some(2));
        assert_eq!(grades.class_of("b1"), Some(1));
        assert_eq!(grades.count([]), (vec![0, 0, 0], 0));
        assert_eq!(Grades::new(&queue, &[]).count(["b", "x", "a*b"]), (vec![1, 1, 0], 1));
    }
}
