//! A policy with a `conf.d` beside it, as every command reads it.

#![expect(clippy::unwrap_used, reason = "a test ends where something it needs is missing")]

#[path = "common/folder.rs"]
mod folder;

use folder::Folder;
use serde_json::Value;
use std::fs;

const POLICY: &str = "\
version: 1
guest: nii3
arrays:
  oslo: { hosts: [mln1, mln2], base: mln6 }
indicators:
  slow: { every: 60s, read: delta }
rules:
  - { name: busy, when: slow > 50, tarry: 3, do: move }
";
const SITE: &str = "\
# The site's own part.
actuator: { exec: { argv: [/usr/local/bin/ask, \"{to}\"] } }
locator: { file: /run/vmpolicy/host }
";
const TRACE: &str = "timestamp,value\n0,0\n60,100\n120,200\n180,300\n240,400\n";

/// A folder as `/etc/vmpolicy` is, with these files in its `conf.d`.
fn folder(words: &'static [&'static str], parts: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(words, &[("vmpolicy.yaml", POLICY), ("trace.csv", TRACE)]);
    fs::create_dir(folder.dir.path().join("conf.d")).unwrap();
    for (name, content) in parts {
        folder.put(&format!("conf.d/{name}"), content);
    }
    folder
}

#[test]
fn the_folder_is_read_with_the_file_by_every_command() {
    let window = "windows: { office: { hours: 09:00-16:00, zone: UTC } }\n";
    let folder = folder(&[], &[("20-window.yaml", window), ("10-site.yml", SITE)]);
    for name in ["vmpolicy.yaml", "."] {
        let (out, err) = folder.told(&["check", name], 0);
        assert!(out.contains("vmpolicy.yaml: ok, 1 warning (1 rule, 1 window)"), "{out}{err}");
        assert!(out.contains("conf.d/20-window.yaml:1:12"), "the window that nothing uses: {out}");
        let (out, _) = folder.told(&["explain", name, "--format", "json"], 0);
        let explained: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(explained["windows"].as_array().map(Vec::len), Some(1), "{out}");
        assert_eq!(explained["warnings"][0]["line"], 1, "{out}");
        assert!(
            explained["warnings"][0]["file"].as_str().unwrap().ends_with("conf.d/20-window.yaml"),
            "{out}"
        );
        folder.told(&["backtest", name, "--trace", "trace.csv"], 0);
    }
    // One of another name is another policy, with the same site.
    folder.put("other.yaml", POLICY.replace("> 50", "> 5"));
    assert!(folder.told(&["check", "other.yaml"], 0).0.contains("1 window"));
    // From standard input comes a policy that stands nowhere.
    let mut command = folder.command(&["check", "-"]);
    command.stdin(fs::File::open(folder.dir.path().join("vmpolicy.yaml")).unwrap());
    assert!(String::from_utf8(command.output().unwrap().stdout).unwrap().ends_with("<stdin>: ok (1 rule)\n"));
}

#[test]
fn errors_are_drawn_in_the_file_where_they_are() {
    let folder = folder(
        &["check"],
        &[
            ("10-site.yaml", SITE),
            (
                "20-more.yaml",
                "indicators:\n  load: { probe: { load: {} }, every: 5s }\n  slow: { every: 1s }\nlocator: { asume: mln1 }\n",
            ),
            ("30-rules.yaml", "rules:\n  - { name: idle, when: laod < 1, tarry: 20, do: move-to-base }\n"),
        ],
    );
    let (out, err) = folder.told(&["vmpolicy.yaml"], 1);
    insta::assert_snapshot!(format!("{out}--- stderr\n{err}"));
    let (out, _) = folder.told(&["vmpolicy.yaml", "--format", "json"], 1);
    let told: Value = serde_json::from_str(&out).unwrap();
    let problems = told[0]["problems"].as_array().unwrap();
    let slow = problems.iter().find(|problem| problem["path"] == "indicators").unwrap();
    assert_eq!((&slow["file"], &slow["line"]), (&"conf.d/20-more.yaml".into(), &3.into()), "{slow}");
    // The policy file itself needs no name: it is that of the whole answer.
    assert_eq!((slow["labels"][0].get("file"), &slow["labels"][0]["line"]), (None, &6.into()), "{slow}");
}

#[test]
fn what_editors_and_packages_leave_behind_is_no_part() {
    let left = ["10.yaml~", "10.yaml.bak", ".10.yaml.swp", ".10.yaml", "10.yaml.dpkg-dist", "README"];
    let folder = folder(&["check"], &left.map(|name| (name, "nonsense")));
    fs::create_dir(folder.dir.path().join("conf.d/old.yaml")).unwrap();
    assert_eq!(folder.told(&["vmpolicy.yaml"], 0).0, "vmpolicy.yaml: ok (1 rule)\n");
}

#[test]
fn a_part_alone_is_told_of_its_whole() {
    let folder = folder(&["check"], &[("10-site.yaml", SITE)]);
    let (_, err) = folder.told(&["conf.d/10-site.yaml"], 1);
    assert_eq!(
        err,
        "vmpolicy: conf.d/10-site.yaml: this looks like a part of vmpolicy.yaml: vmpolicy check vmpolicy.yaml\n"
    );
}

#[test]
fn what_can_not_be_read_is_told_with_its_name() {
    let folder = folder(&["check"], &[]);
    std::os::unix::fs::symlink("nowhere", folder.dir.path().join("conf.d/gone.yaml")).unwrap();
    let (_, err) = folder.told(&["vmpolicy.yaml"], 3);
    assert_eq!(err, "vmpolicy: can't read conf.d/gone.yaml: No such file or directory (os error 2)\n");
    fs::remove_file(folder.dir.path().join("vmpolicy.yaml")).unwrap();
    let (_, err) = folder.told(&["."], 3);
    assert_eq!(err, "vmpolicy: can't read ./vmpolicy.yaml: No such file or directory (os error 2)\n");
}

/// Which text the values would go into is not known.
#[test]
fn a_tuned_policy_is_not_written_from_several_files() {
    let folder = folder(&["tune", "vmpolicy.yaml", "--trace", "trace.csv"], &[("10-site.yaml", SITE)]);
    folder.put("new.yaml", "as it was");
    let (_, err) = folder.told(&["--candidates", "50", "--write", "1", "new.yaml"], 1);
    assert!(
        err.contains("vmpolicy.yaml is spread over 2 files: put the values of member 1 in by hand"),
        "{err}"
    );
    assert_eq!(folder.text("new.yaml"), "as it was");
}
