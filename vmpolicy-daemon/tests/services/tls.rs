//! PostgreSQL and Redis by TLS: believed with the right authority and name, and otherwise told nothing.

use crate::certificates::{Authority, Identity};
use crate::misbehaving;
use crate::run::{Service, find, modest, own, secret};
use crate::{postgres, told, until};
use rustix::process::Signal;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;
use vmpolicy_core::input::Absence;

/// Whom a client may believe, and its password, in files; and what came of its asking.
struct Client {
    folder: TempDir,
    right: Authority,
    told: String,
}

impl Client {
    fn new() -> Self {
        let (folder, right) = (tempfile::tempdir().unwrap(), Authority::new());
        for (name, pem) in
            [("right", right.pem()), ("other", Authority::new().pem()), ("empty", String::new())]
        {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        secret(&folder.path().join("password"), "se cret");
        Self { folder, right, told: String::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// By TLS, and who is believed.
    fn tls(&self, authority: &str) -> String {
        format!("tls: true, ca_file: \"{}\"", self.path(authority).display())
    }

    /// Writes down what is read, or why not. Ports and folders differ from run to run.
    fn ask(&mut self, what: &str, written: &str) -> Absence {
        let password = self.path("password");
        let written = written.replace("PASSWORD", &format!("password_file: \"{}\"", password.display()));
        let (absence, said) = match told(&written) {
            Ok(_) => (Absence::NotFed, "a number".to_owned()),
            Err((absence, words)) => (absence, format!("{}: {words}", absence.name())),
        };
        let said = said.replace(&format!("{}/", self.folder.path().display()), "");
        writeln!(self.told, "{what:<34} {said}").unwrap();
        absence
    }

    /// All that a server can be asked whose certificate is as it should be. `@` stands for its address in the probe.
    fn ask_all(&mut self, probe: &str, port: u16) {
        let at = |host: &str, more: &str| {
            probe.replace('@', &format!("host: {host}, port: {port}, timeout: 20s, {more}"))
        };
        for (what, written) in [
            ("the right authority and name", at("localhost", &self.tls("right"))),
            ("another authority", at("localhost", &self.tls("other"))),
            ("those that the system trusts", at("localhost", "tls: true")),
            ("another name", at("127.0.0.1", &self.tls("right"))),
            ("in the clear", at("localhost", "tls: false")),
            ("no such file of authorities", at("localhost", &self.tls("nowhere"))),
            ("none in the file of authorities", at("localhost", &self.tls("empty"))),
        ] {
            self.ask(what, &written);
        }
    }

    /// Servers that say this and then nothing more, or that close.
    fn ask_fakes(&mut self, probe: &str, says: &'static [u8]) {
        let silent = misbehaving::server(move |mut client| {
            let _ = client.write_all(says);
            // Until the client has had enough.
            let _ = client.read_to_end(&mut Vec::new());
        });
        let closing = misbehaving::server(move |mut client| {
            let _ = client.write_all(says);
            // A request for TLS is shorter; what begins a handshake comes whole.
            let (mut heard, mut bytes) = (0, [0; 4_096]);
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                heard += count;
                if heard > 100 {
                    return;
                }
            }
        });
        for (what, port, limit) in [("it says nothing more", silent, "300ms"), ("it closes", closing, "20s")]
        {
            let tls = self.tls("right");
            let at = format!("host: 127.0.0.1, port: {port}, timeout: {limit}, {tls}");
            self.ask(what, &probe.replace('@', &at));
        }
    }
}

/// What a service of this folder shows.
fn show(identity: &Identity, folder: &Path) {
    identity.write(folder).iter().for_each(|path| own(path));
}

/// A server by TLS, and the port at which it has none.
fn redis(client: &Client) -> (Service, Arc<AtomicU16>) {
    let program = find("redis-server", "redis-server");
    let plain = Arc::new(AtomicU16::new(0));
    let prepare = |folder: &Path| {
        own(folder);
        show(&client.right.vouches_for("localhost"), folder);
    };
    let set = Arc::clone(&plain);
    let server = Service::start(prepare, move |folder, port| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        set.store(free, Ordering::Relaxed);
        let mut command = modest(Command::new(&program));
        command.args(["--bind", "127.0.0.1", "--save", "", "--requirepass", "se cret"]);
        command.args(["--port", &free.to_string(), "--tls-port", &port.to_string()]);
        command.args([
            "--tls-cert-file",
            "cert.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-auth-clients",
            "no",
        ]);
        command.arg("--dir").arg(folder).current_dir(folder);
        command
    });
    (server, plain)
}

#[test]
fn a_redis_by_tls() {
    let mut client = Client::new();
    let (mut server, plain) = redis(&client);
    let probe = "redis: { info: used_memory, PASSWORD, @ }";
    client.ask_all(probe, server.port);
    client.ask_fakes(probe, b"");
    let tls = client.tls("right");
    let at = |port: u16, limit: &str| {
        probe.replace('@', &format!("host: localhost, port: {port}, timeout: {limit}, {tls}"))
    };
    // Whether it answers nonsense or waits for the end of a line depends on the bytes of the handshake.
    let absence = client.ask("-", &at(plain.load(Ordering::Relaxed), "1s"));
    assert!([Absence::Unreachable, Absence::TimedOut].contains(&absence), "{}", client.told);
    let (before, _) = client.told.trim_end().rsplit_once('\n').unwrap();
    client.told = format!("{before}\n");

    server.down(Signal::TERM);
    show(&client.right.vouched_for("localhost"), &server.path(""));
    assert!(server.up(), "{}", server.log());
    client.ask("expired", &at(server.port, "20s"));
    insta::assert_snapshot!("redis_by_tls", client.told);
}

#[test]
fn a_postgresql_that_has_no_tls_or_goes_on_in_the_clear_hears_no_more_than_the_question() {
    let mut client = Client::new();
    let probe = "postgres: { query: SELECT 5, user: watch, PASSWORD, @ }";
    for (says, absence) in [
        (&b"N"[..], Absence::Denied),
        (b"E\0\0\0\x09SFATAL\0", Absence::Denied),
        // As if from within TLS: it is all well, ask.
        (b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", Absence::Unparsable),
        (b"R\0\0\0\x08\0\0\0\0", Absence::Unparsable),
    ] {
        let (send, heard) = std::sync::mpsc::channel();
        let port = misbehaving::server(move |mut client| {
            let _ = client.write_all(says);
            let mut bytes = Vec::new();
            let _ = client.read_to_end(&mut bytes);
            let _ = send.send(bytes);
        });
        let at = format!("host: localhost, port: {port}, {}", client.tls("right"));
        assert_eq!(client.ask("it", &probe.replace('@', &at)), absence, "{}", client.told);
        assert_eq!(heard.recv().unwrap(), b"\0\0\0\x08\x04\xd2\x16\x2f");
    }
}

#[test]
fn a_postgresql_by_tls() {
    let mut client = Client::new();
    let program = find("postgres", "postgresql");
    let prepare = |folder: &Path| {
        postgres::prepare(folder);
        let rules = "local all all trust\nhostssl all clear 127.0.0.1/32 password\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(folder.join("data/pg_hba.conf"), rules).unwrap();
        show(&client.right.vouches_for("localhost"), folder);
    };
    let mut server = Service::start(prepare, move |folder, port| {
        let mut command = modest(Command::new(&program));
        command.current_dir(folder).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        command.args(["-c", "max_connections=12", "-c", "shared_buffers=1MB"]);
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        if cert.exists() {
            command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", cert.display())]);
            command.args(["-c", &format!("ssl_key_file={}", key.display())]);
        }
        command
    });
    let port = server.port;
    let socket = server.path(&format!(".s.PGSQL.{port}"));
    let ready = |_: &Service| {
        let written = format!(
            "postgres: {{ query: SELECT 1, user: watch, database: postgres, socket: \"{}\" }}",
            socket.display()
        );
        until(&mut *crate::probe(&written), "that it takes queries", |read| read == Ok(1.0));
    };
    ready(&server);
    postgres::run(&server, "CREATE USER clear PASSWORD 'se cret'");
    let probe = "postgres: { query: SELECT 5, user: watch, database: postgres, PASSWORD, @ }";
    client.ask_all(probe, port);
    let tls = client.tls("right");
    let at = |probe: &str, port: u16| {
        probe.replace('@', &format!("host: localhost, port: {port}, timeout: 20s, {tls}"))
    };
    client.ask("a password in the clear", &at(&probe.replace("watch", "clear"), port));
    // What the server says of a connection, which is kept.
    let by_tls = "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let mut kept = crate::probe(&at(
        &probe
            .replace("SELECT 5", by_tls)
            .replace("PASSWORD", &format!("password_file: \"{}\"", client.path("password").display())),
        port,
    ));
    assert_eq!([kept.read(), kept.read()], [Ok(1.0), Ok(1.0)]);
    drop(kept);
    client.ask_fakes(probe, b"S");

