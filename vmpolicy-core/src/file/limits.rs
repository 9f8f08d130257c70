//! Time-outs that never come: a probe that is late before it times out, or that nothing ends.
//!
//! The policy says what a time-out means, and the shell's part how long a probe may take; only a file has both.

use super::shell::{ProbeSpec, Shell};
use crate::policy::lint::{Warning, WarningKind};
use crate::policy::{OnTimeout, Policy, PolicyFile};
use crate::time::Span;

/// A warning for each indicator whose time-outs some rule waits for in vain.
pub(super) fn never_time_out(file: &PolicyFile, policy: &Policy, shell: &Shell) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let forms = file.indicators.iter().zip(&shell.probes);
    for ((form, probe), (id, indicator)) in forms.zip(policy.indicators().iter()) {
        let Some(probe) = probe else { continue };
        let limit = limit(&probe.value);
        let waited_for = indicator.timeout == OnTimeout::Breach
            && policy.rules().ids().any(|rule| policy.breaks_on_timeout(rule, id));
        if waited_for && limit.is_none_or(|limit| limit >= indicator.every) {
            let (name, every) = (indicator.name.clone(), indicator.every);
            warnings.push(Warning {
                path: format!("indicators.{name}.timeout"),
                kind: WarningKind::NeverTimesOut { indicator: name, limit, every },
                place: form.timeout.as_ref().and_then(|timeout| timeout.place),
                labels: Vec::new(),
            });
        }
    }
    warnings
}

/// How long a probe may take, where anything ends it.
const fn limit(probe: &ProbeSpec) -> Option<Span> {
    match probe {
        ProbeSpec::Mysql { timeout, .. }
        | ProbeSpec::Postgres { timeout, .. }
        | ProbeSpec::Exec { timeout, .. } => Some(*timeout),
        ProbeSpec::Redis { server, .. } => Some(server.timeout),
        ProbeSpec::Apache { web, .. }
        | ProbeSpec::Http { web, .. }
        | ProbeSpec::Nginx { web, .. }
        | ProbeSpec::Prometheus { web, .. } => Some(web.timeout),
        ProbeSpec::File { .. } | ProbeSpec::Psi { .. } | ProbeSpec::Steal | ProbeSpec::Load { .. } => None,
    }
}
