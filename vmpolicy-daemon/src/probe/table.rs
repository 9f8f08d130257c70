//! The table of probes: from what a policy file says to something that can be read.

use super::{
    ExecProbe, FileProbe, LoadProbe, LoadSpan, Named, PROC, PsiAverage, PsiKind, PsiProbe, Source, StealProbe,
};
use crate::argv::filled;
use std::path::Path;
use std::time::Duration;
use vmpolicy_core::file::{ProbeSpec, PsiResource};
use vmpolicy_core::ports::Probe;

/// The environment variable that names the user of the `mysql` probes that have no `user`.
pub const USER_VARIABLE: &str = "VMPOLICY_MYSQL_USER";

/// Why a probe can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// The program was built without it.
    #[error("this program was built without the `{0}` probe")]
    NotBuilt(&'static str),
    /// It is of a later version of the policy file.
    #[error("this program does not know such a probe")]
    Unknown,
}

/// Makes the probe of an indicator.
///
/// # Errors
///
/// Where this program has no such probe.
pub fn make(indicator: &str, guest: &str, spec: &ProbeSpec) -> Result<Box<dyn Probe>, MakeError> {
    let proc = Path::new(PROC);
    let source: Box<dyn Source> = match spec {
        ProbeSpec::Mysql { .. } => mysql(spec)?,
        ProbeSpec::File { path } => Box::new(FileProbe::new(path)),
        ProbeSpec::Exec { argv, timeout } => {
            let argv = argv.iter().map(|arg| filled(arg, &[("guest", guest)])).collect();
            Box::new(ExecProbe::new(argv, Duration::from_millis(timeout.millis())))
        }
        ProbeSpec::Psi { resource, full, avg_secs } => {
            let kind = if *full { PsiKind::Full } else { PsiKind::Some };
            let average = match avg_secs {
                300 => PsiAverage::Seconds300,
                60 => PsiAverage::Seconds60,
                _ => PsiAverage::Seconds10,
            };
            let resource = match resource {
                PsiResource::Cpu => super::PsiResource::Cpu,
                PsiResource::Memory => super::PsiResource::Memory,
                PsiResource::Io => super::PsiResource::Io,
            };
            Box::new(PsiProbe::new(proc, resource, kind, average))
        }
        ProbeSpec::Steal => Box::new(StealProbe::new(proc)),
        ProbeSpec::Load { avg_mins } => {
            let span = match avg_mins {
                15 => LoadSpan::Fifteen,
                5 => LoadSpan::Five,
                _ => LoadSpan::One,
            };
            Box::new(LoadProbe::new(proc, span))
        }
        _ => return Err(MakeError::Unknown),
    };
    Ok(Box::new(Named::new(indicator, source)))
}

#[cfg(feature = "mysql")]
fn mysql(spec: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    use super::{MysqlAddress, MysqlOptions, MysqlProbe};
    let ProbeSpec::Mysql { status, address, user, password_file, timeout } = spec else {
        return Err(MakeError::Unknown);
    };
    let address = match address {
        vmpolicy_core::file::MysqlAddress::Socket(path) => MysqlAddress::Socket(path.into()),
        vmpolicy_core::file::MysqlAddress::Tcp { host, port } => MysqlAddress::Tcp(host.clone(), *port),
    };
    Ok(Box::new(MysqlProbe::new(MysqlOptions {
        status: status.clone(),
        address,
        user: user.clone().unwrap_or_else(default_user),
        password_file: password_file.as_ref().map(Into::into),
        limit: Duration::from_millis(timeout.millis()),
    })))
}

/// As the server's own client does it: who runs the program. `USER` is what systemd sets for a service.
#[cfg(feature = "mysql")]
fn default_user() -> String {
    [USER_VARIABLE, "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "root".to_owned())
}

#[cfg(not(feature = "mysql"))]
fn mysql(_: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    Err(MakeError::NotBuilt("mysql"))
}
