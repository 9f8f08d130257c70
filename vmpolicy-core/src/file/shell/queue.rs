//! Where jobs come from, how their class is found, and how they are run.

use super::probe::server_keys;
use super::web::web_keys;
use super::{Kinds, PROBE_TIMEOUT, RedisServer, WebSpec};
use crate::file::node::{Node, Value};
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Entry, Fields, Reader};
use crate::policy::error::{Noun, PolicyErrorKind, nearest};
use crate::policy::{ClassForm, Located};
use crate::time::Span;

/// How long a job may take where the file does not say.
pub const JOB_TIMEOUT: Span = Span::from_hours(1);
/// How long a job that was told to end has for it, where the file does not say.
pub const JOB_GRACE: Span = Span::from_secs(10);
/// How much of what a job prints is kept, where the file does not say: 16 MiB.
pub const JOB_OUTPUT_BYTES: u64 = 16 * 1024 * 1024;
/// How often a job is begun that never comes to an end, where the file does not say.
pub const JOB_TRIES: u32 = 3;

/// Where jobs come from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum QueueSource {
    /// Folders of files in a folder, claimed by renaming them.
    Directory {
        /// The folder.
        path: String,
    },
    /// Elements of a list of Redis or Valkey.
    Redis {
        /// The list's key.
        list: String,
        /// How many elements make a batch at most.
        batch: u32,
        /// Of which one.
        #[serde(flatten)]
        server: RedisServer,
    },
    /// Batches of a server, by HTTP.
    Http(WebSpec),
}

/// How many elements of a list make a batch at most, where the file does not say.
pub const REDIS_BATCH: u32 = 100;

const SOURCES: Kinds =
    Kinds { what: "queue source", here: &["directory", "redis", "http"], later: &[], beside: &[] };

/// What a job's class is found by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradedBy {
    /// Its name.
    #[default]
    Name,
    /// The first line of what it consists of.
    FirstLine,
}

/// How the class of a job is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct GradeSpec {
    /// In what.
    pub by: GradedBy,
    /// By which pattern, for classes that have one: names and patterns.
    pub patterns: Vec<(String, String)>,
}

/// How a job is run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RunSpec {
    /// The program and its arguments, with `{job}`, `{name}`, `{batch}`, `{class}` and `{guest}` to be filled in; no
    /// shell reads them.
    pub argv: Vec<String>,
    /// How long it may take.
    pub timeout: Span,
    /// How long it has to end once it is told to.
    pub grace: Span,
    /// The folder for what it prints, and for what became of it; nowhere without one.
    pub output: Option<String>,
    /// How many bytes of what it prints are kept.
    pub output_max: u64,
    /// How often it is begun before one that never comes to an end is put aside.
    pub tries: u32,
}

/// What the file says to the shell of one queue, beside its source.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct WorkSpec {
    /// How the class of a job is found.
    pub grade: GradeSpec,
    /// How its jobs are run; without it nobody works at the queue.
    pub run: Option<Located<RunSpec>>,
}

/// What a job's program is told.
const PLACEHOLDERS: &[&str] = &["job", "name", "batch", "class", "guest"];

impl Reader {
    pub(in crate::file) fn queue_source(&mut self, node: &Node) -> Option<Located<QueueSource>> {
        let (source, _) = self.kind(node, &SOURCES, |reader, kind, value| match kind {
            "directory" => Some(QueueSource::Directory { path: reader.path(node, value)? }),
            "redis" => reader.redis_list(node, value),
            _ => {
                let fields = reader.options(node, value, &web_keys!())?;
                reader.by_http(&fields, None, PROBE_TIMEOUT).map(QueueSource::Http)
            }
        });
        Some(Located::at(source?, node.place))
    }

    fn redis_list(&mut self, node: &Node, value: Option<&Node>) -> Option<QueueSource> {
        let fields = self.options(node, value, &server_keys!("list", "batch", "database"))?;
        let list = self.required(&fields, "list", "list: jobs", |reader, node| {
            reader.text(node, "the key of a list").map(str::to_owned)
        });
        let batch = self.optional(&fields, "batch", Self::count);
        let server = self.redis_server(&fields);
        Some(QueueSource::Redis { list: list?, batch: batch.unwrap_or(REDIS_BATCH), server })
    }