    server.down(Signal::INT);
    show(&client.right.vouched_for("localhost"), &server.path(""));
    assert!(server.up(), "{}", server.log());
    ready(&server);
    client.ask("expired", &at(probe, port));
    assert!(
        !server.log().contains("SSL error") && !server.log().contains("unexpected eof"),
        "{}",
        server.log()
    );
    server.down(Signal::INT);
    std::fs::remove_file(server.path("cert.pem")).unwrap();
    assert!(server.up(), "{}", server.log());
    ready(&server);
    client.ask("no TLS there", &at(probe, port));
    insta::assert_snapshot!("postgresql_by_tls", client.told);
}

/// `Protocol::HandshakeV10` of a MySQL that has TLS.
#[cfg(feature = "mysql")]
const GREETING: &[u8] = b"\x49\0\0\0\x0a8.4.3\0\x2a\0\0\0ABCDEFGH\0\xff\xff\x2d\x02\0\xff\xdf\x15\
    \0\0\0\0\0\0\0\0\0\0IJKLMNOPQRST\0caching_sha2_password\0";

#[cfg(feature = "mysql")]
#[test]
fn a_mariadb_by_tls() {
    use crate::server::Server;
    let mut client = Client::new();
    let folder = tempfile::tempdir().unwrap();
    client.right.vouches_for("localhost").write(folder.path());
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let network = |port: u16| {
        ["--skip-networking=0".to_owned(), "--bind-address=127.0.0.1".to_owned(), format!("--port={port}")]
    };
    let (port, plain) = (free(), free());
    let [cert, key] =
        ["cert", "key"].map(|what| format!("--ssl-{what}={}/{what}.pem", folder.path().display()));
    let [skip, bind, at_port] = network(port);
    let options: [&str; 6] = [&skip, &bind, &at_port, &cert, &key, "--require-secure-transport=ON"];
    let mut server = Server::start_with_users_and(&options);
    server.run(&[
        "CREATE USER watch@'127.0.0.1' IDENTIFIED BY 'se cret'",
        "CREATE USER watch@localhost IDENTIFIED BY 'se cret'",
    ]);
    let probe = "mysql: { status: Uptime, user: watch, PASSWORD, @ }";
    client.ask_all(probe, port);
    let tls = client.tls("right");
    let at = |port: u16| probe.replace('@', &format!("host: localhost, port: {port}, timeout: 20s, {tls}"));
    client.ask_fakes(probe, GREETING);
    server.down();
    client.right.vouched_for("localhost").write(folder.path());
    server.up();
    client.ask("expired", &at(port));
    let _plain = Server::start_with(&network(plain).each_ref().map(String::as_str));
    client.ask("no TLS there", &at(plain));
    insta::assert_snapshot!("mariadb_by_tls", client.told);
}
