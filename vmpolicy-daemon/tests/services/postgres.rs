//! PostgreSQL: any number that a query gives, sessions that wait, passwords, and a server that goes and comes.

use crate::run::{Running, Service, find, modest, own, secret};
use crate::{Anew, probe, read, until};
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use vmpolicy_core::input::Absence;

pub(crate) fn prepare(folder: &Path) {
    secret(&folder.join("root-password"), "se cret\n");
    own(&folder.join("root-password"));
    let mut init = modest(Command::new(find("initdb", "postgresql")));
    init.arg("-D").arg(folder.join("data")).arg("--pwfile").arg(folder.join("root-password"));
    init.args(["-U", "watch", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8"]);
    init.args(["--locale=C"]);
    let made = init.current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    // Ways to log in that are older, for users of these names.
    let rules = folder.join("data/pg_hba.conf");
    let text = std::fs::read_to_string(&rules).unwrap();
    let older =
        "host all clear 127.0.0.1/32 password\nhost all old 127.0.0.1/32 md5\nlocal all clear password\n";
    std::fs::write(&rules, format!("{older}{text}")).unwrap();
}

pub(crate) fn server() -> Service {
    let program = find("postgres", "postgresql");
    let server = Service::start(prepare, move |folder, port| {
        let mut command = modest(Command::new(&program));
        command.current_dir(folder).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        command.args(["-c", "max_connections=12", "-c", "shared_buffers=1MB"]);
        command
    });
    until(&mut *probe(&on_socket(&server, "SELECT 1", "")), "that it takes queries", |read| read == Ok(1.0));
    server
}

pub(crate) fn on_socket(server: &Service, query: &str, more: &str) -> String {
    let socket = server.path(&format!(".s.PGSQL.{}", server.port));
    format!(
        "postgres: {{ query: \"{query}\", user: watch, database: postgres, socket: \"{}\"{more} }}",
        socket.display()
    )
}

fn psql(server: &Service, sql: &str) -> Command {
    let mut command = modest(Command::new(find("psql", "postgresql-client")));
    command.arg("-h").arg(server.path("")).args(["-p", &server.port.to_string(), "-U", "watch"]);
    command.args(["-qX", "-d", "postgres", "-c", sql]).env("HOME", "/").current_dir("/");
    command
}

pub(crate) fn run(server: &Service, sql: &str) {
    let ran = psql(server, sql).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

const SLEEPERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

#[test]
fn what_the_database_is_busy_with_is_seen() {
    let mut server = server();
    let mut sleepers = probe(&on_socket(&server, SLEEPERS, ""));
    assert_eq!(sleepers.read(), Ok(0.0));
    let load: Vec<_> = (0..3).map(|_| Running::start(psql(&server, "SELECT pg_sleep(600)"))).collect();
    until(&mut *sleepers, "three that sleep", |read| read == Ok(3.0));
    drop(load);
    run(&server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    until(&mut *sleepers, "that they are gone", |read| read == Ok(0.0));

    // One connection for many polls; where it is killed, another one within the same poll.
    let own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vmpolicy'";
    let mut kept = probe(&on_socket(&server, own, ""));
    let count = kept.read().unwrap();
    for _ in 0..20 {
        assert_eq!(kept.read(), Ok(count));
    }
    run(
        &server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vmpolicy'",
    );
    assert!(kept.read().is_ok());

    // Its transactions are closed, and may only read.
    run(&server, "CREATE TABLE t (n int)");
    assert_eq!(read(&on_socket(&server, "INSERT INTO t VALUES (1) RETURNING n", "")), Err(Absence::Denied));
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'";
    assert_eq!(read(&on_socket(&server, open, "")), Ok(0.0));

    server.down(Signal::INT);
    assert_eq!(sleepers.read(), Err(Absence::Unreachable));
    assert!(server.up(), "{}", server.log());
    until(&mut *sleepers, "an answer after the restart", |read| read == Ok(0.0));
}

#[test]
fn what_a_query_gives_is_one_number_or_has_a_cause() {
    let server = server();
    let ask = |query: &str| read(&on_socket(&server, query, ""));
    assert_eq!(ask("SELECT 42"), Ok(42.0));
    assert_eq!(ask("SELECT -1.5::numeric"), Ok(-1.5));
    assert_eq!(ask("SELECT 1e300::float8"), Ok(1e300));
    assert_eq!(ask("SELECT 7;"), Ok(7.0));
    assert_eq!(ask("SELECT NULL::int"), Err(Absence::Missing));
    assert_eq!(ask("SELECT 1 WHERE false"), Err(Absence::Missing));
    assert_eq!(ask(""), Err(Absence::Missing));
    assert_eq!(ask("SELECT 1/0"), Err(Absence::Missing));
    assert_eq!(ask("SELECT * FROM no_such_table"), Err(Absence::Missing));
    assert_eq!(ask("SELECT 1, 2"), Err(Absence::Unparsable));
    assert_eq!(ask("SELECT * FROM generate_series(1, 3)"), Err(Absence::Unparsable));
    assert_eq!(ask("SELECT 'many'"), Err(Absence::Unparsable));
    assert_eq!(ask("SELECT true"), Err(Absence::Unparsable));
    assert_eq!(ask("SELECT 'NaN'::float8"), Err(Absence::NotFinite));
    assert_eq!(ask("SELEC 1"), Err(Absence::Denied));
    assert_eq!(ask("SELECT repeat('x', 3000000)"), Err(Absence::Unparsable), "megabytes");
    assert_eq!(
        ask("SELECT * FROM generate_series(1, 3000000)"),
        Err(Absence::Unparsable),
        "megabytes of rows"
    );

    let mut slow = probe(&on_socket(&server, "SELECT pg_sleep(60)", ", timeout: 300ms"));
    assert_eq!(slow.read(), Err(Absence::TimedOut));
    assert_eq!(slow.read(), Err(Absence::TimedOut));
    // The server does not go on with what nobody waits for.
    let mut left = probe(&on_socket(&server, SLEEPERS, ""));
    until(&mut *left, "that nobody sleeps", |read| read == Ok(0.0));
    let mut hasty = probe(&on_socket(&server, "SELECT 1", ", timeout: 300ms"));
    server.signal(Signal::STOP);
    assert_eq!(hasty.read(), Err(Absence::TimedOut), "it accepts, and that is all");
    server.signal(Signal::CONT);
    until(&mut *hasty, "an answer", |read| read == Ok(1.0));
}

#[test]
fn users_and_passwords() {
    let server = server();
    for sql in [
        "CREATE USER clear PASSWORD 'plain'",
        "SET password_encryption = md5; CREATE USER old PASSWORD 'plain'",
    ] {
        run(&server, sql);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let as_user = |user: &str, text: Option<&str>, place: &str| {
        let login = text.map_or_else(String::new, |text| {
            secret(&file, text);
            format!(", password_file: \"{}\"", file.display())
        });
        read(&format!("postgres: {{ query: SELECT 5, user: {user}, database: postgres, {place}{login} }}"))
    };
    let tcp = format!("host: 127.0.0.1, port: {}", server.port);
    let socket = format!("socket: \"{}\"", server.path(&format!(".s.PGSQL.{}", server.port)).display());
    assert_eq!(as_user("watch", Some("se cret\n"), &tcp), Ok(5.0), "by SCRAM");
    assert_eq!(as_user("watch", Some("wrong"), &tcp), Err(Absence::Denied));
    assert_eq!(as_user("watch", None, &tcp), Err(Absence::Denied));
    assert_eq!(as_user("nobody", Some("x"), &tcp), Err(Absence::Denied));
    assert_eq!(as_user("clear", Some("plain"), &tcp), Err(Absence::Denied), "not in the clear over TCP");
    assert_eq!(as_user("clear", Some("plain"), &socket), Ok(5.0));
    assert_eq!(as_user("clear", Some("wrong"), &socket), Err(Absence::Denied));
    assert_eq!(as_user("old", Some("plain"), &tcp), Err(Absence::Denied), "MD5");

    // A folder stands for the socket in it; this one's port is not the usual one.
    let folder = format!("socket: \"{}\"", server.path("").display());
    assert_eq!(as_user("watch", None, &folder), Err(Absence::Unreachable));
    std::os::unix::fs::symlink(
        server.path(&format!(".s.PGSQL.{}", server.port)),
        server.path(".s.PGSQL.5432"),
    )
    .unwrap();
    assert_eq!(as_user("watch", None, &folder), Ok(5.0));

    let _held: Vec<_> = (0..12).map(|_| Running::start(psql(&server, "SELECT pg_sleep(600)"))).collect();
    let mut crowded = Anew(format!(
        "postgres: {{ query: SELECT 5, user: clear, database: postgres, {socket}, password_file: \"{}\" }}",
        file.display()
    ));
    secret(&file, "plain");
    until(&mut crowded, "that it is full", |read| read == Err(Absence::Denied));
}
