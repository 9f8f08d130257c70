//! A manager that takes requests by HTTP as `docs/actuators.md` has it, and can be made to misbehave.

use crate::guest::put;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

/// What was asked under a key, and how that stands.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) asked: Value,
    pub(crate) state: &'static str,
}

#[derive(Default)]
struct State {
    moves: Vec<(String, Move)>,
    /// How often each request was posted, by its key.
    posts: Vec<String>,
    polls: usize,
    /// Whether a request gets no answer, though it is carried out.
    mute: bool,
    /// Whether moves stay under way.
    slow: bool,
}

#[derive(Clone)]
pub(crate) struct Manager {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    /// Where the location is written, if anywhere.
    location: Option<PathBuf>,
}

impl Manager {
    pub(crate) fn start(location: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let manager = Self { port, state: Arc::default(), location };
        let serving = manager.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let manager = serving.clone();
                thread::spawn(move || manager.serve(client));
            }
        });
        manager
    }

    /// From now on requests are carried out and not answered, or answered again.
    pub(crate) fn mute(&self, mute: bool) {
        self.state.lock().unwrap().mute = mute;
    }

    /// From now on moves stay under way, until [`Manager::end`].
    pub(crate) fn slow(&self) {
        self.state.lock().unwrap().slow = true;
    }

    /// All moves that are under way end so.
    pub(crate) fn end(&self, state: &'static str) {
        let mut moves = Vec::new();
        for (_, known) in &mut self.state.lock().unwrap().moves {
            if known.state == "accepted" {
                known.state = state;
                moves.push(known.clone());
            }
        }
        moves.iter().for_each(|known| self.carry_out(known));
    }

    fn carry_out(&self, known: &Move) {
        if known.state == "confirmed"
            && let Some(location) = &self.location
        {
            put(location, &format!("{}\n", known.asked["to"].as_str().unwrap()));
        }
    }

    /// The moves that were started, each once.
    pub(crate) fn moves(&self) -> Vec<Move> {
        self.state.lock().unwrap().moves.iter().map(|(_, known)| known.clone()).collect()
    }

    /// The keys of the requests, in their order; one that came twice twice.
    pub(crate) fn posts(&self) -> Vec<String> {
        self.state.lock().unwrap().posts.clone()
    }

    pub(crate) fn polls(&self) -> usize {
        self.state.lock().unwrap().polls
    }

    fn serve(&self, mut client: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let (status, said) = if head.starts_with("POST /moves ") {
            let mut body = vec![0; field("content-length").unwrap().parse().unwrap()];
            client.read_exact(&mut body).unwrap();
            let Some(answer) = self.posted(&field("idempotency-key").unwrap(), &body) else {
                // Until the other side is gone.
                let _ = client.read(&mut byte);
                return;
            };
            answer
        } else {
            self.polled(head.split(' ').nth(1).unwrap())
        };
        let body = said.to_string();
        let text = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let _ = client.write_all(text.as_bytes());
    }

    fn posted(&self, key: &str, body: &[u8]) -> Option<(u16, Value)> {
        let asked: Value = serde_json::from_slice(body).unwrap();
        let mut state = self.state.lock().unwrap();
        state.posts.push(key.to_owned());
        let known = state.moves.iter().find(|(known, _)| known == key).map(|(_, known)| known.clone());
        let known = match known {
            Some(known) if known.asked != asked => return Some((422, json!({"reason": "another move"}))),
            Some(known) => known,
            None => {
                let begun = Move { asked, state: if state.slow { "accepted" } else { "confirmed" } };
                state.moves.push((key.to_owned(), begun.clone()));
                if !state.mute {
                    self.carry_out(&begun);
                }
                begun
            }
        };
        (!state.mute).then(|| (202, json!({"state": known.state, "status_url": format!("/moves/{key}")})))
    }

    fn polled(&self, path: &str) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        state.polls += 1;
        let known = state.moves.iter().find(|(key, _)| path.strip_prefix("/moves/") == Some(key));
        known.map_or_else(|| (404, json!({})), |(_, known)| (200, json!({"state": known.state})))
    }
}
