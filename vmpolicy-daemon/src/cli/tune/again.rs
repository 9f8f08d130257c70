//! A result that was printed before, and a member of it as a policy file.

use super::input::Input;
use super::report::Report;
use super::{Args, wrong};
use crate::cli::Exit;
use crate::cli::check::shown;
use crate::cli::terminal::complain;
use crate::provenance::fingerprint;
use std::path::Path;
use std::str::FromStr as _;
use vmpolicy_core::tune::{Range, Space, write};

/// Reads a result, which must be of this policy.
pub(super) fn read(args: &Args, path: &Path) -> Result<(Input, Report), Exit> {
    let input = Input::read(&args.file)?;
    let text = std::fs::read_to_string(path).map_err(|error| {
        complain(&format!("can't read {}: {error}", shown(path)));
        Exit::Outside
    })?;
    let no = |message: String| {
        complain(&format!("{}: {message}", shown(path)));
        Exit::No
    };
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| no(format!("this is no result of `vmpolicy tune`: {error}")))?;
    if let Some(shard) = report.shard {
        return Err(no(format!("this is shard {shard} only: join all of them with `vmpolicy merge` first")));
    }
    let (is, was) = (fingerprint(&input.policy), &report.provenance.policy);
    if is != *was {
        return Err(no(format!(
            "{} is not the policy that was tuned: {is} against {was}",
            shown(&args.file)
        )));
    }
    Ok((input, report))
}

/// The policy file with the values of a member of the front.
pub(super) fn tuned(input: &Input, report: &Report, number: usize) -> Result<String, Exit> {
    let Some(point) = number.checked_sub(1).and_then(|at| report.front.get(at)) else {
        return Err(wrong(format!("--write {number}: the front has members 1 to {}", report.front.len())));
    };
    let (file, policy) = (&input.loaded.file, &input.policy);
    let foreign = |error: &dyn std::fmt::Display| {
        complain(&format!("the result does not go with the policy: {error}"));
        Exit::No
    };
    let indicator = policy
        .indicator_named(&report.options.indicator)
        .ok_or_else(|| foreign(&format!("there is no indicator `{}`", report.options.indicator)))?;
    let mut ranges = Vec::new();
    for (name, value) in &point.values {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let range = Range::from_str(&text).map_err(|error| foreign(&error))?;
        ranges.push((name.clone(), Some(range)));
    }
    let [file_read] = input.files.all() else {
        complain(&format!(
            "{} is spread over {} files: put the values of member {number} in by hand",
            input.files.main().name,
            input.files.all().len()
        ));
        return Err(Exit::No);
    };
    // What was loaded is UTF-8.
    let text = file_read.text();
    // The present values as a member of the front are a space in which nothing varies.
    if point.changes.0 == 0 {
        return Ok(text.into_owned());
    }
    let space = Space::derive(file, policy, indicator, &[]).vary(&ranges).map_err(|error| foreign(&error))?;
    write(&text, file, policy, &input.zones, &space, &space.present()).map_err(|error| {
        complain(&error.to_string());
        Exit::No
    })
}
