//! The story: a guest that moves under load, goes to base when idle, and is not fooled by its
//! database.

use crate::guest::{Guest, assert_asked_once, policy};
use crate::server::Server;
use std::thread;
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;
use vmpolicy_daemon::probe::{Address, MysqlOptions, MysqlProbe, Source};
use vmpolicy_daemon::secret::SecretSource;

const RULES: &str = "  - { name: overloaded, when: slow_queries > 3, tarry: 3, do: move }
  - { name: idle, when: slow_queries < 1, tarry: 6, do: move-to-base }
";

#[test]
fn a_guest_moves_under_load_and_goes_to_base_when_idle() {
    let server = Server::start();
    let moves = "settle: 100ms, confirm_within: 20s, at_most: 100 per 1m, tour: keep-going";
    let mut guest = Guest::new(&policy(&server.socket(), "250ms", RULES, moves));
    // Eight clients with a slow query every tenth of a second: 20 in each poll.
    let load = server.load(8);
    guest.start();
    guest.wait_for("two moves", |guest| guest.events("confirmed").len() >= 2);
    assert_eq!(guest.asked()[..2], ["nii3 mln1 mln2 nii3-1", "nii3 mln2 mln3 nii3-2"]);
    let first = &guest.events("request")[0];
    assert_eq!((&first["rule"], &first["do"]), (&"overloaded".into(), &"move".into()), "{first}");
    assert_eq!(first["because"]["counter"], 3);
    assert!(first["because"]["conditions"][0]["saw"].as_f64().unwrap() > 3.0);

    drop(load);
    guest.wait_for("the base", |guest| guest.location() == "mln4");
    guest.wait_for("its confirmation", |guest| {
        guest.events("confirmed").last().is_some_and(|record| record["at_host"] == "mln4")
    });
    assert_eq!(guest.events("request").last().unwrap()["rule"], "idle");

    let (status, took) = guest.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_asked_once(&guest.asked());

    // Under load again it leaves the base for the ring, after the host that it left last.
    let left = guest.asked().iter().rev().find(|line| line.contains(" mln4 ")).unwrap().clone();
    let load = server.load(8);
    let before = guest.asked().len();
    guest.start();
    guest.wait_for("leaving the base", |guest| guest.asked().len() > before);
    drop(load);
    let next = if left.contains(" mln3 ") {
        "mln1"
    } else if left.contains(" mln2 ") {
        "mln3"
    } else {
        "mln2"
    };
    assert!(guest.asked()[before].starts_with(&format!("nii3 mln4 {next} ")), "{left}: {:?}", guest.asked());
    assert_asked_once(&guest.asked());
}

/// Slow queries that have happened already.
fn slow_queries(server: &Server, count: usize) {
    server.run(&vec!["SELECT SLEEP(0.06)"; count]);
}

#[test]
fn a_restart_of_the_database_moves_nobody() {
    let mut server = Server::start();
    slow_queries(&server, 20);
    // A first reading taken for a difference would be 20, and a restart's difference would be -20.
    let rules = "  - { name: jumped, when: slow_queries > 3, tarry: 1, do: move }
  - { name: fell, when: slow_queries < 0, tarry: 1, do: move-to-base }
";
    let mut guest = Guest::new(&policy(&server.socket(), "4s", rules, "settle: 100ms"));
    let before = server.value("Com_show_status");
    guest.start();
    // Each look at the counter counts itself; one more is the daemon's first poll.
    let mut looks = 0;
    guest.wait_for("the first poll", |_| {
        looks += 1;
        server.value("Com_show_status") > before + looks
    });
    let began = Instant::now();
    server.down();
    server.up();
    let took = began.elapsed();
    guest.wait_for("an unknown", |guest| !guest.events("unknown").is_empty());
    let reason = guest.events("unknown")[0]["reason"].clone();
    if took < Duration::from_secs(3) {
        // Back before the second poll: that one found a closed connection, made a new one, and read less
        // than before.
        assert_eq!(reason, "counter-reset", "restarted in {took:?}; log:\n{}", guest.log());
    }
    thread::sleep(Duration::from_secs(5));
    assert!(guest.events("request").is_empty(), "{:#?}", guest.records());
    assert!(guest.asked().is_empty());
}

