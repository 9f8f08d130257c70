//! `mode: observe` and `act`, and the way from one to the other.

use crate::control::{guest, policy};
use crate::guest::Guest;

fn told_mode(guest: &Guest) -> String {
    guest.json(&["status"]).map_or_else(String::new, |status| status["mode"].as_str().unwrap().to_owned())
}

#[test]
fn observed_nothing_is_asked_for_and_all_is_recorded() {
    let mut guest = guest("9", "mode: observe\n");
    guest.start();
    guest.wait_for("decisions", |guest| guest.events("confirmed").len() >= 3);
    assert!(guest.asked().is_empty());
    assert!(guest.records().iter().all(|record| record["dry_run"] == true), "{:?}", guest.records());
    let (_, text, _) = guest.told(&["status"]);
    assert!(
        text.starts_with("nii3 asks for nothing (observe): the policy file says `mode: observe`\n"),
        "{text}"
    );
    assert!(text.contains("as it is believed"), "{text}");
    assert!(guest.path("state/dry-run.state").exists() && !guest.path("state/state").exists());
    let (code, text, _) = guest.told(&["move", "mln4"]);
    assert!(code == Some(1) || text.contains("nobody is asked for"), "{text}");
    assert!(guest.asked().is_empty());
}

#[test]
fn a_reload_changes_the_mode_and_what_was_believed_is_not_taken_for_real() {
    let mut guest = guest("9", "mode: observe\n");
    guest.start();
    guest.wait_for("decisions", |guest| guest.events("confirmed").len() >= 4);
    let pid = guest.pid();

    guest.policy(&policy(&guest, "mode: act\n"));
    let (code, text, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        text.contains("whether moves are asked for has changed, so the daemon begins anew; mode: act"),
        "{text}"
    );
    guest.wait_for("a real move", |guest| guest.asked().len() >= 2);
    // It begins where the guest is, and with a number of its own.
    assert_eq!(guest.asked()[0], "nii3 mln1 mln2 nii3-1");
    assert_eq!((told_mode(&guest).as_str(), guest.pid()), ("act", pid));
    let real = guest.records().iter().filter(|record| record["dry_run"].is_null()).count();
    assert!(real >= 2);
    assert!(guest.json(&["history", "-n", "1"]).is_some(), "what was remembered is not forgotten");

    // And back: from now on nothing is asked for, from where the guest is.
    guest.policy(&policy(&guest, "mode: observe\n"));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("the mode", |guest| told_mode(guest) == "observe");
    let (asked, before) = (guest.asked().len(), guest.records().len());
    guest.wait_for("decisions", |guest| guest.records().len() >= before + 6);
    assert_eq!(guest.asked().len(), asked);
}

#[test]
fn a_hold_survives_a_change_of_mode() {
    let mut guest = guest("9", "mode: observe\n");
    guest.start();
    guest.wait_for_sockets();
    assert_eq!(guest.told(&["hold"]).0, Some(0));
    guest.policy(&policy(&guest, ""));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("a held rule", |guest| {
        told_mode(guest) == "act"
            && guest.json(&["why"]).is_some_and(|why| why["rules"][0]["by"] == "operator")
    });
    assert!(guest.asked().is_empty());
    assert_eq!(guest.told(&["resume"]).0, Some(0));
    guest.wait_for("a real move", |guest| !guest.asked().is_empty());
}

#[test]
fn an_open_request_is_found_again_after_an_observation() {
    let mut guest = guest("9", "");
    guest.script("sleep 2");
    guest.start();
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    guest.policy(&policy(&guest, "mode: observe\n").replace("x > 5", "x > 50"));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("the mode", |guest| told_mode(guest) == "observe");
    guest.policy(&policy(&guest, "").replace("x > 5", "x > 50"));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("its end", |guest| guest.events("confirmed").iter().any(|record| record["id"] == 1));
    assert_eq!(guest.asked(), ["nii3 mln1 mln2 nii3-1"], "asked once");
}
