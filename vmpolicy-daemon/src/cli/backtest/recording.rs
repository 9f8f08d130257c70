//! Recordings that the command line names: files, or what a Prometheus answers.

use super::super::Exit;
use super::super::check::shown;
#[cfg(feature = "prometheus")]
use super::super::given::bytes;
use super::super::terminal::complain;
#[cfg(feature = "prometheus")]
use super::progress::Bar;
use super::{is_dash, span};
use crate::trace::{self, Columns, Pick, Traces};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use vmpolicy_core::time::{Span, Wall};

/// What stands before the address of a Prometheus.
const PROMETHEUS: &str = "prometheus:";

/// A recording.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Named<'a>(&'a OsStr);

/// How recordings are read.
#[derive(Debug, clap::Args)]
pub(crate) struct Reading {
    /// Only this series of the recording.
    #[arg(long, value_name = "NAME")]
    pub series: Option<String>,
    /// Other names of the columns, such as `timestamp=ts,value=cpu,series=host`; of a Prometheus' result,
    /// `series=LABEL` names the guests by that label.
    #[arg(long, value_name = "ROLE=NAME,..")]
    pub columns: Option<Columns>,
    /// The PromQL expression to record; each series of its result is a guest.
    #[arg(long, value_name = "PROMQL", help_heading = HEADING)]
    pub query: Option<String>,
    /// When the recording begins: RFC 3339, or seconds since the epoch.
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = moment, help_heading = HEADING)]
    pub start: Option<Wall>,
    /// When it ends [default: now].
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = moment, help_heading = HEADING)]
    pub end: Option<Wall>,
    /// How far apart its rows are: a span, or seconds [default: the polling interval].
    #[arg(long, value_name = "SPAN", value_parser = step, help_heading = HEADING)]
    pub step: Option<Span>,
    /// A file with a bearer token.
    #[arg(long, value_name = "FILE", conflicts_with = "basic_auth_file", help_heading = HEADING)]
    pub bearer_token_file: Option<PathBuf>,
    /// A file with `user:password`.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub basic_auth_file: Option<PathBuf>,
    /// Certificates to trust in place of the system's, as PEM.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub ca_file: Option<PathBuf>,
    /// How long the server has for an answer [default: 2m].
    #[arg(long, value_name = "SPAN", value_parser = span, help_heading = HEADING)]
    pub timeout: Option<Span>,
}

const HEADING: &str = "From a Prometheus";

fn moment(text: &str) -> Result<Wall, String> {
    trace::parse_time(text.as_bytes()).map(Wall).map_err(|why| why.to_string())
}

/// As promtool has it: `60s`, or `60`.
fn step(text: &str) -> Result<Span, String> {
    match text.parse::<f64>() {
        // Rounded to the millisecond; more than any step is saturated by the cast.
        Ok(seconds) if seconds > 0.0 => Ok(Span::from_millis((seconds * 1_000.0).round() as u64)),
        Ok(_) => Err("a step is more than 0".to_owned()),
        Err(_) => span(text),
    }
}

impl<'a> Named<'a> {
    /// By a value of `--trace`.
    pub(in crate::cli) const fn new(trace: &'a OsStr) -> Self {
        Self(trace)
    }

    fn server(self) -> Option<&'a str> {
        self.0.to_str()?.strip_prefix(PROMETHEUS)
    }

    /// The file, where it is one.
    pub(in crate::cli) fn file(self) -> Option<&'a Path> {
        match self.server() {
            Some(_) => None,
            None => Some(Path::new(self.0)),
        }
    }

    pub(in crate::cli) fn is_stdin(self) -> bool {
        self.file().is_some_and(is_dash)
    }
}

impl Reading {
    /// What a recording is called in what is printed.
    pub(in crate::cli) fn shown(&self, named: Named<'_>) -> String {
        match (named.server(), &self.query) {
            (Some(server), Some(query)) => format!("{server}: {query}"),
            _ => shown(Path::new(named.0)),
        }
    }

