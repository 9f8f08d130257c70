//! The policy file: YAML to a [`Policy`], or to everything that is wrong with it.
//!
//! [`load`] does it all, [`load_parts`] too for a policy that is spread over several files. [`parse`] stops before the
//! policy is judged, for programs that want to change what was written. None of them reads a file: the text is given.
//! All problems are found in one run, and told as plain data with places; drawing them is left to others.
//!
//! ```
//! use vmpolicy_core::file::{line_col, load};
//! # struct NoZones;
//! # impl vmpolicy_core::policy::Zones for NoZones {
//! #     fn zone(&self, _: &str) -> Option<vmpolicy_core::leaf::window::Zone> { None }
//! # }
//! let text = "version: 1\narrays: { oslo: { hosts: [mln1, mln2] } }\nhoem: oslo\n";
//! let problems = load(text.as_bytes(), &NoZones).unwrap_err();
//! assert_eq!(problems[0].message, "unknown key `hoem`");
//! assert_eq!(problems[0].hint.as_deref(), Some("did you mean `home`?"));
//! assert_eq!(problems[0].place.map(|place| line_col(text, place.start)), Some((3, 1)));
//! ```

mod clear;
#[cfg(feature = "sim")]
pub mod expect;
mod idle;
mod kind;
mod limits;
mod node;
mod parts;
mod problem;
mod reader;
mod rules;
mod scalar;
#[cfg(feature = "sim")]
pub mod scenario;
mod sections;
mod shell;
#[cfg(feature = "trial")]
pub mod trial;
mod when;
mod write;
mod yaml;

pub use kind::FileKind;
pub use parts::Parts;
pub use problem::{Problem, ReadErrorKind, Severity, line_col};
pub use scalar::parse_span;
#[cfg(feature = "tune")]
pub(crate) use scalar::{number as parse_number, tarry as parse_tarry};
pub use shell::{
    ACTUATOR_POLL, ACTUATOR_TIMEOUT, APACHE_URL, ActuatorSpec, COLLECTOR_TIMEOUT, GradeSpec, GradedBy,
    HOOK_TIMEOUT, HookSpec, HooksSpec, JOB_GRACE, JOB_OUTPUT_BYTES, JOB_TIMEOUT, JOB_TRIES, JOURNAL_SOCKET,
    KEEP_BYTES, KeepSpec, LocatorSpec, Login, MYSQL_SOCKET, MetricsSpec, Mode, Network, NetworkFault,
    NginxField, POSTGRES_SOCKET, PROBE_TIMEOUT, PROMETHEUS_URL, ProbeSpec, PsiResource, QueueSource,
    REDIS_BATCH, REDIS_PORT, RecordPlace, RedisRead, RedisServer, RunSpec, STATE_TIMEOUT, SecretSpec,
    ServerAddress, Shell, StateSpec, TlsSpec, UrlFault, WebAuth, WebMethod, WebSpec, WhenFull, WorkSpec,
    url_fault,
};

use crate::policy::build::Doubts;
use crate::policy::error::{Noun, PolicyErrorKind, nearest};
use crate::policy::lint::{Warning, lint};
use crate::policy::{ArrayForm, Located, Place, Policy, PolicyFile, Zones};
use node::MOST_BYTES;
use problem::ReadErrorKind as Kind;
use reader::{Fields, Reader};

/// More than anybody reads; the rest is counted.
const MOST_PROBLEMS: usize = 500;

const SECTIONS: &[&str] = &[
    "version",
    "guest",
    "arrays",
    "home",
    "indicators",
    "windows",
    "queues",
    "rules",
    "moves",
    "actuator",
    "locator",
    "hooks",
    "mode",
    "metrics",
    "records",
    "state",
];

/// What was written, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The policy as written. Where there are problems, what they are about is left out, or has a stand-in:
    /// such a policy is not to be used.
    pub file: PolicyFile,
    /// The shell's part.
    pub shell: Shell,
    /// Everything that could not be read, in the order of the file.
    pub problems: Vec<Problem>,
    doubts: Doubts,
}

/// A policy from a file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policy, sound.
    pub policy: Policy,
    /// What it was built from, with its places.
    pub file: PolicyFile,
    /// The shell's part.
    pub shell: Shell,
    /// What is legal but unwise, in the order of the file.
    pub warnings: Vec<Warning>,
}

