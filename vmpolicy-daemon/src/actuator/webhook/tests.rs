//! The actuator against servers that do what good ones seldom do, and against one that does as it should.

use super::*;
use crate::actuator::test_request;
use crate::agent::Event;
use crate::certificates::{self, Identity};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use vmpolicy_core::file::{SecretSpec, WebAuth};
use vmpolicy_core::id::RequestId;
use vmpolicy_core::time::Span;

const LIMIT: Duration = Duration::from_millis(600);
const POLL: Duration = Duration::from_millis(20);
const ID: RequestId = RequestId(7);

/// A server that treats each client so, after it has read what it is asked, head and body.
fn server(treat: impl Fn(TcpStream, String) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let treat = Arc::clone(&treat);
            thread::spawn(move || {
                let mut asked = Vec::new();
                let mut byte = [0];
                while !asked.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                    asked.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&asked).to_lowercase();
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
                let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
                let _ = client.read_exact(&mut body);
                asked.extend_from_slice(&body);
                treat(client, String::from_utf8_lossy(&asked).into_owned());
            });
        }
    });
    port
}

fn answer(client: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    let _ = client.write_all(text.as_bytes());
}

fn answering(status: u16, headers: &str, body: &str) -> u16 {
    let (headers, body) = (headers.to_owned(), body.to_owned());
    server(move |mut client, _| answer(&mut client, status, &headers, &body))
}

fn spec(url: String) -> WebSpec {
    let timeout = Span::from_millis(u64::try_from(LIMIT.as_millis()).unwrap());
    WebSpec { url, auth: WebAuth::None, headers: Vec::new(), ca_file: None, timeout }
}

/// An actuator, with what it says later and the flag of the open request.
fn actuator(spec: &WebSpec) -> (WebhookActuator, Receiver<Event>, Reporter) {
    let (events, inbox): (Sender<Event>, _) = channel();
    let reporter = Reporter::of_test(events, Some(ID));
    let made = WebhookActuator::new(spec, POLL, false, reporter.clone()).unwrap();
    (made, inbox, reporter)
}

fn asked(resent: bool) -> Asked<'static> {
    let request = vmpolicy_core::output::Request { resent, ..test_request() };
    Asked { request, guest: "nii3", from: "mln1", to: "mln2", id: "nii3-7" }
}

/// What comes of a request there, asked once and asked again.
fn outcomes(spec: &WebSpec) -> [Outcome; 2] {
    [false, true].map(|resent| {
        let began = Instant::now();
        let outcome = actuator(spec).0.request(&asked(resent));
        assert!(began.elapsed() < LIMIT * 8, "{:?}", began.elapsed());
        outcome
    })
}

fn plain(port: u16) -> WebSpec {
    spec(format!("http://127.0.0.1:{port}/moves"))
}

const REFUSED: [Outcome; 2] = [Outcome::Refused, Outcome::Unanswered];
const NOBODY_KNOWS: [Outcome; 2] = [Outcome::Unanswered; 2];

#[test]
fn what_was_never_sent_is_refused_and_of_the_rest_nobody_knows() {
    let silent = server(|client, _| {
        thread::sleep(LIMIT * 4);
        drop(client);
    });
    let dripping = server(|mut client, _| {
        for byte in b"HTTP/1.1 202 x\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
            if client.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(LIMIT / 20);
        }
    });
    let midway = server(|mut client, _| {
        let _ = client.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{\"state\":\"confirmed\"}");
    });
    let megabytes = server(|mut client, _| {
        let _ = client.write_all(b"HTTP/1.1 200 x\r\n\r\n{\"state\":\"confirmed\",\"reason\":\"");
        for _ in 0..200 {
            if client.write_all(&[b'9'; 65_536]).is_err() {
                return;
            }
        }
    });
    let html = "<html><body>Welcome to nginx!</body></html>";
    for (what, port, expected) in [
        ("silence", silent, NOBODY_KNOWS),
        ("a byte at a time", dripping, NOBODY_KNOWS),
        ("closes at once", server(|client, _| drop(client)), NOBODY_KNOWS),
        ("closes midway", midway, NOBODY_KNOWS),
        ("megabytes", megabytes, NOBODY_KNOWS),
        ("a page", answering(200, "Content-Type: text/html\r\n", html), NOBODY_KNOWS),
        ("broken within", answering(500, "", ""), NOBODY_KNOWS),
        ("a gateway", answering(502, "", html), NOBODY_KNOWS),
        ("who are you", answering(401, "WWW-Authenticate: Bearer\r\n", ""), REFUSED),
        ("no such thing", answering(404, "", html), [Outcome::Refused; 2]),
        ("busy for long", answering(429, "Retry-After: 3600\r\n", ""), REFUSED),
        ("taken on", answering(202, "", ""), [Outcome::Accepted; 2]),
    ] {
        assert_eq!(outcomes(&plain(port)), expected, "{what}");
    }
    let no_name = spec("http://no.such.name.invalid/".to_owned());
    assert_eq!(outcomes(&no_name), REFUSED);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = plain(listener.local_addr().unwrap().port());
    drop(listener);
    assert_eq!(outcomes(&nobody), REFUSED);
    let no_secret = SecretSpec::File("/nonexistent/token".to_owned());
    let secret = WebSpec { auth: WebAuth::Token(no_secret), ..plain(answering(202, "", "")) };
    assert_eq!(outcomes(&secret), REFUSED);
}

