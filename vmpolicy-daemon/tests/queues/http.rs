//! A server of batches, by HTTP: one that forgets nothing, and loses answers.

use crate::guest::{Guest, policy};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The other end, as `docs/queues.md` has it.
#[derive(Default)]
struct Shop {
    /// Batches with who has them and what is left of them.
    batches: Vec<(String, Option<String>, Vec<String>)>,
    /// What has ended, and how.
    ended: Vec<(String, String)>,
    /// Each key, and how often it was shown.
    keys: BTreeMap<String, usize>,
    /// Whether the first answer to each key is lost, after what was asked for is done.
    loses: bool,
}

type Shared = Arc<Mutex<Shop>>;

fn serve(shop: Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let shop = Arc::clone(&shop);
            thread::spawn(move || exchange(stream, &shop));
        }
    });
    url
}

fn exchange(mut stream: TcpStream, shop: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length, mut key) = (String::new(), 0, None);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "idempotency-key" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let mut shop = shop.lock().unwrap();
    let (status, answer) = shop.answer(method, path.strip_prefix("/shop/")?, &body);
    if let Some(key) = key {
        let loses = shop.loses;
        let times = shop.keys.entry(key).or_default();
        *times += 1;
        if loses && *times == 1 {
            return None;
        }
    }
    let answer = answer.to_string();
    let head =
        format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
    stream.write_all((head + &answer).as_bytes()).ok()
}

impl Shop {
    fn answer(&mut self, method: &str, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        use serde_json::json;
        let guest = body["guest"].as_str().unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["batches?guest=g"]) => {
                let free = |who: &Option<String>| who.as_deref().is_none_or(|who| who == "g");
                let there = self.batches.iter().filter(|(_, who, jobs)| free(who) && !jobs.is_empty());
                let batches: Vec<_> =
                    there.map(|(id, who, _)| json!({ "id": id, "claimed": who.is_some() })).collect();
                (200, json!({ "batches": batches }))
            }
            ("PUT", ["batches", id, "claim"]) => {
                let Some((_, who, jobs)) = self.batches.iter_mut().find(|(known, ..)| known == id) else {
                    return (404, json!(null));
                };
                if *who.get_or_insert_with(|| guest.clone()) != guest {
                    return (409, json!(null));
                }
                let jobs = jobs.iter().map(|job| json!({ "id": job, "body": format!("this is {job}\n") }));
                (200, json!({ "jobs": jobs.collect::<Vec<_>>() }))
            }
            ("PUT", ["batches", id, "jobs", job]) => {
                let outcome = body["outcome"].as_str().unwrap_or_default().to_owned();
                let batch = self.batches.iter_mut().find(|(known, ..)| known == id);
                if let Some((_, _, jobs)) = batch
                    && let Some(at) = jobs.iter().position(|known| known == job)
                {
                    jobs.remove(at);
                    self.ended.push(((*job).to_owned(), outcome));
                }
                (204, json!(null))
            }
            _ => (400, json!(null)),
        }
    }
}

fn guest(shop: &Shared, script: &str, more: &str) -> Guest {
    let guest = Guest::new(script, "");
    let source = format!("http: {{ url: \"{}\", timeout: 2s }}", serve(Arc::clone(shop)));
    guest.policy(&policy(&source, &guest.runs(more)));
    guest
}

fn batch(id: &str, jobs: &[&str]) -> (String, Option<String>, Vec<String>) {
    (id.to_owned(), None, jobs.iter().map(|job| (*job).to_owned()).collect())
}

#[test]
fn batches_are_claimed_run_and_told_of_though_answers_are_lost() {
    let shop = Shared::default();
    {
        let mut shop = shop.lock().unwrap();
        shop.batches = vec![batch("1", &["big-a", "bad"]), batch("2", &["c"]), batch("3", &["d"])];
        // Somebody else has it, and keeps it.
        shop.batches[1].1 = Some("other".to_owned());
        shop.loses = true;
    }
    let mut guest = guest(&shop, "echo \"$1\" >> ran; cat; echo \"$3\"; [ $1 != bad ]", "");
    guest.start();
    guest.wait_for("all that is ours", |_| shop.lock().unwrap().ended.len() == 3);
    // Two claims and three ends: what was lost is told again.
    let again = |shop: &Shop| shop.keys.len() == 5 && shop.keys.values().all(|times| *times > 1);
    guest.wait_for("all of it again", |_| again(&shop.lock().unwrap()));
    assert_eq!(guest.lines("ran"), ["big-a", "bad", "d"]);
    let ended = |job: &str, how: &str| (job.to_owned(), how.to_owned());
    let shop = shop.lock().unwrap();
    assert_eq!(shop.ended, [ended("big-a", "done"), ended("bad", "failed"), ended("d", "done")]);
    assert_eq!(guest.text("out/1/big-a.out"), "this is big-a\nbig\n");
    assert!(shop.keys.contains_key("\"g/batches/1/jobs/big-a\""), "{:?}", shop.keys);
}

#[test]
fn killed_at_any_moment_each_job_is_run_and_none_that_is_told_of_again() {
    let shop = Shared::default();
    let names: Vec<String> = (0..24).map(|job| format!("j{job}")).collect();
    let jobs: Vec<&str> = names.iter().map(String::as_str).collect();
    shop.lock().unwrap().batches = jobs.chunks(4).map(|jobs| batch(jobs[0], jobs)).collect();
    let script = "echo \"$1\" >> ran; sleep 0.02";
    let mut guest = guest(&shop, script, ", grace: 100ms, tries: 1000");
    let ran = |guest: &Guest, job: &str| guest.lines("ran").iter().filter(|line| *line == job).count();
    for round in 0..10_u64 {
        let ended: Vec<String> = shop.lock().unwrap().ended.iter().map(|(job, _)| job.clone()).collect();
        let before: Vec<usize> = ended.iter().map(|job| ran(&guest, job)).collect();
        guest.start();
        thread::sleep(Duration::from_millis(80 + 53 * round % 240));
        guest.kill();
        let after: Vec<usize> = ended.iter().map(|job| ran(&guest, job)).collect();
        assert_eq!(before, after, "a job that had ended is run again");
    }
    guest.start();
    guest.wait_for("all", |_| shop.lock().unwrap().ended.len() == jobs.len());
    assert!(jobs.iter().all(|job| ran(&guest, job) >= 1));
    assert!(shop.lock().unwrap().ended.iter().all(|(_, how)| how == "done"));
}

#[test]
fn a_server_that_makes_no_sense_is_complained_about_once() {
    let shop = Shared::default();
    let mut guest = guest(&shop, "true", "");
    guest.policy(&guest.text("policy.yaml").replace("/shop", "/nothing"));
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("/nothing/batches"));
    guest.policy(&guest.text("policy.yaml").replace("/nothing", "/shop"));
    shop.lock().unwrap().batches = vec![batch("1", &["a"])];
    guest.signal(rustix::process::Signal::HUP);
    guest.wait_for("the job", |_| shop.lock().unwrap().ended.len() == 1);
    assert_eq!(guest.log().matches("/nothing/batches").count(), 1, "{}", guest.log());
}
