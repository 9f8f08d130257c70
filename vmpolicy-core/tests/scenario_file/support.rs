//! Files for tests, and problems as text.

#![expect(clippy::disallowed_methods, reason = "the examples are files")]

use crate::shared::TwoZones;
use crate::shared::problems::draw;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::scenario::{Built, Faulty, Files, Recording, Told, load};
use vmpolicy_core::time::Wall;

/// A sound policy for `mln1` to `mln3`, with the base `mln6`.
pub(crate) const POLICY: &str = "version: 1
arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }
indicators: { slow_queries: { every: 60s, read: delta } }
rules:
  - { name: overloaded, when: slow_queries > 50, tarry: 3, do: move }
  - { name: idle, when: slow_queries < 1, tarry: 20, do: move-to-base }
";

/// Files in memory: a policy, one that is broken, one of other hosts, a recording, a folder.
pub(crate) struct Shelf(BTreeMap<String, Vec<u8>>);

impl Shelf {
    pub(crate) fn new() -> Self {
        let files = [
            ("policy.yaml", POLICY.to_owned()),
            ("broken.yaml", POLICY.replace("do: move }", "do: mvoe }")),
            ("unwise.yaml", POLICY.replace("base: mln6 }", "base: mln6, price: { host: 1, base: 2 } }")),
            ("others.yaml", POLICY.replace("mln3", "mln4").replace("base: mln6", "base: mln5")),
            ("day/b c", "10\n20\n".to_owned()),
            ("day/a", "30\n".to_owned()),
            ("day/z", "all\n".to_owned()),
        ];
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect())
    }
}

impl Files for Shelf {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn recording(&mut self, path: &str, series: Option<&str>) -> Result<Recording, String> {
        match (path, series) {
            ("load.csv", None | Some("db1")) => Ok(rows(5.0)),
            ("below.csv", _) => Ok(rows(-2.0)),
            ("gaps.csv", _) => {
                Ok(Recording { mended: vec!["3 rows without a value".to_owned()], ..rows(5.0) })
            }
            ("load.csv", Some(other)) => Err(format!("it has no series `{other}`")),
            ("empty.csv", _) => Ok(Recording::default()),
            _ => Err("there is no such file".to_owned()),
        }
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, String> {
        let start = format!("{path}/");
        let names: Vec<String> =
            self.0.keys().filter_map(|name| name.strip_prefix(&start)).map(str::to_owned).collect();
        if names.is_empty() { Err("there is no such folder".to_owned()) } else { Ok(names) }
    }
}

fn rows(first: f64) -> Recording {
    Recording { rows: vec![(Wall(1_000), first), (Wall(61_000), 7.0)], mended: Vec::new() }
}

/// Files of the examples' folder.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    pub(crate) fn examples() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/scenarios"))
    }
}

impl Files for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|error| error.to_string())
    }

    fn recording(&mut self, path: &str, _: Option<&str>) -> Result<Recording, String> {
        Err(format!("{path}: no example has a recording"))
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, String> {
        Err(format!("{path}: no example has a folder"))
    }
}

pub(crate) fn loaded(text: &str) -> Result<Built, Faulty> {
    load(text.as_bytes(), &TwoZones, &mut Shelf::new())
}

/// Every problem of a text as a reader would see it, errors or else warnings; its policies' after its own.
pub(crate) fn told(text: &[u8], files: &mut dyn Files) -> String {
    let (problems, policies) = match load(text, &TwoZones, files) {
        Ok(built) => (built.warnings, built.policies),
        Err(faulty) => (faulty.problems, faulty.policies),
    };
    let shown = String::from_utf8_lossy(text);
    let mut told: String = problems.iter().map(|problem| draw(&shown, problem)).collect();
    for Told { path, text, problems } in policies {
        told += &format!("in {path}:\n");
        let shown = String::from_utf8_lossy(&text);
        told.extend(problems.iter().map(|problem| draw(&shown, problem)));
    }
    told
}