#[test]
fn a_stranger_gets_to_know_nothing() {
    let identity = Identity::alone("localhost");
    let read = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&read);
    let port = identity.serve(move |stream| {
        let text = "HTTP/1.1 202 x\r\nContent-Length: 0\r\n\r\n";
        seen.fetch_add(certificates::answer(stream, text), Ordering::Relaxed);
    });
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own.pem"), folder.path().join("other.pem"));
    std::fs::write(&own, &identity.pem).unwrap();
    std::fs::write(&other, Identity::alone("localhost").pem).unwrap();
    let with = |ca: &std::path::Path| {
        let spec = spec(format!("https://localhost:{port}/moves"));
        WebSpec { ca_file: Some(ca.display().to_string()), ..spec }
    };
    assert_eq!(outcomes(&with(&other)), REFUSED);
    assert_eq!(read.load(Ordering::Relaxed), 0, "a stranger has read something");
    assert_eq!(outcomes(&with(&own)), [Outcome::Accepted; 2]);
}

/// What a server was asked, whole.
fn listening(treat: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let port = server(move |client, request| {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        treat(client, before);
    });
    (port, asked)
}

#[test]
fn what_is_sent_and_to_nobody_else() {
    let (other, heard) = listening(|mut client, _| answer(&mut client, 202, "", ""));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0psecret").unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for (status, expected) in [(301, Outcome::Refused), (307, Outcome::Refused), (202, Outcome::Accepted)] {
        let (port, asked_for) = listening(move |mut client, _| {
            answer(&mut client, status, &format!("Location: http://127.0.0.1:{other}/x\r\n"), "");
        });
        let headers = vec![("X-Site".to_owned(), "oslo".to_owned()), ("Accept".to_owned(), "*/*".to_owned())];
        let auth = WebAuth::Token(SecretSpec::File(token.display().to_string()));
        let (mut actuator, _inbox, _) = actuator(&WebSpec { auth, headers, ..plain(port) });
        assert_eq!(actuator.request(&asked(false)), expected, "{status}");
        thread::sleep(POLL * 5);
        let asked_for = asked_for.lock().unwrap();
        let [request] = asked_for.as_slice() else { panic!("{asked_for:#?}") };
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, r#"{"id":"nii3-7","guest":"nii3","from":"mln1","to":"mln2","do":"move"}"#);
        let head = head.to_lowercase();
        assert!(head.starts_with("post /moves http/1.1\r\n"), "{head}");
        for line in [
            "idempotency-key: nii3-7",
            "content-type: application/json",
            "accept: application/json",
            "authorization: bearer t0psecret",
            "x-site: oslo",
        ] {
            assert!(head.contains(&format!("\r\n{line}")), "{line} is not in:\n{head}");
        }
        assert!(!head.contains("*/*"), "{head}");
    }
    assert!(heard.lock().unwrap().is_empty(), "secrets went elsewhere");
}

#[test]
fn who_is_busy_is_asked_again_under_the_same_key() {
    let (port, asked_for) = listening(|mut client, before| match before {
        0 => answer(&mut client, 429, "Retry-After: 0\r\n", ""),
        1 => answer(&mut client, 503, "Retry-After: 0\r\n", ""),
        _ => answer(&mut client, 202, "", ""),
    });
    let (mut made, _inbox, reporter) = actuator(&plain(port));
    assert_eq!(made.request(&asked(false)), Outcome::Accepted);
    let requests = asked_for.lock().unwrap().clone();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]), "{requests:#?}");

    // An operator has given it up meanwhile.
    let (port, asked_for) = listening(move |mut client, _| {
        reporter.opens(None);
        answer(&mut client, 429, "Retry-After: 0\r\n", "");
    });
    let (events, _inbox) = channel();
    let closed = Reporter::of_test(events, None);
    let mut made = WebhookActuator::new(&plain(port), POLL, false, closed).unwrap();
    assert_eq!(made.request(&asked(false)), Outcome::Refused);
    assert_eq!(asked_for.lock().unwrap().len(), 1);
}

