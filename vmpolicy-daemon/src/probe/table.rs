//! The table of probes: from what a policy file says to something that can be read.

use super::redis::INFO_BYTES_MAX;
use super::{
    ExecProbe, FileProbe, LoadProbe, LoadSpan, Named, PROC, PsiAverage, PsiKind, PsiProbe, RedisProbe,
    Source, StealProbe,
};
use crate::argv::filled;
use crate::board::Plight;
use crate::redis::Server;
use crate::stream::NoTls;
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
    /// The address of a server is none.
    #[cfg(feature = "http")]
    #[error("its address: {0}")]
    Url(#[from] vmpolicy_core::file::UrlFault),
    /// The program was built without TLS.
    #[error(transparent)]
    NoTls(#[from] NoTls),
    /// It is of a later version of the policy file.
    #[error("this program does not know such a probe")]
    Unknown,
}

/// Whether a probe reads only what the kernel has in its memory, so that nothing can keep it waiting.
#[must_use]
pub const fn is_at_hand(spec: &ProbeSpec) -> bool {
    matches!(spec, ProbeSpec::Load { .. } | ProbeSpec::Psi { .. } | ProbeSpec::Steal)
}

/// Makes the probe of an indicator, which tells `plight` whether it can read.
///
/// # Errors
///
/// Where this program has no such probe.
pub fn make(
    indicator: &str,
    guest: &str,
    spec: &ProbeSpec,
    plight: Plight,
) -> Result<Box<dyn Probe>, MakeError> {
    let proc = Path::new(PROC);
    let source: Box<dyn Source> = match spec {
        ProbeSpec::Apache { .. }
        | ProbeSpec::Http { .. }
        | ProbeSpec::Nginx { .. }
        | ProbeSpec::Prometheus { .. } => by_http(spec)?,
        ProbeSpec::Mysql { .. } => mysql(spec)?,
        ProbeSpec::Postgres { .. } => postgres(spec)?,
        ProbeSpec::Redis { read, server } => {
            Box::new(RedisProbe::new(read.clone(), Server::new(server, INFO_BYTES_MAX)?))
        }
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
    Ok(Box::new(Named::new(indicator, source, plight)))
}

#[cfg(feature = "http")]
fn by_http(spec: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    use super::{ApacheProbe, HttpProbe, NginxProbe, PrometheusProbe};
    Ok(match spec {
        ProbeSpec::Apache { field, web } => Box::new(ApacheProbe::new(field, web)?),
        ProbeSpec::Nginx { field, web } => Box::new(NginxProbe::new(*field, web)?),
        ProbeSpec::Prometheus { query, web } => Box::new(PrometheusProbe::new(query, web)?),
        ProbeSpec::Http { pointer, method, body, web } => {
            Box::new(HttpProbe::new(pointer.as_deref(), *method, body.as_deref(), web)?)
        }
        _ => return Err(MakeError::Unknown),
    })
}

#[cfg(not(feature = "http"))]
fn by_http(_: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    Err(MakeError::NotBuilt("http"))
}

#[cfg(feature = "mysql")]
fn mysql(spec: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    use super::{MysqlOptions, MysqlProbe};
    let ProbeSpec::Mysql { status, address, login, timeout } = spec else {
        return Err(MakeError::Unknown);
    };
    let user = login.user.clone().or_else(|| variable(USER_VARIABLE)).unwrap_or_else(own_user);
    Ok(Box::new(MysqlProbe::new(MysqlOptions {
        status: status.clone(),
        address: address.try_into()?,
        user,
        password: login.password.as_ref().map(Into::into),
        limit: Duration::from_millis(timeout.millis()),
    })))
}

#[cfg(not(feature = "mysql"))]
fn mysql(_: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    Err(MakeError::NotBuilt("mysql"))
}

#[cfg(feature = "postgres")]
fn postgres(spec: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    use super::{PostgresOptions, PostgresProbe};
    let ProbeSpec::Postgres { query, address, login, database, timeout } = spec else {
        return Err(MakeError::Unknown);
    };
    Ok(Box::new(PostgresProbe::new(PostgresOptions {
        query: query.clone(),
        address: address.try_into()?,
        user: login.user.clone().unwrap_or_else(own_user),
        database: database.clone(),
        password: login.password.as_ref().map(Into::into),
        limit: Duration::from_millis(timeout.millis()),
    })))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &ProbeSpec) -> Result<Box<dyn Source>, MakeError> {
    Err(MakeError::NotBuilt("postgres"))
}

/// As the servers' own clients do it: who runs the program. `USER` is what systemd sets for a service.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn own_user() -> String {
    variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "root".to_owned())
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