    /// A whole number that is not zero.
    fn count(&mut self, node: &Node) -> Option<u32> {
        let expected = "a number from 1";
        let count = self.whole(node, expected)?;
        if count == 0 {
            let Value::Scalar { text, .. } = &node.value else { return None };
            self.blame(Kind::Number { text: super::short(text), expected }, node.place);
        }
        Some(count)
    }

    /// `grade` and `run` of a queue with these classes; none of the classes can be named wrongly where `whole` is not
    /// so, as not all of them could be read.
    pub(in crate::file) fn work(
        &mut self,
        fields: &Fields<'_>,
        classes: &[ClassForm],
        whole: bool,
    ) -> WorkSpec {
        let grade = self.optional(fields, "grade", |reader, node| reader.grade(node, classes, whole));
        WorkSpec { grade: grade.unwrap_or_default(), run: self.optional(fields, "run", Self::run) }
    }

    fn grade(&mut self, node: &Node, classes: &[ClassForm], whole: bool) -> Option<GradeSpec> {
        let expected = "how a class is found, such as `{ by: first-line }`";
        let fields = self.fields(node, expected, &["by", "patterns"])?;
        let by = self.optional(&fields, "by", |reader, node| {
            let known = [("name", GradedBy::Name), ("first-line", GradedBy::FirstLine)];
            reader.choice(node, "`name`, `first-line`", &known)
        });
        let patterns = self.optional(&fields, "patterns", |reader, node| {
            let mut patterns = Vec::new();
            for Entry { text, key, value, again } in
                reader.entries(node, "patterns such as `{ grade a: \"*.big\" }`")?
            {
                let names = classes.iter().map(|class| class.name.value.as_str());
                if whole && !names.clone().any(|name| name == text) {
                    let hint = nearest(text, names).map(|near| format!("did you mean `{near}`?"));
                    reader.undefined(Noun::Class, text, key, hint);
                }
                let pattern = reader.text(value, "a pattern such as `\"*.big\"`").map(str::to_owned);
                if let (Some(pattern), false) = (pattern, again) {
                    patterns.push((text.to_owned(), pattern));
                }
            }
            Some(patterns)
        });
        Some(GradeSpec { by: by.unwrap_or_default(), patterns: patterns.unwrap_or_default() })
    }

    /// What the judgement says of an undefined name, of one that it does not get to see.
    fn undefined(&mut self, what: Noun, name: &str, node: &Node, hint: Option<String>) {
        let kind = PolicyErrorKind::Undefined { what, name: super::short(name) };
        self.judged(&kind, Some(node.place), hint);
    }

    fn run(&mut self, node: &Node) -> Option<Located<RunSpec>> {
        let known = ["argv", "timeout", "grace", "output", "output_max", "tries"];
        let fields = self.options(node, Some(node), &known)?;
        let argv = self.argv(&fields, PLACEHOLDERS);
        let timeout = self.wait(&fields, "timeout", JOB_TIMEOUT);
        let grace = self.wait(&fields, "grace", JOB_GRACE);
        let output = self.optional(&fields, "output", |reader, node| {
            let path = reader.path_text(node)?;
            if !path.starts_with('/') {
                let expected = "a path that begins with `/`";
                reader.wrong_type(expected, node);
                return None;
            }
            Some(path)
        });
        let output_max = self.optional(&fields, "output_max", |reader, node| {
            let bytes = reader.data(node, false)?;
            // Beyond 2^53 bytes it is exact no more, and no disk is as large.
            if bytes.is_finite() && (1.0..=9e15).contains(&bytes) {
                return Some(bytes as u64);
            }
            reader.wrong_type("an amount of data from 1 B", node);
            None
        });
        let tries = self.optional(&fields, "tries", Self::count);
        let spec = RunSpec {
            argv: argv?,
            timeout,
            grace,
            output,
            output_max: output_max.unwrap_or(JOB_OUTPUT_BYTES),
            tries: tries.unwrap_or(JOB_TRIES),
        };
        Some(Located::at(spec, node.place))
    }
}