/// A server that takes a request on, and answers those who ask after it so.
fn following(
    polls: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static,
) -> (u16, Arc<Mutex<Vec<String>>>) {
    listening(move |mut client, before| match before {
        0 => answer(&mut client, 202, "Location: /moves/7?token=x\r\n", ""),
        _ => polls(&mut client, before),
    })
}

fn told(inbox: &Receiver<Event>) -> Option<(RequestId, Outcome)> {
    match inbox.recv_timeout(Duration::from_secs(30)).ok()? {
        Event::Answered { worker: Some(_), id, outcome } => Some((id, outcome)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_taken_on_is_asked_after_until_it_ends() {
    for (state, outcome) in
        [("confirmed", Outcome::Confirmed), ("failed", Outcome::Failed), ("refused", Outcome::Refused)]
    {
        let (port, asked_for) = following(move |client, before| match before {
            1 => answer(client, 200, "", r#"{"state":"accepted"}"#),
            2 => answer(client, 500, "", ""),
            3 => answer(client, 200, "", "<html>"),
            4 => answer(client, 404, "", ""),
            5 => answer(client, 302, "Location: http://127.0.0.1:1/\r\n", ""),
            6 => {}
            _ => answer(client, 200, "", &format!(r#"{{"state":"{state}","reason":"so"}}"#)),
        });
        let (mut made, inbox, _) = actuator(&plain(port));
        assert_eq!(made.request(&asked(false)), Outcome::Accepted);
        assert_eq!(told(&inbox), Some((ID, outcome)));
        thread::sleep(POLL * 4);
        let requests = asked_for.lock().unwrap().clone();
        assert_eq!(requests.len(), 8, "{requests:#?}");
        assert!(requests[1..].iter().all(|request| request.starts_with("GET /moves/7?token=x ")));
    }
}

#[test]
fn asking_after_ends_with_the_request_and_with_the_actuator() {
    let forever = |client: &mut TcpStream, _| answer(client, 200, "", r#"{"state":"accepted"}"#);
    for ends in ["the request", "the actuator"] {
        let (port, asked_for) = following(forever);
        let (mut made, inbox, reporter) = actuator(&plain(port));
        assert_eq!(made.request(&asked(false)), Outcome::Accepted);
        let began = Instant::now();
        while asked_for.lock().unwrap().len() < 4 {
            assert!(began.elapsed() < Duration::from_secs(30));
            thread::sleep(POLL);
        }
        let mut kept = Some(made);
        if ends == "the request" {
            reporter.opens(Some(RequestId(8)));
        } else {
            drop(kept.take());
        }
        drop(reporter);
        // What is under way comes to its end; without the actuator its thread ends, and with it the last sender.
        thread::sleep(LIMIT);
        let polls = asked_for.lock().unwrap().len();
        thread::sleep(POLL * 5);
        assert_eq!(asked_for.lock().unwrap().len(), polls, "it goes on after the end of {ends}");
        let gone = matches!(inbox.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
        assert_eq!(gone, kept.is_none());
    }
}

#[test]
fn without_a_locator_a_move_is_believed_when_the_other_side_says_so() {
    let (port, _) = following(|client, _| answer(client, 200, "", r#"{"state":"confirmed"}"#));
    let (events, inbox) = channel();
    let reporter = Reporter::of_test(events, Some(ID));
    let mut made = WebhookActuator::new(&plain(port), POLL, true, reporter.clone()).unwrap();
    assert_eq!(made.request(&asked(false)), Outcome::Unanswered, "taken on is not moved");
    assert_eq!(told(&inbox), Some((ID, Outcome::Confirmed)));
    // Where there is nothing to ask after, the word "accepted" is all there is.
    let mut made = WebhookActuator::new(&plain(answering(202, "", "")), POLL, true, reporter).unwrap();
    assert_eq!(made.request(&asked(false)), Outcome::Accepted);
}

#[test]
fn any_name_makes_a_header() {
    assert_eq!(key("nii3-7"), "nii3-7");
    assert_eq!(key("å b%-7"), "%C3%A5%20b%25-7");
}
