//! Passwords and tokens that go to another machine in the clear.

use super::shell::{ProbeSpec, QueueSource, Shell};
use crate::policy::lint::{Warning, WarningKind};
use crate::policy::{Place, PolicyFile};

/// A warning for each probe and each source of jobs whose secret everybody on the way can read.
pub(super) fn shown(file: &PolicyFile, shell: &Shell) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |path: String, host: Option<&str>, place: Option<Place>| {
        if let Some(host) = host {
            let kind = WarningKind::InTheClear { host: host.to_owned() };
            warnings.push(Warning { path, kind, place, labels: Vec::new() });
        }
    };
    for (form, probe) in file.indicators.iter().zip(&shell.probes) {
        let Some(probe) = probe else { continue };
        let host = match &probe.value {
            ProbeSpec::Redis { server, .. } => server.shows_secret_to(),
            ProbeSpec::Apache { web, .. }
            | ProbeSpec::Http { web, .. }
            | ProbeSpec::Nginx { web, .. }
            | ProbeSpec::Prometheus { web, .. } => web.shows_secret_to(),
            // Those prove their passwords, and show them to nobody; or have none.
            ProbeSpec::Mysql { .. }
            | ProbeSpec::Postgres { .. }
            | ProbeSpec::File { .. }
            | ProbeSpec::Exec { .. }
            | ProbeSpec::Psi { .. }
            | ProbeSpec::Steal
            | ProbeSpec::Load { .. } => None,
        };
        warn(format!("indicators.{}.probe", form.name.value), host, probe.place);
    }
    for (form, source) in file.queues.iter().zip(&shell.sources) {
        let Some(source) = source else { continue };
        let host = match &source.value {
            QueueSource::Redis { server, .. } => server.shows_secret_to(),
            QueueSource::Http(web) => web.shows_secret_to(),
            QueueSource::Directory { .. } => None,
        };
        warn(format!("queues.{}.source", form.name.value), host, source.place);
    }
    warnings
}
