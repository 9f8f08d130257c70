//! Where records go and where the state is kept, as sentences.

use super::parts::shown;
use super::words::number;
use vmpolicy_core::file::{JOURNAL_SOCKET, KeepSpec, RecordPlace, Shell, StateSpec, WhenFull};

/// Each place of the records, and that of the state.
pub(super) fn sentences(shell: &Shell) -> Vec<String> {
    let mut says: Vec<String> = shell.records.iter().map(|place| records(&place.value)).collect();
    if says.is_empty() {
        says.push(
            "Records go where `vmpolicyd --records` says; without that, to standard output.".to_owned(),
        );
    } else {
        says.push("No request leaves before each of these has the record of it; `vmpolicyd --records` names one more.".to_owned());
    }
    says.push(match shell.state.as_ref().map(|state| &state.value) {
        None => "The state is kept in the daemon's own folder, on the guest's disk (`vmpolicyd --state`).".to_owned(),
        Some(StateSpec::Http { web }) => format!(
            "The state is kept in the daemon's own folder and at {}: without that server nothing is decided at a start, and nothing is asked for.",
            shown(&web.url)
        ),
        Some(_) => "The state is kept in a way that this program does not know.".to_owned(),
    });
    says
}

fn records(place: &RecordPlace) -> String {
    match place {
        RecordPlace::Journal { socket } if socket == JOURNAL_SOCKET => {
            "Records go to the system's journal.".to_owned()
        }
        RecordPlace::Journal { socket } => format!("Records go to the journal that listens at {socket}."),
        RecordPlace::File { path } => format!("Records go to the file {path}."),
        RecordPlace::Tcp { tls, keep, .. } => {
            let how = if tls.is_some() { "by TLS" } else { "in the clear" };
            format!("Records go to the collector at {}, {how}. {}", place.address(), kept(*keep))
        }
        RecordPlace::Http { keep, .. } => {
            format!("Records go to the collector at {}. {}", place.address(), kept(*keep))
        }
        _ => "Records go to a place of a kind that this program does not know.".to_owned(),
    }
}

/// What becomes of records while a collector is away.
fn kept(keep: KeepSpec) -> String {
    let room = number(keep.bytes_max as f64, Some("B"));
    let full = match keep.full {
        WhenFull::Wait => "when that is full, nothing is asked for until it has taken some",
        WhenFull::Drop => "when that is full, the oldest are lost",
    };
    let required = if keep.required {
        " The guest goes to another array only when it has them all."
    } else {
        " Before the guest goes to another array it is given what there is, if it takes it."
    };
    format!("While it is away, {room} of them are kept on disk; {full}.{required}")
}
