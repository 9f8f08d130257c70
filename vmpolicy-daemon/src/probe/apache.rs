//! `apache`: a line of the status page that `mod_status` makes for programs.

use super::web::Web;
use super::{Failure, Source};
use crate::number::only_number;
use vmpolicy_core::file::{UrlFault, WebSpec};
use vmpolicy_core::input::Absence;

/// The value of one line, `Key: value`, of `server-status?auto`
/// (<https://httpd.apache.org/docs/2.4/mod/mod_status.html>).
pub struct ApacheProbe {
    field: String,
    web: Web,
}

impl ApacheProbe {
    /// A probe of this line. Where the address has no query, `?auto` is put behind it.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(field: impl Into<String>, spec: &WebSpec) -> Result<Self, UrlFault> {
        let auto = if spec.url.contains('?') { "" } else { "?auto" };
        let url = format!("{}{auto}", spec.url).parse()?;
        Ok(Self { field: field.into(), web: Web::at(spec, url) })
    }
}

impl Source for ApacheProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let page = self.web.get()?;
        let shown = self.web.url().shown();
        value(&page, &self.field).map_err(|(absence, why)| {
            Failure::new(absence, format!("{shown}: {why}", why = why.replace("{}", &self.field)))
        })
    }
}

fn value(page: &[u8], field: &str) -> Result<f64, (Absence, &'static str)> {
    if page.trim_ascii_start().starts_with(b"<") {
        return Err((Absence::Unparsable, "a page for people; the one for programs ends in `?auto`"));
    }
    for line in page.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line[..colon].trim_ascii().eq_ignore_ascii_case(field.as_bytes()) {
            return only_number(&line[colon + 1..]).map_err(|absence| (absence, "`{}` is not a number"));
        }
    }
    Err((Absence::Missing, "no line `{}` (some need `ExtendedStatus On`)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_status_page() {
        let page = b"localhost\nServerVersion: Apache/2.4.62 (Debian)\nParentServerMPMGeneration: 0\n\
            Total Accesses: 17\nCPULoad: .0112\nReqPerSec: .5e1\nBusyWorkers: 1\r\nIdleWorkers: 49\n\
            Scoreboard: _W__\nCacheUsage: -nan\nEmpty:\n";
        let read = |field: &str| value(page, field).map_err(|(absence, _)| absence);
        assert_eq!(read("IdleWorkers"), Ok(49.0));
        assert_eq!(read("idleworkers"), Ok(49.0));
        assert_eq!(read("BusyWorkers"), Ok(1.0));
        assert_eq!(read("Total Accesses"), Ok(17.0));
        assert_eq!(read("CPULoad"), Ok(0.0112));
        assert_eq!(read("ReqPerSec"), Ok(5.0));
        assert_eq!(read("Scoreboard"), Err(Absence::Unparsable));
        assert_eq!(read("ServerVersion"), Err(Absence::Unparsable));
        assert_eq!(read("CacheUsage"), Err(Absence::NotFinite));
        assert_eq!(read("Empty"), Err(Absence::Missing));
        assert_eq!(read("Idle"), Err(Absence::Missing));
        assert_eq!(
            value(b"<!DOCTYPE html>IdleWorkers: 3\n", "IdleWorkers").unwrap_err().0,
            Absence::Unparsable
        );
        assert_eq!(value(b"", "IdleWorkers").unwrap_err().0, Absence::Missing);
    }
}
