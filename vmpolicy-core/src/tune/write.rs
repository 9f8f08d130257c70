//! A candidate as a policy file: the text as it was, with only the tuned values in the place of the old ones.
//!
//! Where a value was not written, it is put in before a key beside which it belongs. Whether that made what was meant is not
//! argued but tried: the new text is read again, and has to be the candidate.

use super::level::Level;
use super::space::{Parameter, Space, What, leaf_of};
use crate::file::load;
use crate::policy::{ConditionForm, Place, Policy, PolicyFile, Zones};

/// Why a candidate can't be written into the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The text is not the policy's.
    #[error("the policy file is not the one that was tuned")]
    Other,
    /// Nowhere to put it.
    #[error("can't write these values into the text by itself; put them in by hand: {0}")]
    ByHand(String),
}

/// A change of the text: what goes, and what comes in its place.
#[derive(Clone, Debug)]
struct Edit {
    place: Place,
    text: String,
}

/// The text of a policy file with the values of a candidate.
///
/// `file` and `policy` are what was read from `text`. Values that stay as they are are not touched.
///
/// # Errors
///
/// Where the text is another one, or is written so that a value can't be put in safely.
pub fn write(
    text: &str,
    file: &PolicyFile,
    policy: &Policy,
    zones: &dyn Zones,
    space: &Space,
    candidate: &[u16],
) -> Result<String, WriteError> {
    let wanted = space.policy(policy, candidate);
    let (mut edits, mut missing) = (Vec::new(), Vec::new());
    for (parameter, level) in space.parameters().iter().zip(space.values(candidate)) {
        if level == parameter.is() {
            continue;
        }
        match written(file, &parameter.what) {
            Some(place) => edits.push(Edit { place, text: level.to_string() }),
            None => missing.push((parameter, level)),
        }
    }
    // Each way of putting in what is missing, until one is right: in braces, in lines, as a section of its own.
    for way in [Way::Braces, Way::Lines] {
        let mut all = edits.clone();
        let (mut fresh, mut lost) = (Vec::new(), false);
        for (parameter, level) in &missing {
            match put_in(text, file, parameter, *level, way) {
                Put::Edit(edit) => all.push(edit),
                Put::Section(line) => fresh.push(line),
                Put::Nowhere => lost = true,
            }
        }
        let Some(mut new) = applied(text, all).filter(|_| !lost) else { continue };
        if !fresh.is_empty() {
            let gap = if new.ends_with('\n') { "" } else { "\n" };
            new += &format!("{gap}\nmoves:\n{}", fresh.concat());
        }
        if load(new.as_bytes(), zones).is_ok_and(|loaded| loaded.policy == wanted) {
            return Ok(new);
        }
    }
    if load(text.as_bytes(), zones).ok().is_none_or(|loaded| loaded.policy != *policy) {
        return Err(WriteError::Other);
    }
    let values = space.parameters().iter().zip(space.values(candidate));
    let values = values.filter(|(parameter, level)| *level != parameter.is());
    let values: Vec<_> = values.map(|(parameter, level)| format!("{}: {level}", parameter.name())).collect();
    Err(WriteError::ByHand(values.join(", ")))
}

/// Where the value of a parameter stands.
fn written(file: &PolicyFile, what: &What) -> Option<Place> {
    match what {
        What::Threshold { rule, leaf, .. } => match leaf_of(&file.rules.get(*rule)?.when.value, *leaf)? {
            ConditionForm::Indicator { threshold, .. } => threshold.place,
            _ => None,
        },
        What::Tarry { rule } => file.rules.get(*rule)?.tarry.as_ref()?.place,
        What::Settle => file.moves.settle.as_ref()?.place,
        What::Dwell => file.moves.dwell.as_ref()?.place,
    }
}

#[derive(Clone, Copy)]
enum Way {
    Braces,
    Lines,
}

enum Put {
    Edit(Edit),
    /// A line of a section `moves:` that is not there yet.
    Section(String),
    Nowhere,
}

fn put_in(text: &str, file: &PolicyFile, parameter: &Parameter, level: Level, way: Way) -> Put {
    let moves = &file.moves;
    let (key, beside) = match &parameter.what {
        What::Threshold { .. } => return Put::Nowhere,
        What::Tarry { rule } => ("tarry", file.rules.get(*rule).and_then(|rule| rule.action.place)),
        What::Settle | What::Dwell => {
            let key = if parameter.what == What::Settle { "settle" } else { "dwell" };
            let places = [
                moves.settle.as_ref().map(|one| one.place),
                moves.dwell.as_ref().map(|one| one.place),
                moves.at_most.as_ref().map(|one| one.place),
                moves.tour.as_ref().map(|one| one.place),
                moves.confirm_within.as_ref().map(|one| one.place),
                moves.bar.as_ref().map(|one| one.place),
                moves.tour_pause.as_ref().map(|one| one.place),
            ];
            match places.into_iter().flatten().flatten().next() {
                Some(place) => (key, Some(place)),
                None => return Put::Section(format!("  {key}: {level}\n")),
            }
        }
    };
    let Some(start) = beside.and_then(|place| key_before(text, place.start as usize)) else {
        return Put::Nowhere;
    };
    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let text = match way {
        Way::Braces => format!("{key}: {level}, "),
        Way::Lines => format!("{key}: {level}\n{}", " ".repeat(text[line..start].chars().count())),
    };
    let at = u32::try_from(start).unwrap_or(u32::MAX);
    Put::Edit(Edit { place: Place { start: at, end: at }, text })
}

/// Where the key begins whose value begins there.
fn key_before(text: &str, value: usize) -> Option<usize> {
    let before = text.get(..value)?.trim_end().strip_suffix(':')?.trim_end();
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'');
    let key = before.len() - before.trim_end_matches(name).len();
    (key > 0).then(|| before.len() - key)
}

/// The text with all edits made; none where two of them overlap.
fn applied(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| (edit.place.start, edit.place.end));
    let (mut out, mut done) = (String::with_capacity(text.len() + 64), 0_usize);
    for Edit { place, text: new } in edits {
        out += text.get(done..place.start as usize)?;
        out += &new;
        done = place.end as usize;
    }
    out += text.get(done..)?;
    Some(out)
}
