//! What an operator sees of queues, of hooks, of faults that change, and of a hold that nobody has said.

use crate::control::{guest, policy};
use crate::guest::Guest;
use crate::metrics::{is_well, port, promtool, scrape, value};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A guest with a queue of jobs that fail by their class and hooks that can be made to fail, and its metrics' port.
fn busy() -> (Guest, u16) {
    let port = port();
    let guest = guest("4", "");
    fs::create_dir_all(guest.path("queue/incoming")).unwrap();
    fs::write(guest.path("network"), "").unwrap();
    let at = |name: &str| guest.path(name).display().to_string();
    let more = format!(
        "metrics: {{ listen: \"127.0.0.1:{port}\" }}
records: [{{ tcp: {{ address: \"127.0.0.1:1\", tls: false }} }}]
queues:
  jobs:
    source: {{ directory: {queue} }}
    every: 100ms
    classes: {{ big: {{}}, small: {{}} }}
    grade: {{ patterns: {{ big: \"big*\", small: \"small*\" }} }}
    run: {{ argv: [/bin/sh, -c, \"while [ $0 = big1 ] && [ ! -e {go} ]; do sleep 0.05; done; [ $0 != small1 ] || exit 3\", \"{{name}}\"], output: {out} }}
  idle: {{ every: 1h, classes: {{ big: {{}} }} }}
hooks:
  on_arrival: {{ argv: [/usr/bin/test, -e, {network}] }}
  before_leaving: {{ argv: [/bin/true] }}
",
        queue = at("queue"),
        out = at("out"),
        go = at("go"),
        network = at("network"),
    );
    guest.policy(&policy(&guest, &more));
    (guest, port)
}

/// Puts a batch into the queue, whole.
fn batch(queue: &Path, jobs: &[&str]) {
    fs::create_dir(queue.join("incoming/.b")).unwrap();
    for job in jobs {
        fs::write(queue.join("incoming/.b").join(job), "").unwrap();
    }
    fs::rename(queue.join("incoming/.b"), queue.join("incoming/b")).unwrap();
}

fn status(guest: &Guest) -> Value {
    guest.json(&["status"]).unwrap_or_default()
}

/// A page of metrics on which stands all that there is.
pub(crate) fn page_with_queues_and_hooks() -> String {
    let (mut guest, port) = busy();
    guest.start();
    guest.wait_for("the first arrival", |guest| status(guest)["hooks"][0]["last"].is_object());
    let page = scrape(port).unwrap();
    guest.terminate();
    page
}

#[test]
fn queues_and_hooks_are_seen_while_they_work_and_when_they_fail() {
    let (mut guest, port) = busy();
    batch(&guest.path("queue"), &["big1", "big2", "other", "small1"]);
    guest.start();
    guest.wait_for("a job", |guest| status(guest)["queues"][0]["running"]["class"] == "big");
    let now = status(&guest);
    let queue = &now["queues"][0];
    let expected = serde_json::json!({
        "jobs": 4, "classes": { "big": 2, "small": 1 }, "others": 1, "ended": 0, "waiting": 3
    });
    assert_eq!((&queue["batch"], &queue["running"]["time"]), (&expected, &1.into()), "{queue:#}");
    assert_eq!(now["queues"][1]["worked"], false);
    let page = scrape(port).unwrap();
    is_well(&promtool(&["check", "metrics"], &page));
    assert_eq!(value(&page, "vmpolicy_queue_jobs{queue=\"jobs\",state=\"running\"}"), Some(1.0), "{page}");
    assert_eq!(value(&page, "vmpolicy_queue_batch_jobs{queue=\"jobs\",class=\"big\"}"), Some(2.0));
    assert_eq!(value(&page, "vmpolicy_queue_up{queue=\"jobs\"}"), Some(1.0));

    fs::write(guest.path("go"), "").unwrap();
    guest.wait_for("their ends", |guest| {
        let queue = status(guest)["queues"][0].clone();
        queue["ended"]["done"] == 3 && queue["batch"].is_null()
    });
    let queue = status(&guest)["queues"][0].clone();
    assert_eq!((&queue["batch"], &queue["running"]), (&Value::Null, &Value::Null));
    assert_eq!((&queue["ended"]["failed"], &queue["last_failed"]["status"]), (&1.into(), &3.into()));
    assert_eq!(queue["last_failed"]["class"], "small");

    // The share is gone. What is counted stays, also when the file is read again.
    fs::rename(guest.path("queue"), guest.path("away")).unwrap();
    guest.wait_for("that it is seen", |guest| status(guest)["queues"][0]["fault"].is_object());
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    let (_, text, _) = guest.told(&["status"]);
    assert!(text.contains(" jobs: no batch is claimed\n"), "{text}");
    assert!(text.contains("  since the daemon has started: 3 done, 1 failed\n"), "{text}");
    assert!(
        text.contains("  IT CAN'T BE WORKED AT since ") && text.contains("queue/incoming: no such folder"),
        "{text}"
    );
    assert!(text.contains(" idle: nobody works at it, as the policy file does not say how\n"), "{text}");
    let page = scrape(port).unwrap();
    assert_eq!(value(&page, "vmpolicy_queue_up{queue=\"jobs\"}"), Some(0.0), "{page}");
    assert_eq!(value(&page, "vmpolicy_queue_jobs_ended_total{queue=\"jobs\",outcome=\"failed\"}"), Some(1.0));
    assert!(value(&page, "vmpolicy_queue_claims_total{queue=\"jobs\",outcome=\"failed\"}").unwrap() >= 1.0);
    fs::rename(guest.path("away"), guest.path("queue")).unwrap();
    guest.wait_for("that it is back", |guest| status(guest)["queues"][0]["fault"].is_null());

    // Hooks: the first arrival went well, the next one does not.
    let now = status(&guest);
    assert_eq!(
        (&now["hooks"][0]["hook"], &now["hooks"][0]["outcomes"]["done"]),
        (&"on_arrival".into(), &1.into())
    );
    assert_eq!(now["hooks"][1]["last"], Value::Null);
    fs::remove_file(guest.path("network")).unwrap();
    assert_eq!(guest.told(&["move", "mln3"]).0, Some(0));
    guest.wait_for("the hooks", |guest| status(guest)["hooks"][0]["failing_since"].is_string());
    let now = status(&guest);
    assert_eq!(
        (&now["hooks"][0]["last"]["status"], &now["hooks"][0]["last"]["host"]),
        (&1.into(), &"mln3".into())
    );
    assert_eq!(
        (&now["hooks"][1]["last"]["outcome"], &now["hooks"][1]["last"]["id"]),
        (&"done".into(), &1.into())
    );
    let (_, text, _) = guest.told(&["status"]);
    assert!(text.contains(" on_arrival: failed with status 1 within "), "{text}");
    assert!(text.contains("  IT GOES WRONG since "), "{text}");
    let page = scrape(port).unwrap();
    is_well(&promtool(&["check", "metrics"], &page));
    assert_eq!(value(&page, "vmpolicy_hook_success{hook=\"on_arrival\"}"), Some(0.0), "{page}");
    assert_eq!(value(&page, "vmpolicy_hook_success{hook=\"before_leaving\"}"), Some(1.0));
    assert_eq!(value(&page, "vmpolicy_hook_runs_total{hook=\"on_arrival\",outcome=\"done\"}"), Some(1.0));
    guest.terminate();
}

#[test]
fn a_fault_is_told_in_its_latest_words_and_since_its_first() {
    let mut guest = guest("4", "");
    fs::create_dir(guest.path("value.gone")).unwrap();
    guest.start();
    let fault = |guest: &Guest| status(guest)["indicators"][1]["fault"].clone();
    let says = |what: &str, words: &Value| words.as_str().is_some_and(|words| words.contains(what));
    guest.wait_for("a fault", |guest| says("Is a directory", &fault(guest)["words"]));
    let (first, since) = (fault(&guest), status(&guest)["indicators"][1]["unknown_since"].clone());
    fs::remove_dir(guest.path("value.gone")).unwrap();
    guest.wait_for("another", |guest| says("No such file", &fault(guest)["words"]));
    let now = status(&guest);
    assert_eq!(now["indicators"][1]["fault"]["since"], first["since"]);
    assert_eq!((&now["indicators"][1]["unknown_since"], since.is_string()), (&since, true));
    let (_, text, _) = guest.told(&["status"]);
    assert!(
        text.contains(" polls without a number, since ") && text.contains("value.gone: No such file"),
        "{text}"
    );
    // The log has said the cause once.
    assert_eq!(guest.log().matches("no reading").count(), 1, "{}", guest.log());
    fs::write(guest.path("value.gone"), "2").unwrap();
    guest.wait_for("a number", |guest| status(guest)["indicators"][1]["value"] == 2);
    assert_eq!(
        (&fault(&guest), &status(&guest)["indicators"][1]["unknown_since"]),
        (&Value::Null, &Value::Null)
    );

    // A disk that is gone, and then another fault of it.
    fs::rename(guest.path("state"), guest.path("away")).unwrap();
    guest.write("value", "9");
    guest.wait_for("trouble", |guest| says("No such file", &status(guest)["trouble"]));
    let since = status(&guest)["trouble_since"].clone();
    fs::write(guest.path("state"), "").unwrap();
    guest.wait_for("another", |guest| says("Not a directory", &status(guest)["trouble"]));
    assert_eq!(status(&guest)["trouble_since"], since);
    assert_eq!(guest.log().matches("can't write the state").count(), 1, "{}", guest.log());
    fs::remove_file(guest.path("state")).unwrap();
    fs::rename(guest.path("away"), guest.path("state")).unwrap();
    guest.wait_for("that it is well", |guest| status(guest)["trouble"].is_null());
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
    // And a locator.
    guest.write("value", "4");
    guest.wait_for("quiet", |guest| {
        let now = status(guest);
        now["request"].is_null() && now["settling_for"].is_null() && now["indicators"][0]["value"] == 4
    });
    fs::remove_file(guest.path("location")).unwrap();
    guest.wait_for("its fault", |guest| says("No such file", &status(guest)["locator_fault"]["words"]));
    let (_, text, _) = guest.told(&["status"]);
    assert!(text.contains(" can't tell since "), "{text}");
}

#[test]
fn a_hold_for_a_lost_state_is_not_an_operator_s() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for("a state", |guest| guest.state().is_some());
    guest.kill();
    fs::write(guest.path("state/state"), "nonsense\n").unwrap();
    guest.policy(&policy(&guest, "").replace("confirm_within: 5s", "confirm_within: 1h"));
    guest.write("value", "9");
    guest.start();
    guest.wait_for("a hold", |guest| status(guest)["hold"].is_object());
    let now = status(&guest);
    assert_eq!((&now["hold"]["because"], &now["hold"]["uid"]), (&"state-lost".into(), &Value::Null));
    guest.wait_for("a ready rule", |guest| {
        guest.json(&["why"]).is_some_and(|why| why["rules"][0]["waits"] == "held")
    });
    let (_, text, _) = guest.told(&["status"]);
    assert!(
        text.contains(" because the state was lost since ") && text.contains("`vmpolicy resume` ends it"),
        "{text}"
    );
    let (_, text, _) = guest.told(&["why"]);
    assert!(text.contains("is ready, and held: the state was lost (`vmpolicy resume`), for "), "{text}");
    assert!(text.contains("\nheld because the state was lost since "), "{text}");

    // The next daemon finds a hold in its state, and does not know whose.
    guest.terminate();
    guest.start();
    guest.wait_for("a hold", |guest| status(guest)["hold"]["because"] == "earlier");
    assert!(guest.asked().is_empty());
    assert_eq!(guest.told(&["resume"]).0, Some(0));
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
    // An operator's own word is one.
    assert_eq!(guest.told(&["hold", "1h"]).0, Some(0));
    assert_eq!(status(&guest)["hold"]["because"], "operator");
}
