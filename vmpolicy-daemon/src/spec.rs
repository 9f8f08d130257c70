//! What a policy file says to the shell (local until the file layer lands).
#![expect(missing_docs, reason = "placeholder until the core's file layer lands")]

use vmpolicy_core::time::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeSpec {
    Mysql {
        status: String,
        address: MysqlAddress,
        user: Option<String>,
        password_file: Option<String>,
        timeout: Span,
    },
    File {
        path: String,
    },
    Exec {
        argv: Vec<String>,
        timeout: Span,
    },
    Psi {
        resource: PsiResource,
        full: bool,
        avg_secs: u16,
    },
    Steal,
    Load {
        avg_mins: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MysqlAddress {
    Socket(String),
    Tcp { host: String, port: u16 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsiResource {
    Cpu,
    Memory,
    Io,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActuatorSpec {
    Exec { argv: Vec<String>, timeout: Span },
    Embedded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocatorSpec {
    Assume(String),
    File { path: String },
    Exec { argv: Vec<String>, timeout: Span },
}
