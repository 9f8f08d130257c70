//! Locators: where the guest is.

mod exec;
mod file;
#[cfg(feature = "http")]
mod http;
mod network;

pub use exec::ExecLocator;
pub use file::FileLocator;
#[cfg(feature = "http")]
pub use http::HttpLocator;
pub use network::NetworkLocator;

use crate::board::Plight;
use crate::probe::PROC;
use std::time::Duration;
use vmpolicy_core::file::LocatorSpec;
use vmpolicy_core::ports::Locator;

/// Host names are not longer (RFC 1123, section 2.1, allows 255).
const NAME_BYTES_MAX: usize = 255;

/// Makes the locator of a policy file; None where the file only says where the guest starts.
#[must_use]
pub fn make(spec: &LocatorSpec, guest: &str, plight: Plight) -> Option<Box<dyn Locator>> {
    let told = Told { failing: false, plight };
    match spec {
        LocatorSpec::File { path } => Some(Box::new(FileLocator::new(path, told))),
        LocatorSpec::Exec { argv, timeout } => {
            let argv = argv.iter().map(|arg| crate::argv::filled(arg, &[("guest", guest)])).collect();
            Some(Box::new(ExecLocator::new(argv, Duration::from_millis(timeout.millis()), told)))
        }
        LocatorSpec::Http { .. } => Some(by_http(spec, told)),
        LocatorSpec::Network { hosts } => {
            let hosts = hosts.iter().map(|(host, networks)| {
                (host.value.clone(), networks.iter().map(|network| network.value).collect())
            });
            Some(Box::new(NetworkLocator::new(PROC, hosts.collect(), told)))
        }
        LocatorSpec::Assume(_) => None,
        _ => Some(Unable::boxed("this program does not know such a locator", told)),
    }
}

#[cfg(feature = "http")]
fn by_http(spec: &LocatorSpec, told: Told) -> Box<dyn Locator> {
    let LocatorSpec::Http { pointer, hosts, web } = spec else {
        return Unable::boxed("this program does not know such a locator", told);
    };
    let hosts = hosts.iter().map(|(answer, host)| (answer.clone(), host.value.clone())).collect();
    match HttpLocator::new(web, pointer.clone(), hosts, told.clone()) {
        Ok(locator) => Box::new(locator),
        Err(fault) => Unable::boxed(format!("its address: {fault}"), told),
    }
}

#[cfg(not(feature = "http"))]
fn by_http(_: &LocatorSpec, told: Told) -> Box<dyn Locator> {
    Unable::boxed("this program was built without the `http` locator", told)
}

/// One that can't tell, and says why.
struct Unable {
    why: String,
    told: Told,
}

impl Unable {
    fn boxed(why: impl Into<String>, told: Told) -> Box<dyn Locator> {
        Box::new(Self { why: why.into(), told })
    }
}

impl Locator for Unable {
    fn locate(&mut self) -> Option<String> {
        self.told.note(Err(self.why.clone()))
    }
}

/// The first word of a text, where it can be a host's name.
fn first_word(text: &[u8]) -> Option<String> {
    let word = text.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    name(std::str::from_utf8(word).ok()?)
}

/// A text, where it can be a host's name.
fn name(text: &str) -> Option<String> {
    let can = (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    can.then(|| text.to_owned())
}

/// Says once per change whether the location can be told, and each time to whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Told {
    failing: bool,
    plight: Plight,
}

impl Told {
    fn note(&mut self, found: Result<String, String>) -> Option<String> {
        self.note_printed(found, "")
    }

    /// The same, with what a program has printed, which may be anything, for the log alone.
    fn note_printed(&mut self, found: Result<String, String>, printed: &str) -> Option<String> {
        let failing = found.is_err();
        let before = if printed.is_empty() { "" } else { ": " };
        match &found {
            Err(words) => self.plight.note(words),
            Ok(_) => self.plight.well(),
        }
        match &found {
            Err(words) if !self.failing => {
                tracing::warn!("the locator can't tell: {words}{before}{printed}");
            }
            Ok(host) if self.failing => tracing::info!("the locator tells again: {host}"),
            _ => {}
        }
        self.failing = failing;
        found.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmpolicy_core::time::Span;

    #[test]
    fn a_name_is_one_sound_word() {
        assert_eq!(first_word(b"\n mln3.example \nmore").as_deref(), Some("mln3.example"));
        assert_eq!(first_word(b""), None);
        assert_eq!(first_word(b" \n\t"), None);
        assert_eq!(first_word(b"\xff\xfe"), None);
        assert_eq!(first_word(b"\0\0"), None);
        assert_eq!(first_word(&[b'm'; 256]), None);
    }

    #[test]
    fn files_and_programs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("location");
        let mut locator = FileLocator::new(&path, Told::default());
        assert_eq!(locator.locate(), None);
        std::fs::write(&path, "mln2\n").unwrap();
        assert_eq!(locator.locate().as_deref(), Some("mln2"));
        std::fs::write(&path, vec![b'm'; 3_000_000]).unwrap();
        assert_eq!(locator.locate(), None);
        std::fs::write(&path, "").unwrap();
        assert_eq!(locator.locate(), None);

        let exec = |script: &str| {
            let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
            make(&LocatorSpec::Exec { argv, timeout: Span::from_millis(300) }, "nii3", Plight::default())
                .and_then(|mut locator| locator.locate())
        };
        assert_eq!(exec("echo at-{guest}").as_deref(), Some("at-nii3"));
        assert_eq!(exec("echo mln1; exit 1"), None);
        assert_eq!(exec("echo mln1; sleep 100"), None);
        assert_eq!(exec("true"), None);
        assert!(make(&LocatorSpec::Assume("mln1".to_owned()), "nii3", Plight::default()).is_none());
    }
}