    /// Reads a recording. Where it has to be asked for, its rows are so far apart by default.
    pub(in crate::cli) fn read(&self, named: Named<'_>, apart: Span) -> Result<Traces, Exit> {
        let pick = self.series.as_deref().map_or(Pick::All, Pick::One);
        let traces = match named.server() {
            None => {
                if let Some(option) = self.first_of_a_server() {
                    complain(&format!(
                        "{option} is for a Prometheus: say --trace prometheus:http://HOST:9090"
                    ));
                    return Err(Exit::Usage);
                }
                let columns = self.columns.clone().unwrap_or_default();
                trace::read_path_with(Path::new(named.0), pick, &columns)
            }
            Some(server) => self.ask(server, pick, apart)?,
        };
        traces.map_err(|error| {
            complain(&format!("{}: {error}", self.shown(named)));
            error.exit()
        })
    }

    /// The first option that says something about a server.
    fn first_of_a_server(&self) -> Option<&'static str> {
        [
            (self.query.is_some(), "--query"),
            (self.start.is_some(), "--start"),
            (self.end.is_some(), "--end"),
            (self.step.is_some(), "--step"),
            (self.bearer_token_file.is_some(), "--bearer-token-file"),
            (self.basic_auth_file.is_some(), "--basic-auth-file"),
            (self.ca_file.is_some(), "--ca-file"),
            (self.timeout.is_some(), "--timeout"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }

    #[cfg(not(feature = "prometheus"))]
    fn ask(&self, _: &str, _: Pick<'_>, _: Span) -> Result<Result<Traces, trace::TraceError>, Exit> {
        complain("this program was built without the feature `prometheus`");
        Err(Exit::Usage)
    }

    #[cfg(feature = "prometheus")]
    fn ask(
        &self,
        server: &str,
        pick: Pick<'_>,
        apart: Span,
    ) -> Result<Result<Traces, trace::TraceError>, Exit> {
        use trace::prometheus::{Auth, Range, Server, read};
        let wrong = |message: &str| {
            complain(message);
            Exit::Usage
        };
        let url = server.parse().map_err(|error| wrong(&format!("--trace: {error}")))?;
        let query = self
            .query
            .clone()
            .ok_or_else(|| wrong("what to record? Say --query with a PromQL expression"))?;
        let start = self.start.ok_or_else(|| wrong("from when? Say --start with a time"))?;
        let label = match &self.columns {
            None => None,
            Some(columns) => {
                let others =
                    Columns { series: columns.series.clone(), series_is_named: true, ..Columns::default() };
                if *columns != others {
                    return Err(wrong("of a Prometheus' result, --columns names `series=LABEL` only"));
                }
                Some(columns.series.clone())
            }
        };
        let auth = match (&self.bearer_token_file, &self.basic_auth_file) {
            (Some(file), _) => Auth::Bearer(secret(file)?.into()),
            (None, Some(file)) => {
                let pair = secret(file)?;
                if !pair.contains(':') {
                    complain(&format!("{}: expected `user:password`", shown(file)));
                    return Err(Exit::No);
                }
                Auth::Basic(pair.into())
            }
            (None, None) => Auth::None,
        };
        let trust = self.ca_file.as_deref().map(bytes).transpose()?;
        let timeout = self.timeout.unwrap_or(Span::from_secs(120));
        let now = || Wall(jiff::Timestamp::now().as_millisecond());
        let end = self.end.unwrap_or_else(now);
        let range = Range { query, start, end, step: self.step.unwrap_or(apart), label };
        let bar = Bar::parts("queries");
        Ok(read(&Server { url, auth, trust, timeout }, &range, pick, |done, of| bar.at(done, of)))
    }
}

/// One line of a file that others may not see: without the end of the line.
#[cfg(feature = "prometheus")]
fn secret(file: &Path) -> Result<String, Exit> {
    let text = String::from_utf8(bytes(file)?).unwrap_or_default();
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() || text.contains(|c: char| c.is_control()) {
        complain(&format!("{}: expected one line of text", shown(file)));
        return Err(Exit::No);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_spans_or_seconds() {
        assert_eq!(step("60"), Ok(Span::from_secs(60)));
        assert_eq!(step("0.5"), Ok(Span::from_millis(500)));
        assert_eq!(step("5m"), Ok(Span::from_secs(300)));
        assert!(step("0").is_err() && step("-1").is_err() && step("NaN").is_err() && step("x").is_err());
    }
}
