//! Queues at which nobody works, and jobs whose output is lost: what the policy and the shell's part say only together.

use super::shell::Shell;
use crate::policy::PolicyFile;
use crate::policy::lint::{Warning, WarningKind};

/// A warning for each queue that says half of what is needed.
pub(super) fn queues(file: &PolicyFile, shell: &Shell) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let forms = file.queues.iter().zip(&shell.sources).zip(&shell.work);
    for ((form, source), work) in forms {
        let queue = form.name.value.clone();
        let mut warn = |key: &str, kind, place| {
            let path = format!("queues.{}.{key}", form.name.value);
            warnings.push(Warning { path, kind, place, labels: Vec::new() });
        };
        match (source, &work.run) {
            // For backtests and simulations only.
            (None, None) => {}
            (Some(source), None) => warn("run", WarningKind::NotRun { queue }, source.place),
            (None, Some(run)) => warn("source", WarningKind::NoSource { queue }, run.place),
            (Some(_), Some(run)) if run.value.output.is_none() => {
                warn("run.output", WarningKind::OutputLost { queue }, run.place);
            }
            (Some(_), Some(_)) => {}
        }
    }
    warnings
}
