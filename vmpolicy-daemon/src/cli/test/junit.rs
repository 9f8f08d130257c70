//! What came of test files as JUnit XML, in the shape that CI servers agree on: a suite for each file, a case for each
//! test, what can't be run as an error of its file.

use super::failure::{failed, skipped};
use super::ran::{Outcome, Ran};
use std::fmt::Write as _;

pub(super) fn render(files: &[Ran]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vmpolicy test\">\n");
    for ran in files {
        suite(&mut out, ran);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, ran: &Ran) {
    let name = escaped(&ran.file);
    let not_run = match &ran.outcome {
        Outcome::Run(_) => None,
        Outcome::Unreadable(why) => Some(vec![why.clone()]),
        Outcome::Wrong(wrong) => {
            let policies = wrong.policies.iter().flat_map(|policy| &policy.problems);
            let all = wrong.problems.iter().chain(policies);
            Some(all.map(|problem| format!("{}: {}", problem.code, problem.message)).collect())
        }
    };
    let tests = ran.tests().count() + usize::from(not_run.is_some());
    let failures = ran.tests().filter(|test| !test.passed()).count();
    let errors = usize::from(not_run.is_some());
    let left_out = skipped(ran);
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{left_out}\">",
        tests + left_out
    );
    if let Some(lines) = not_run {
        let _ = writeln!(out, "    <testcase classname=\"{name}\" name=\"the file\">");
        let (first, all) = (escaped(&lines[0]), escaped(&lines.join("\n")));
        let _ = writeln!(out, "      <error message=\"{first}\">{all}</error>\n    </testcase>");
    }
    if let Outcome::Run(results) = &ran.outcome {
        for (case, result) in results.trials.cases.iter().zip(&results.results) {
            let _ = write!(out, "    <testcase classname=\"{name}\" name=\"{}\"", escaped(&case.name));
            match result {
                None => out.push_str("><skipped/></testcase>\n"),
                Some(result) => {
                    let test = super::ran::Test { case, result };
                    if test.passed() {
                        out.push_str("/>\n");
                        continue;
                    }
                    let lines = failed(ran, &test);
                    let (first, all) = (escaped(&lines[0]), escaped(&lines.join("\n")));
                    let _ = writeln!(
                        out,
                        ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>"
                    );
                }
            }
        }
    }
    out.push_str("  </testsuite>\n");
}

/// As XML has it in texts and attributes; what XML can't have at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_has_no_word_for() {
        assert_eq!(escaped("a < \"b\" & c\u{1b}[0m\n"), "a &lt; &quot;b&quot; &amp; c[0m&#10;");
    }
}
