//! The thesis's figures (chapter 4), from the command's own output.

use super::tool::{Event, events, json, scenarios};
use std::fs;
use tempfile::TempDir;

/// What the guests asked for in each hour from the beginning.
fn requests_by_hour(scenario: &str) -> Vec<u64> {
    let report = json(&[scenario]);
    let hours = report["variants"][0]["hours"].as_array().unwrap();
    hours.iter().map(|hour| hour["requests"].as_u64().unwrap()).collect()
}

/// Listing 4.1: under constant overload there is a request each 225 s, from host to host and round again, 16 an hour.
#[test]
fn nii1_asks_each_225_s_and_goes_round() {
    let requests = events("nii1.yaml", "request");
    assert_eq!(requests.len(), 64);
    for pair in requests.windows(2) {
        assert_eq!(pair[1].at_s - pair[0].at_s, 225.0);
    }
    for (index, request) in requests.iter().enumerate() {
        let name = |number: usize| format!("mln{}", number % 5 + 1);
        assert_eq!((request.text("from"), request.text("to")), (&*name(index), &*name(index + 1)));
    }
    assert!(requests_by_hour("nii1.yaml").into_iter().all(|count| count == 16));
    let report = json(&["nii1.yaml"]);
    assert_eq!(report["variants"][0]["totals"]["most_per_hour"], 16);
}

/// Figure 4.3: a threshold changed from 20 to 50 in hour 16 ends near-endless migration.
#[test]
fn figure_4_3_requests_drop_after_hour_16() {
    let hours = requests_by_hour("nii1-threshold.yaml");
    assert_eq!(hours.len(), 48);
    let (before, after) = hours.split_at(16);
    assert!(before.iter().all(|count| *count >= 14), "{before:?}");
    assert!(after.iter().all(|count| *count <= 2), "{after:?}");
    let report = json(&["nii1-threshold.yaml"]);
    assert_eq!(report["faults"][0]["kind"], "reload");
    assert_eq!(report["provenance"]["policies"].as_array().unwrap().len(), 2);
}

/// Listing 4.4 and figure 4.4: up to 14 requests an hour at the peak, none by night, when the base is enough.
#[test]
fn nii3_follows_its_load_and_sleeps_at_the_base() {
    let hours = requests_by_hour("nii3.yaml");
    // It begins at 18:00; the peak is at 15:00.
    let (night, day) = (&hours[6..14], &hours[18..23]);
    assert!(night.iter().all(|count| *count == 0), "{hours:?}");
    assert!(day.iter().all(|count| (10..=14).contains(count)), "{hours:?}");
    let report = json(&["nii3.yaml"]);
    let own = &report["variants"][0];
    assert_eq!(own["totals"]["most_per_hour"], 14);
    let base = own["guests"][0]["time"]["at_base_share"].as_f64().unwrap();
    assert!((0.4..0.65).contains(&base), "{base}");
    // Equation 3.4: the parts are the whole, and the base is the cheaper place.
    let cost = |key: &str| own["totals"]["cost"][key].as_f64().unwrap();
    assert!((cost("c_a") + cost("c_tb") - cost("c_t")).abs() < 1e-9);
    assert_eq!(own["totals"]["cost"]["base_is_cheaper"], true);
}

/// Figure 4.6: outside working hours, 9:00 to 16:00 from Monday to Friday, nii5 asks for nothing but the way to its base.
#[test]
fn nii5_asks_for_nothing_outside_working_hours() {
    let requests = events("nii5.yaml", "request");
    assert!(requests.len() > 50);
    let is_work = |event: &Event| {
        // In May Oslo is two hours ahead of UTC; the epoch began on a Thursday.
        let local = event.at_s + 7_200.0;
        let (day, hour) = ((local / 86_400.0 + 3.0) % 7.0, local % 86_400.0 / 3_600.0);
        day < 5.0 && (9.0..16.0).contains(&hour)
    };
    for request in &requests {
        let by_clock = request.text("rule") == "off-duty";
        assert!(is_work(request) || (by_clock && request.text("to") == "mln6"), "{}", request.says);
    }
    assert!(requests.iter().filter(|request| request.text("rule") == "off-duty").count() <= 4);
}

/// Listing 4.5: relocations as long as they were; and after a move the batch at hand comes first.
#[test]
fn nii4_relocates_as_it_did() {
    let (requests, confirmed) = (events("nii4.yaml", "request"), events("nii4.yaml", "confirmed"));
    let took: Vec<_> = requests
        .iter()
        .zip(&confirmed)
        .map(|(asked, done)| (asked.text("do").to_owned(), done.at_s - asked.at_s))
        .collect();
    let expected = [("move-to-home", 574.0), ("move-from-home", 1_324.0), ("move-to-home", 208.0)];
    assert_eq!(took, expected.map(|(what, seconds)| (what.to_owned(), seconds)));
    // It arrives with the batch that made it go, and works that off: what it asks for next is of a later batch, the
    // one that comes 130 minutes after the beginning.
    let start = requests[0].at_s;
    assert!(requests[2].at_s >= start + 130.0 * 60.0, "{}", requests[2].says);
    let report = json(&["nii4.yaml"]);
    assert_eq!(report["variants"][0]["totals"]["relocations"], 3);
    assert_eq!(report["variants"][0]["totals"]["moving"], 574 + 1_324 + 208);
}

/// 3.12.3: after a move the local queue comes before the main one. While nii4 is on its way with six big jobs, the main
/// queue gets a batch that would send it home at once, were it looked at.
#[test]
fn nii4_works_off_its_local_queue_before_it_looks_at_the_main_one() {
    let text = fs::read_to_string(scenarios().join("nii4.yaml")).unwrap();
    let (before, rest) = text.split_once("      - { at: 0s,").unwrap();
    let (_, after) = rest.split_once("\nguests:").unwrap();
    let batches = "      - { at: 0s, jobs: { grade b: 1 } }\n      - { at: 90m, jobs: { grade a: 6, grade b: 4 } }\n      \
                   - { at: 95m, jobs: { grade b: 2 } }\n";
    let folder = TempDir::new().unwrap();
    let policy = scenarios().join("../site-aware.yaml");
    let after = after.replace("../site-aware.yaml", policy.to_str().unwrap());
    let world = folder.path().join("nii4.yaml");
    fs::write(&world, format!("{before}{batches}\nguests:{after}")).unwrap();

    let world = world.to_str().unwrap();
    let (requests, confirmed) = (events(world, "request"), events(world, "confirmed"));
    let did: Vec<_> = requests.iter().map(|asked| asked.text("do")).collect();
    assert_eq!(did, ["move-to-home", "move-from-home", "move-to-home"]);
    let saw = |request: &Event| request.says["because"]["conditions"][0]["saw"].as_f64();
    assert_eq!((saw(&requests[1]), saw(&requests[2])), (Some(6.0), Some(0.0)), "a batch each");
    // It settles for 45 s, and works off what it brought, one job after the other at 4.56 GHz: 142.18 gigacycles a
    // big job, 40 a small one. Only then does it look, as soon as its next look is due, within 120 s.
    let arrived = confirmed[1].at_s;
    assert!(arrived > requests[0].at_s + 95.0 * 60.0, "the main queue has had its batch since");
    let local_s = (6.0 * 142.18 + 4.0 * 40.0) / 4.56;
    let looked_s = requests[2].at_s - arrived - 45.0;
    assert!(local_s > 120.0 && (local_s..local_s + 120.0).contains(&looked_s), "{looked_s}, not {local_s}");
}