#[test]
fn a_database_that_is_down_or_slow_is_unknown_once_and_moves_nobody() {
    let mut server = Server::start();
    slow_queries(&server, 20);
    let rules = "  - { name: jumped, when: slow_queries > 3, tarry: 1, do: move }
  - { name: not-busy, when: { not: slow_queries > -1 }, tarry: 1, do: move-to-base }
";
    let policy = policy(&server.socket(), "200ms", rules, "settle: 100ms")
        .replace("user: root", "user: root, timeout: 120ms");
    let mut guest = Guest::new(&policy);
    guest.start();
    thread::sleep(Duration::from_secs(1));
    let reasons = |guest: &Guest| {
        guest
            .events("unknown")
            .iter()
            .map(|record| record["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    server.down();
    guest.wait_for("an unknown", |guest| reasons(guest).contains(&"unreachable".to_owned()));
    let so_far = reasons(&guest).len();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(reasons(&guest).len(), so_far, "said more than once: {:?}", reasons(&guest));
    let complaints = guest.log().matches("no reading").count();
    assert!(complaints <= so_far, "logged more than once per change:\n{}", guest.log());

    server.up();
    guest.wait_for("an answer", |guest| guest.log().contains("answers again"));
    thread::sleep(Duration::from_secs(1));
    server.freeze();
    guest.wait_for("a time-out", |guest| {
        reasons(guest).iter().skip(so_far).any(|reason| reason == "timed-out" || reason == "late")
    });
    thread::sleep(Duration::from_secs(1));
    server.thaw();
    thread::sleep(Duration::from_secs(1));
    assert!(guest.events("request").is_empty(), "{:#?}", guest.records());

    // It has not gone deaf: under load it moves.
    let _load = server.load(8);
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
}

fn probe(server: &Server, status: &str, user: &str, password_file: Option<&std::path::Path>) -> MysqlProbe {
    MysqlProbe::new(MysqlOptions {
        status: status.to_owned(),
        address: Address::Socket(server.socket()),
        user: user.to_owned(),
        password: password_file.map(|path| SecretSource::File(path.into())),
        limit: Duration::from_secs(5),
    })
}

#[test]
fn what_the_server_says_is_what_the_engine_hears() {
    let mut server = Server::start_with(&["--max-connections=10"]);
    let read = |server: &Server, status: &str| {
        probe(server, status, "root", None).sample().map_err(|failure| failure.absence)
    };
    assert!(read(&server, "Uptime").is_ok());
    assert!(read(&server, "uptime").is_ok(), "names are the same in either case");
    assert_eq!(read(&server, "Slow_querie"), Err(Absence::Missing));
    assert_eq!(read(&server, "Slow%"), Err(Absence::Missing));
    assert_eq!(read(&server, "x' OR 1=1 -- "), Err(Absence::Missing));
    assert_eq!(read(&server, "Rpl_semi_sync_master_status"), Err(Absence::Unparsable), "it is ON or OFF");

    // A connection that is kept: many polls, one connection.
    let mut kept = probe(&server, "Connections", "root", None);
    let first = kept.sample().unwrap();
    for _ in 0..50 {
        assert_eq!(kept.sample(), Ok(first));
    }
    // Killed from outside, it is replaced within the same poll.
    server.down();
    server.up();
    assert!(kept.sample().is_ok());

    drop(kept);
    {
        let _held = server.crowd(50);
        assert_eq!(read(&server, "Uptime"), Err(Absence::Denied), "too many connections");
    }
    server.freeze();
    let mut slow = MysqlProbe::new(MysqlOptions {
        status: "Uptime".to_owned(),
        address: Address::Socket(server.socket()),
        user: "root".to_owned(),
        password: None,
        limit: Duration::from_millis(200),
    });
    let began = Instant::now();
    assert_eq!(slow.sample().unwrap_err().absence, Absence::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(2));
    server.thaw();
    server.down();
    assert_eq!(read(&server, "Uptime"), Err(Absence::Unreachable));
}

#[test]
fn users_and_passwords() {
    let server = Server::start_with_users();
    server.run(&["CREATE USER watcher@localhost IDENTIFIED BY 'se cret'"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let mut right = probe(&server, "Uptime", "watcher", Some(&file));
    assert_eq!(right.sample().unwrap_err().absence, Absence::Denied, "there is no password file yet");
    std::fs::write(&file, "wrong\n").unwrap();
    let failure = right.sample().unwrap_err();
    assert!(failure.absence == Absence::Denied && failure.words.contains("chmod 600"), "{failure:?}");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let failure = right.sample().unwrap_err();
    assert_eq!(failure.absence, Absence::Denied);
    assert!(failure.words.contains("watcher") && !failure.words.contains("wrong"), "{failure:?}");
    std::fs::write(&file, "se cret\r\n").unwrap();
    assert!(right.sample().is_ok());
    assert_eq!(probe(&server, "Uptime", "nobody", None).sample().unwrap_err().absence, Absence::Denied);

    // From the environment, which no record, log line or child may show.
    let policy = policy(
        &server.socket(),
        "100ms",
        "  - { name: up, when: slow_queries >= 0, tarry: 3, do: move }\n",
        "settle: 1s",
    )
    .replace("user: root", "user: watcher");
    let mut guest = Guest::new(&policy);
    guest.script(&format!("env >> {}", guest.path("environment").display()));
    let mut command = guest.command();
    command.env("VMPOLICY_MYSQL_PASSWORD", "se cret");
    guest.start_as(command);
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    for text in [guest.log(), format!("{:?}", guest.records()), guest.state().unwrap().to_string()] {
        assert!(!text.contains("se cret"), "{text}");
    }
    assert!(!std::fs::read_to_string(guest.path("environment")).unwrap().contains("se cret"));
}

#[test]
fn over_tcp_too() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options =
        ["--skip-networking=0".to_owned(), "--bind-address=127.0.0.1".to_owned(), format!("--port={port}")];
    let server = Server::start_with(&options.each_ref().map(String::as_str));
    let mut probe = MysqlProbe::new(MysqlOptions {
        status: "Slow_queries".to_owned(),
        address: Address::Tcp("127.0.0.1".to_owned(), port),
        user: "root".to_owned(),
        password: None,
        limit: Duration::from_secs(5),
    });
    assert_eq!(probe.sample(), Ok(0.0));
    slow_queries(&server, 3);
    assert_eq!(probe.sample(), Ok(3.0));
}
