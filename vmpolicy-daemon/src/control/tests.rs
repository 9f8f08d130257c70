//! The server, with clients as bad as they come.

use super::serve::{Limits, Listener, Protocol, Reply, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Answers each line with itself, as often as it says: `3x`.
struct Echo;

impl Protocol for Echo {
    fn request_len(&self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
    }

    fn answer(&mut self, request: &[u8], uid: Option<u32>) -> Reply {
        assert_eq!(uid, Some(rustix::process::getuid().as_raw()));
        let text = String::from_utf8_lossy(request);
        let times = text.split_once('x').and_then(|(times, _)| times.parse().ok()).unwrap_or(1);
        Reply { bytes: text.repeat(times).into_bytes(), last: text.starts_with("bye") }
    }

    fn too_long(&self) -> Vec<u8> {
        b"too long\n".to_vec()
    }

    fn too_many(&self) -> Vec<u8> {
        b"too many\n".to_vec()
    }
}

const LIMITS: Limits =
    Limits { connections: 4, request_bytes: 64, patience: Duration::from_millis(300), per_second: 1_000 };

struct Served {
    _folder: TempDir,
    path: PathBuf,
    server: Server,
}

fn serve(limits: Limits) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let server = Server::start("test", Listener::Unix(listener), limits, Echo).unwrap();
    Served { _folder: folder, path, server }
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn line(stream: &UnixStream) -> String {
    let mut text = String::new();
    let mut bytes = stream;
    let mut byte = [0];
    while !text.ends_with('\n') && bytes.read(&mut byte).unwrap_or(0) > 0 {
        text.push(char::from(byte[0]));
    }
    text
}

#[test]
fn one_after_the_other_in_one_write_or_byte_by_byte() {
    let served = serve(LIMITS);
    let mut stream = connect(&served.path);
    stream.write_all(b"a\nb\nc\n").unwrap();
    assert_eq!([line(&stream), line(&stream), line(&stream)], ["a\n", "b\n", "c\n"]);
    for byte in b"slow\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(line(&stream), "slow\n");
    // Who closes the half that it writes to is answered all the same.
    stream.write_all(b"last\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(line(&stream), "last\n");
    assert_eq!(line(&stream), "", "and then let go");
}

#[test]
fn what_is_too_long_is_told_so_and_let_go() {
    let served = serve(LIMITS);
    for long in [vec![b'a'; 65], [vec![b'a'; 64], b"\n".to_vec()].concat(), vec![0; 5_000]] {
        let mut stream = connect(&served.path);
        let _ = stream.write_all(&long);
        assert!(["too long\n", ""].contains(&line(&stream).as_str()));
        let mut rest = Vec::new();
        // A reset says as much as an end.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
    let mut stream = connect(&served.path);
    stream.write_all(&[&[b'a'; 63][..], b"\n"].concat()).unwrap();
    assert_eq!(line(&stream).len(), 64, "the longest that is answered");
}

#[test]
fn one_too_many_is_told_so_and_room_is_made() {
    let served = serve(LIMITS);
    let mut crowd: Vec<UnixStream> = (0..4).map(|_| connect(&served.path)).collect();
    for stream in &mut crowd {
        stream.write_all(b"here\n").unwrap();
        assert_eq!(line(stream), "here\n");
    }
    assert_eq!(line(&connect(&served.path)), "too many\n");
    drop(crowd.pop());
    let began = Instant::now();
    loop {
        let mut stream = connect(&served.path);
        let _ = stream.write_all(b"now\n");
        match line(&stream).as_str() {
            "now\n" => break,
            other => assert_eq!(other, "too many\n"),
        }
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn who_dawdles_or_does_not_read_is_let_go_and_holds_nobody_up() {
    let served = serve(LIMITS);
    let mut half = connect(&served.path);
    half.write_all(b"hal").unwrap();
    let mut unread = connect(&served.path);
    unread.write_all(b"900000x\n").unwrap();
    let mut other = connect(&served.path);
    other.write_all(b"x\n").unwrap();
    assert_eq!(line(&other), "x\n");
    half.write_all(b"f").unwrap();
    assert_eq!(line(&half), "", "let go, unanswered");
    let mut taken = Vec::new();
    let _ = unread.read_to_end(&mut taken);
    assert!(taken.len() < 900_000 * 8, "the rest was not kept for it");
}

#[test]
fn so_many_a_second_and_one_of_each_in_turn() {
    let served =
        serve(Limits { per_second: 20, request_bytes: 80, patience: Duration::from_secs(20), ..LIMITS });
    let mut greedy = connect(&served.path);
    greedy.write_all(&b"g\n".repeat(32)).unwrap();
    let mut modest = connect(&served.path);
    modest.write_all(b"m\n").unwrap();
    assert_eq!(line(&modest), "m\n");
    greedy.set_nonblocking(true).unwrap();
    let mut answered = Vec::new();
    let _ = greedy.read_to_end(&mut answered);
    greedy.set_nonblocking(false).unwrap();
    assert!(answered.len() < 64, "the modest one has waited for all that the greedy one wanted");
    greedy.write_all(b"bye\n").unwrap();
    greedy.read_to_end(&mut answered).unwrap();
    assert_eq!(answered, [&b"g\n".repeat(32)[..], b"bye\n"].concat());
}

#[test]
fn it_ends_when_it_is_dropped() {
    let Served { _folder, path, server } = serve(LIMITS);
    let stream = connect(&path);
    drop(server);
    assert_eq!(line(&stream), "", "its clients are let go");
    let began = Instant::now();
    loop {
        match UnixStream::connect(&path) {
            Err(error) => break assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            Ok(_) => assert!(began.elapsed() < Duration::from_secs(30)),
        }
    }
}