/// Reads a policy file as far as it can be read.
///
/// Names are not looked up here; [`PolicyFile::build`] does that.
#[must_use]
pub fn parse(text: &[u8]) -> Parsed {
    parse_parts(&[text])
}

/// As [`parse`], of a policy in several files: the first one with its `version`, the others with more sections.
///
/// Each file may add names to `arrays`, `indicators`, `windows` and `queues`; every other section is in one of them.
/// Places count through all files; [`Parts::find`] says which one they are in.
#[must_use]
pub fn parse_parts(texts: &[&[u8]]) -> Parsed {
    let mut reader = Reader::new(Vec::new());
    reader.doubts.from_file = true;
    let (mut file, mut shell) = (PolicyFile::default(), Shell::default());
    if let Some(node) = reader.gather(texts) {
        if let Some(top) = reader.fields(&node, "the keys of a policy file", SECTIONS) {
            reader.version(&top);
            (file, shell) = reader.top(&top, Reader::arrays);
        } else {
            reader.doubt_all();
        }
    }
    reader.hint_at_files(texts);
    let Reader { mut problems, doubts, .. } = reader;
    sort(&mut problems);
    Parsed { file, shell, problems, doubts }
}

/// Reads and judges a policy file.
///
/// # Errors
///
/// Every problem, structural and semantic, in the order of the file. What is broken in one place is told once,
/// not again for each use of it.
pub fn load(text: &[u8], zones: &dyn Zones) -> Result<Loaded, Vec<Problem>> {
    load_parts(&[text], zones)
}

/// As [`load`], of a policy in several files.
///
/// ```
/// use vmpolicy_core::file::{Parts, load_parts};
/// # struct NoZones;
/// # impl vmpolicy_core::policy::Zones for NoZones {
/// #     fn zone(&self, _: &str) -> Option<vmpolicy_core::leaf::window::Zone> { None }
/// # }
/// let policy = "version: 1\narrays: { oslo: { hosts: [mln1, mln2] } }\n";
/// let site = "locator: { assume: mln3 }\n";
/// let files = [policy.as_bytes(), site.as_bytes()];
/// let problems = load_parts(&files, &NoZones).unwrap_err();
/// assert_eq!(problems[0].message, "there is no host named `mln3`");
/// let (file, place) = problems[0].place.map(|place| Parts::of(files).find(place)).unwrap();
/// assert_eq!((file, &site[place.start as usize..place.end as usize]), (1, "mln3"));
/// ```
///
/// # Errors
///
/// Every problem of every file, in their order. What two files define is told with both places.
pub fn load_parts(texts: &[&[u8]], zones: &dyn Zones) -> Result<Loaded, Vec<Problem>> {
    let Parsed { file, shell, mut problems, doubts } = parse_parts(texts);
    problems.extend(unknown_hosts(&file, &shell, &doubts));
    let judged = file.judge(zones, doubts);
    match judged {
        Ok(policy) if problems.is_empty() => {
            let mut warnings = lint(&file, &policy);
            warnings.extend(limits::never_time_out(&file, &policy, &shell));
            warnings.extend(idle::queues(&file, &shell));
            warnings.extend(clear::shown(&file, &shell));
            warnings.sort_by_key(|warning| warning.place.map(|place| place.start));
            return Ok(Loaded { policy, file, shell, warnings });
        }
        Ok(_) => {}
        Err(errors) => problems.extend(errors.into_iter().map(Problem::from)),
    }
    sort(&mut problems);
    capped(&mut problems);
    Err(problems)
}

/// What is more than anybody reads is only counted.
fn capped(problems: &mut Vec<Problem>) {
    if problems.len() > MOST_PROBLEMS {
        let more = problems.len() - MOST_PROBLEMS;
        problems.truncate(MOST_PROBLEMS);
        problems.push(Kind::More { more }.at(None, String::new(), None));
    }
}

/// By place; what has none is about the whole file, and comes first.
fn sort(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| problem.place.map(|place| (place.start, place.end)));
}

