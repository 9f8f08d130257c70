//! Problems of a policy file, drawn as rustc draws its own, or as JSON.

use super::terminal::Terminal;
use crate::policy_files::PolicyFiles;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;
use vmpolicy_core::file::{Parts, Problem, Severity};
use vmpolicy_core::policy::Place;

/// No terminal is as wide; lines that are wider are cut round what matters.
const COLUMNS: usize = 140;

/// The text of a file, or of a policy in several files.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    files: Vec<File<'a>>,
    parts: Parts,
}

/// A file's text and where its lines begin.
#[derive(Clone, Debug)]
struct File<'a> {
    name: &'a str,
    text: Cow<'a, str>,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

impl<'a> File<'a> {
    fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let after_breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { name, text, lines }
    }

    /// The line that holds this byte, from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&start| start <= at).saturating_sub(1)
    }

    /// Line and column, both from 1; columns count characters.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        (line + 1, self.text[self.lines[line]..at].chars().count() + 1)
    }

    /// The place within the text, on boundaries of characters, without white space at its end: a YAML block
    /// reaches up to what follows it.
    fn span(&self, place: Place) -> Range<usize> {
        let start = self.text.floor_char_boundary(place.start as usize);
        let end = self.text.ceil_char_boundary((place.end as usize).max(start));
        let meat = self.text[start..end].trim_end().len();
        start..if meat == 0 { end } else { start + meat }
    }

    /// The lines that these spans are about. Only those are given to the renderer, which otherwise would go
    /// through the whole file for each problem.
    fn snippet<'s>(
        &'s self,
        spans: Vec<(AnnotationKind, Range<usize>, Option<&'s str>)>,
    ) -> Snippet<'s, Annotation<'s>> {
        let all = || spans.iter().map(|(_, span, _)| span);
        let first = all().map(|span| self.line(span.start)).min().unwrap_or(0);
        let last = all().map(|span| self.line(span.end)).max().unwrap_or(0);
        let start = self.lines[first];
        let end = self.lines.get(last + 1).map_or(self.text.len(), |next| next - 1);
        let annotations = spans.into_iter().map(|(kind, span, label)| {
            let annotation = kind.span(span.start - start..span.end - start);
            match label {
                Some(label) => annotation.label(label),
                None => annotation,
            }
        });
        Snippet::source(&self.text[start..end]).line_start(first + 1).path(self.name).annotations(annotations)
    }

    fn told_place(&self, place: Place) -> ToldPlace<'a> {
        let span = self.span(place);
        let ((line, column), (end_line, end_column)) = (self.position(span.start), self.position(span.end));
        ToldPlace {
            file: None,
            line: Some(line),
            column: Some(column),
            end_line: Some(end_line),
            end_column: Some(end_column),
        }
    }
}

impl<'a> Text<'a> {
    /// The text of a file of this name. Bytes that are no text are shown as such.
    #[must_use]
    pub fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self { files: vec![File::new(file, bytes)], parts: Parts::of([bytes]) }
    }

    /// The texts of a policy's files.
    #[must_use]
    pub fn of(files: &'a PolicyFiles) -> Self {
        let parts = Parts::of(files.all().iter().map(|file| file.bytes.as_slice()));
        Self { files: files.all().iter().map(|file| File::new(&file.name, &file.bytes)).collect(), parts }
    }

    /// The file that the place is in, by its number, and where there.
    fn find(&self, place: Place) -> (usize, Place) {
        self.parts.find(place)
    }

    /// Draws a problem.
    #[must_use]
    pub fn draw(&self, problem: &Problem, terminal: &Terminal) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group: Group<'_> = Group::with_title(level.primary_title(&problem.message).id(problem.code));
        let mut spans = vec![Vec::new(); self.files.len()];
        if let Some(place) = problem.place {
            let (first, place) = self.find(place);
            spans[first].push((AnnotationKind::Primary, self.files[first].span(place), None));
            for label in &problem.labels {
                let (file, place) = self.find(label.place);
                let label = Some(label.text.as_str());
                spans[file].push((AnnotationKind::Context, self.files[file].span(place), label));
            }
            // The file that is blamed comes first, whatever else helps to see why.
            let others = (0..self.files.len()).filter(|&file| file != first && !spans[file].is_empty());
            for file in std::iter::once(first).chain(others.collect::<Vec<_>>()) {
                group = group.element(self.files[file].snippet(std::mem::take(&mut spans[file])));
            }
        } else {
            group = group.element(Origin::path(self.files[0].name));
        }
        if let Some(hint) = &problem.hint {
            group = group.element(Level::HELP.message(hint));
        }
        let renderer = if terminal.colour { Renderer::styled() } else { Renderer::plain() };
        let mut drawn = renderer.term_width(terminal.columns.unwrap_or(COLUMNS)).render(&[group]);
        drawn.push('\n');
        drawn
    }

    /// The problem for programs.
    #[must_use]
    pub fn told<'p>(&self, problem: &'p Problem) -> Told<'p>
    where
        'a: 'p,
    {
        let labels = problem
            .labels
            .iter()
            .map(|label| ToldLabel { at: self.told_place(label.place), text: &label.text });
        Told {
            code: problem.code,
            severity: problem.severity,
            message: &problem.message,
            path: &problem.path,
            at: problem.place.map(|place| self.told_place(place)).unwrap_or_default(),
            hint: problem.hint.as_deref(),
            labels: labels.collect(),
        }
    }

    fn told_place(&self, place: Place) -> ToldPlace<'a> {
        let (number, place) = self.find(place);
        let file = &self.files[number];
        ToldPlace { file: (number > 0).then_some(file.name), ..file.told_place(place) }
    }
}

