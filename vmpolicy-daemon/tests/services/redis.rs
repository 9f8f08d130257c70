//! Redis: its figures, a list, users, and what it says when it can't.

use crate::run::{Service, find, modest, own, secret};
use crate::{probe, read, until};
use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use vmpolicy_core::input::Absence;

pub(crate) fn server(options: &'static [&'static str]) -> Service {
    let program = find("redis-server", "redis-server");
    Service::start(own, move |folder, port| {
        let mut command = Command::new(&program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        command.arg("--dir").arg(folder).arg("--unixsocket").arg(folder.join("s")).args(options);
        command.args(["--unixsocketperm", "777"]);
        modest(command)
    })
}

/// A client's own words, and the answer's first line.
pub(crate) fn say(port: u16, words: &str) -> (String, TcpStream) {
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(format!("{words}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    (String::from_utf8(answer).unwrap().trim().to_owned(), client)
}

#[test]
fn figures_and_lists_grow_with_what_they_count() {
    let mut server = server(&[]);
    let port = server.port;
    let at = |what: &str| format!("redis: {{ {what}, host: 127.0.0.1, port: {port} }}");
    let mut clients = probe(&at("info: connected_clients"));
    until(&mut *clients, "nobody but ours", |read| read == Ok(1.0));
    let held: Vec<_> = (0..4).map(|_| say(port, "PING").1).collect();
    until(&mut *clients, "four more", |read| read == Ok(5.0));
    drop(held);
    until(&mut *clients, "that they are gone", |read| read == Ok(1.0));
    assert!(read(&at("info: used_memory")).unwrap() > 100_000.0);

    let mut jobs = probe(&at("list_length: jobs"));
    assert_eq!(jobs.read(), Ok(0.0), "no list is an empty one");
    assert_eq!(say(port, "RPUSH jobs a b c").0, ":3");
    assert_eq!(jobs.read(), Ok(3.0));
    assert_eq!(read(&at("list_length: jobs, database: 1")), Ok(0.0));
    let socket = format!("redis: {{ list_length: jobs, socket: \"{}\" }}", server.path("s").display());
    assert_eq!(read(&socket), Ok(3.0));

    assert_eq!(read(&at("info: nothing")), Err(Absence::Missing));
    assert_eq!(read(&at("info: redis_version")), Err(Absence::Unparsable));
    assert_eq!(read(&at("list_length: jobs, database: 4711")), Err(Absence::Denied));
    say(port, "SET word x");
    assert_eq!(read(&at("list_length: word")), Err(Absence::Unparsable));
    assert_eq!(read("redis: { info: used_memory, socket: /nonexistent }"), Err(Absence::Unreachable));

    let mut hasty = probe(&at("info: connected_clients, timeout: 200ms"));
    server.signal(Signal::STOP);
    assert_eq!(hasty.read(), Err(Absence::TimedOut));
    server.signal(Signal::CONT);
    until(&mut *hasty, "an answer", |read| read.is_ok());
    server.down(Signal::TERM);
    assert_eq!(hasty.read(), Err(Absence::Unreachable));
    assert!(server.up(), "{}", server.log());
    until(&mut *hasty, "an answer after the restart", |read| read.is_ok());
}

#[test]
fn users_and_passwords() {
    let server =
        server(&["--requirepass", "se cret", "--user", "watch", "on", ">s3cret", "~*", "+info", "+select"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let with = |what: &str, more: &str| {
        let login = format!("password_file: \"{}\"", file.display());
        read(&format!("redis: {{ {what}, host: 127.0.0.1, port: {}, {login}{more} }}", server.port))
    };
    let bare = format!("redis: {{ info: used_memory, port: {} }}", server.port);
    assert_eq!(read(&bare), Err(Absence::Denied));
    secret(&file, "wrong");
    assert_eq!(with("info: used_memory", ""), Err(Absence::Denied));
    secret(&file, "se cret\n");
    assert!(with("info: used_memory", "").is_ok());
    secret(&file, "s3cret\n");
    assert!(with("info: used_memory", ", user: watch").is_ok());
    assert_eq!(with("list_length: jobs", ", user: watch"), Err(Absence::Denied), "it may not");
}

#[test]
fn too_many_clients_is_a_refusal() {
    let server = server(&["--maxclients", "4"]);
    let _held: Vec<_> = (0..4).map(|_| say(server.port, "PING").1).collect();
    assert_eq!(read(&format!("redis: {{ info: used_memory, port: {} }}", server.port)), Err(Absence::Denied));
}