/// The bytes as a text of a size that can be a policy.
fn checked(bytes: &[u8]) -> Result<&str, Box<Problem>> {
    if bytes.len() > MOST_BYTES {
        let hint = Some("is this the right file?".to_owned());
        let kind = Kind::TooLarge { bytes: bytes.len(), most: MOST_BYTES };
        return Err(Box::new(kind.at(None, String::new(), hint)));
    }
    core::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        let byte = bytes.get(at).copied().unwrap_or_default();
        // Lines are countable up to there: what comes before is UTF-8.
        let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let hint = Some(format!("byte {at} of the file, in line {line}; save it as UTF-8"));
        Box::new(Kind::NotUtf8 { byte }.at(Some(Place { start, end: start + 1 }), String::new(), hint))
    })
}

/// Hosts that the locator names, where nothing is called so.
fn unknown_hosts(file: &PolicyFile, shell: &Shell, doubts: &Doubts) -> Vec<Problem> {
    let Some(locator) = &shell.locator else { return Vec::new() };
    let known = || file.arrays.iter().flat_map(|array| array.hosts.value.iter().chain(&array.base));
    let unknown = locator.value.hosts().into_iter().filter(|(_, name)| {
        let doubted = doubts.hosts || doubts.host_names.contains(name.value);
        !doubted && !known().any(|host| host.value == *name.value)
    });
    let problem = |(path, name): (String, Located<&String>)| {
        let kind = PolicyErrorKind::Undefined { what: Noun::Host, name: name.value.clone() };
        let hint = nearest(name.value, known().map(|host| host.value.as_str()));
        Problem {
            code: kind.code(),
            severity: Severity::Error,
            message: kind.to_string(),
            place: name.place.or(locator.place),
            path: format!("locator.{path}"),
            labels: Vec::new(),
            hint: hint.map(|near| format!("did you mean `{near}`?")),
        }
    };
    unknown.map(problem).collect()
}

impl Reader {
    /// Of what can't be read at all, nothing more is said.
    fn doubt_all(&mut self) {
        self.doubts.arrays = true;
        self.doubts.hosts = true;
        self.doubts.bases = true;
    }

    fn nothing(&mut self, begin: &str) {
        let hint = Some(format!("begin with {begin}"));
        self.problems.push(Kind::Empty.at(None, String::new(), hint));
        self.doubt_all();
    }

    /// All but the version. A policy that stands in a scenario may do without arrays.
    fn top(
        &mut self,
        top: &Fields<'_>,
        arrays: impl FnOnce(&mut Self, &Fields<'_>) -> Vec<ArrayForm>,
    ) -> (PolicyFile, Shell) {
        let guest = self.optional(top, "guest", |reader, node| reader.name(node, "the name of a guest"));
        let arrays = arrays(self, top);
        let home = self.optional(top, "home", |reader, node| reader.name(node, "the name of an array"));
        self.doubts.home |= home.is_none() && top.get("home").is_some();
        let (indicators, probes) = self.indicators(top);
        let windows = self.windows(top);
        let (queues, jobs) = self.queues(top);
        let (sources, work) = jobs.into_iter().unzip();
        let rules = self.rules(top);
        let mut moves = self.moves(top);
        let actuator = self.actuator(top);
        let locator = self.locator(top, &mut moves);
        let hooks = self.hooks(top);
        let mode = self.mode(top);
        let metrics = self.metrics(top);
        let records = self.records(top);
        let state = self.state(top);
        let name = guest.as_ref().map(|guest| guest.value.clone());
        let shell = Shell {
            guest: name,
            probes,
            sources,
            work,
            actuator,
            locator,
            hooks,
            mode,
            metrics,
            records,
            state,
        };
        (PolicyFile { guest, arrays, home, indicators, windows, queues, rules, moves }, shell)
    }

    fn version(&mut self, top: &Fields<'_>) {
        if top.get("version").is_none() {
            // Of the whole file: at its beginning there may be a comment.
            let hint = Some("begin the file with `version: 1`".to_owned());
            self.problems.push(Kind::MissingKey { key: "version" }.at(None, "version".to_owned(), hint));
            return;
        }
        self.optional(top, "version", Self::version_word);
    }

    fn version_word(&mut self, node: &node::Node) -> Option<()> {
        let text = self.text(node, "`1`")?;
        if text != "1" {
            self.blame(Kind::Version { found: node::short(text) }, node.place);
        }
        Some(())
    }
}
