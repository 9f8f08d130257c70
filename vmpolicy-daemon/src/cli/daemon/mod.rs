//! The commands that speak with the running daemon.

pub mod history;
pub mod operate;
pub mod status;
pub mod watch;
pub mod why;
mod words;
mod work;

use super::terminal::{complain, print_to_reader as show};
use super::{Exit, Format};
use crate::control::{CONTROL, Client, ClientError, Request, STATUS, Told, default_dir};
use serde::de::DeserializeOwned;
use std::io::{self, Write};
use std::path::PathBuf;

/// How to reach the daemon, and how to print what it says.
#[derive(Clone, Debug, clap::Args)]
pub struct Reach {
    /// The daemon's socket, or the folder that it is in [default: $RUNTIME_DIRECTORY, else /run/vmpolicy].
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl Reach {
    fn path(&self, only_reads: bool) -> PathBuf {
        let at = self.socket.clone().unwrap_or_else(default_dir);
        if self.socket.is_some() && !at.is_dir() {
            return at;
        }
        at.join(if only_reads { STATUS } else { CONTROL })
    }

    /// Connects with the socket that takes such requests.
    fn connect(&self, only_reads: bool) -> Result<Client, Exit> {
        Client::connect(&self.path(only_reads)).map_err(|error| blame(&error))
    }

    fn ask<T: DeserializeOwned>(&self, request: &Request, key: &str) -> Result<Told<T>, Exit> {
        let mut client = self.connect(request.only_reads())?;
        client.ask(request, key).map_err(|error| blame(&error))
    }
}

/// Says why there is no answer, or that it is no.
fn blame(error: &ClientError) -> Exit {
    complain(&error.to_string());
    let say = |words: &str| {
        let _ = writeln!(io::stderr().lock(), "  {words}");
    };
    match error {
        ClientError::Unreachable { source, .. } => {
            match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    say("you may not use this socket: be root, or of its group (`ls -l` shows which);");
                    say("`vmpolicy status`, `why`, `history` and `watch` are for everybody, at status.sock");
                }
                _ => {
                    say("does vmpolicyd run? `systemctl status vmpolicyd`, or `pgrep -a vmpolicyd`");
                    say("was it started with `--control DIR`? then say `--socket DIR` here");
                }
            }
            Exit::Outside
        }
        ClientError::Broken { .. } | ClientError::Strange { .. } => Exit::Outside,
        ClientError::Refused(refusal) => {
            for line in &refusal.details {
                say(line);
            }
            if let Some(hint) = &refusal.hint {
                say(hint);
            }
            if refusal.code.is_no() { Exit::No } else { Exit::Outside }
        }
    }
}

fn ended(result: Result<bool, Exit>) -> Exit {
    result.map_or_else(|exit| exit, |_| Exit::Done)
}
