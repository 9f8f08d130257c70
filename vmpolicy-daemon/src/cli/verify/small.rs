//! What breaks, made small and written down; and what was written down, tried again.

use super::Args;
use super::input::{Input, bytes, wrong};
use super::result::{named, says};
use crate::cli::check::shown;
use crate::cli::terminal::print;
use crate::cli::{Exit, Format, outputs};
use crate::provenance::Provenance;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::scenario::parse;
use vmpolicy_core::verify::{Shrunk, Study};

/// What is written, where that would be in the place of something else.
pub(super) const WHAT: &str = "small scenario";

/// A small world, in its file.
pub(super) struct Small {
    pub index: u64,
    pub shrunk: Shrunk,
    pub path: PathBuf,
}

impl Small {
    /// Makes a world small that breaks something, and writes it.
    pub(super) fn make(study: &Study, index: u64, input: &Input, args: &Args) -> Result<Self, Exit> {
        let Some(shrunk) = study.shrink(&study.world(index)) else {
            // It was broken a moment ago, and worlds depend on nothing else.
            unreachable!("world {index} breaks something only now and then");
        };
        let name = || PathBuf::from(format!("verify-{}-{index}.yaml", args.seed));
        let path = args.write.clone().unwrap_or_else(name);
        outputs::check(&[(Some(&path), WHAT)], args.inputs())?;
        let provenance = Provenance::new(study.policy(), &input.zones, Some(args.seed));
        let mut text = String::new();
        let (kind, what) = named(study, &shrunk.broken);
        let broken = &shrunk.broken;
        let comments = [
            format!("World {index} of `vmpolicy verify`, made small: it breaks the {kind} `{what}`."),
            format!("{} at {}: {}.", broken.guest, broken.at, broken.says),
            format!("{provenance}"),
        ];
        for comment in comments {
            // A name may have anything in it.
            let _ = writeln!(text, "# {}", comment.replace(['\n', '\r'], " "));
        }
        text += &shrunk.file.to_yaml();
        outputs::save(&path, &text)?;
        Ok(Self { index, shrunk, path })
    }
}

/// Holds one scenario against the expectations, with the policy as it is now.
pub(super) fn replay(study: &Study, path: &Path, input: &Input, args: &Args) -> Result<Exit, Exit> {
    let bytes = bytes(path)?;
    let parsed = parse(&bytes);
    if !parsed.problems.is_empty() {
        return Err(wrong(path, &bytes, &parsed.problems));
    }
    let mut file = parsed.file;
    study.take_over(&mut file);
    let scenario = study.build(&file).map_err(|problems| wrong(path, &bytes, &problems))?;
    let (tried, story) = study.tell(&scenario);
    let exit = if tried.broken.is_some() { Exit::No } else { Exit::Done };
    if args.format == Format::Json {
        let broken = tried.broken.as_ref().map(|broken| says(study, broken));
        let provenance = Provenance::new(study.policy(), &input.zones, None);
        let told = serde_json::json!({
            "command": "verify",
            "provenance": provenance,
            "scenario": shown(path),
            "broken": broken,
            "story": story,
        });
        print(&format!("{told:#}\n"))?;
        return Ok(exit);
    }
    let mut text = String::new();
    match &tried.broken {
        None => text += &format!("{}: everything is kept\n", shown(path)),
        Some(broken) => {
            let (kind, what) = named(study, broken);
            text += &format!("{}: the {kind} `{what}` is broken\n", shown(path));
            text += &format!("{} at {}: {}\n\n", broken.guest, broken.at, broken.says);
            story.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    }
    print(&text)?;
    Ok(exit)
}
