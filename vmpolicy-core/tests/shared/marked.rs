//! A sound file with marks in it, each of which may be put wrong: that all of them are told in one run, and nothing
//! that follows from another one.

use vmpolicy_core::file::Problem;

/// A sound file with everything in it. Each `«...»` may be put wrong on its own; what is between the bars is
/// what stands there, then what is put there instead.
pub(crate) struct Marked {
    pub(crate) text: &'static str,
    /// What is wrong with a file.
    pub(crate) problems: fn(&str) -> Vec<Problem>,
    /// The same as a reader would see it.
    pub(crate) told: fn(&str) -> String,
}

/// A problem's code, and the number of the marked place that it begins in.
pub(crate) type Found = (&'static str, Option<usize>);

impl Marked {
    /// The file with the marked places of these numbers put wrong, and where each of them is.
    pub(crate) fn wrong(&self, which: &[usize]) -> (String, Vec<(usize, usize)>) {
        let (mut text, mut places) = (String::new(), Vec::new());
        for (index, piece) in self.text.split('«').enumerate() {
            let Some((marked, rest)) = piece.split_once('»') else {
                text += piece;
                continue;
            };
            let (right, bad) = marked.split_once('|').expect("two texts");
            let start = text.len();
            text += if which.contains(&(index - 1)) { bad } else { right };
            places.push((start, text.len()));
            text += rest;
        }
        (text, places)
    }

    /// What is told of that file.
    pub(crate) fn found(&self, which: &[usize]) -> Vec<Found> {
        let (text, places) = self.wrong(which);
        let mark = |at: u32| {
            // Where two touch, what begins there is meant.
            places.iter().rposition(|&(start, end)| start <= at as usize && (at as usize) < end)
        };
        // A place that begins before its mark, such as that of a whole map, belongs to the next mark.
        let line = |at: u32| text[..at as usize].rfind('\n').map_or(0, |end| end + 1);
        let place = |at: u32| mark(at).or_else(|| places.iter().position(|p| p.0 >= line(at)));
        let problems = (self.problems)(&text);
        problems.iter().map(|problem| (problem.code, problem.place.and_then(|of| place(of.start)))).collect()
    }

    pub(crate) fn marks(&self) -> usize {
        self.text.matches('«').count()
    }

    /// With all of them wrong.
    pub(crate) fn all_told(&self) -> String {
        (self.told)(&self.wrong(&(0..self.marks()).collect::<Vec<_>>()).0)
    }

    pub(crate) fn each_is_one_error_alone(&self) {
        assert_eq!(self.found(&[]), [], "{}", (self.told)(&self.wrong(&[]).0));
        let odd = (0..self.marks()).filter(|index| self.found(&[*index]).len() != 1).map(|index| {
            let (text, places) = self.wrong(&[index]);
            let line = text[..places[index].0].lines().count();
            format!("line {line}, mark {index}:\n{}", (self.told)(&text))
        });
        none(&odd.collect::<Vec<_>>());
    }

    pub(crate) fn any_two_are_both_told_and_nothing_else(&self) {
        let alone: Vec<_> = (0..self.marks()).map(|index| self.found(&[index])).collect();
        let mut odd = Vec::new();
        for one in 0..self.marks() {
            for other in one + 1..self.marks() {
                let mut expected = [alone[one].clone(), alone[other].clone()].concat();
                let mut both = self.found(&[one, other]);
                expected.sort_unstable();
                both.sort_unstable();
                if both != expected {
                    let told = (self.told)(&self.wrong(&[one, other]).0);
                    odd.push(format!("## {one} and {other}\n{told}expected {expected:?}\n"));
                }
            }
        }
        none(&odd);
    }

    pub(crate) fn all_of_these_are_told(&self, which: &[usize]) {
        let told = self.found(which);
        for &index in which {
            for problem in self.found(&[index]) {
                assert!(told.contains(&problem), "{problem:?} of {index} in {told:?}");
            }
        }
    }
}

fn none(odd: &[String]) {
    assert!(odd.is_empty(), "{} of them:\n{}", odd.len(), odd.join("\n"));
}