/// A problem as JSON. A problem of the whole file has no place: its numbers are null.
#[derive(Clone, Debug, Serialize)]
pub struct Told<'p> {
    /// The stable code.
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'p str,
    /// The way to it from the top of the file.
    pub path: &'p str,
    /// Where.
    #[serde(flatten)]
    pub at: ToldPlace<'p>,
    /// What to do about it.
    pub hint: Option<&'p str>,
    /// Other places that matter.
    pub labels: Vec<ToldLabel<'p>>,
}

/// Where: lines and columns from 1, columns in characters; the end is the column after the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToldPlace<'p> {
    /// The file of `conf.d` that it is in; left out where it is in the policy file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'p str>,
    /// The line in which it begins.
    pub line: Option<usize>,
    /// The column in which it begins.
    pub column: Option<usize>,
    /// The line in which it ends.
    pub end_line: Option<usize>,
    /// The column after its end.
    pub end_column: Option<usize>,
}

/// Another place that matters.
#[derive(Clone, Debug, Serialize)]
pub struct ToldLabel<'p> {
    /// Where.
    #[serde(flatten)]
    pub at: ToldPlace<'p>,
    /// What is there.
    pub text: &'p str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmpolicy_core::policy::error::Label;

    fn problem(start: u32, end: u32) -> Problem {
        Problem {
            code: "VP0000",
            severity: Severity::Error,
            message: "it is wrong".to_owned(),
            place: Some(Place { start, end }),
            path: String::new(),
            labels: Vec::new(),
            hint: None,
        }
    }

    const PLAIN: Terminal = Terminal { colour: false, columns: None, live: false };

    #[test]
    fn any_place_of_any_text_is_drawn() {
        let texts: [&[u8]; 8] = [
            b"",
            b"\n",
            b"a: b\n",
            b"a: b\r\nc: d\r\n",
            "\u{feff}ø: \u{1F600}\n".as_bytes(),
            b"a: \xff\xfe\n",
            b"\t- x\t\x1b[31m\0\n  y",
            b"\n\n\n   ",
        ];
        for bytes in texts {
            let text = Text::new("p.yaml", bytes);
            for start in 0..=bytes.len() as u32 + 2 {
                for end in start..=bytes.len() as u32 + 3 {
                    let mut problem = problem(start, end);
                    problem.labels.push(Label { place: Place { start: 0, end: 1 }, text: "here".to_owned() });
                    let drawn = text.draw(&problem, &PLAIN);
                    assert!(drawn.contains("p.yaml:"), "{bytes:?} {start} {end}: {drawn}");
                    assert!(!drawn.contains('\x1b') && !drawn.contains('\0'), "{drawn:?}");
                    let told = text.told(&problem);
                    assert!(told.at.line <= told.at.end_line);
                }
            }
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = format!("a: {}x\n", "b ".repeat(300_000));
        let text = Text::new("p.yaml", long.as_bytes());
        let drawn = text.draw(&problem(500_003, 500_006), &PLAIN);
        assert!(drawn.lines().all(|line| line.chars().count() <= COLUMNS + 20), "{drawn}");
        assert!(drawn.contains("p.yaml:1:500004"));
    }

    #[test]
    fn colour_is_only_where_it_is_wanted() {
        let text = Text::new("p.yaml", b"a: b\n");
        assert!(!text.draw(&problem(0, 1), &PLAIN).contains('\x1b'));
        assert!(text.draw(&problem(0, 1), &Terminal { colour: true, ..PLAIN }).contains('\x1b'));
    }
}
