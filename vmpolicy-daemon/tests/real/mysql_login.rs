//! Each way of logging in that a MariaDB has, over its socket, over TCP and by TLS, and each way of being turned away.

use crate::certificates::Identity;
use crate::server::Server;
use std::path::Path;
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;
use vmpolicy_daemon::probe::{Address, Failure, MysqlOptions, MysqlProbe, Source};
use vmpolicy_daemon::secret::SecretSource;
use vmpolicy_daemon::tls::Trust;

fn probe(status: &str, address: &Address, user: &str, password: Option<&Path>) -> MysqlProbe {
    MysqlProbe::new(MysqlOptions {
        status: status.to_owned(),
        address: address.clone(),
        user: user.to_owned(),
        password: password.map(|path| SecretSource::File(path.into())),
        limit: Duration::from_secs(20),
    })
}

#[test]
fn every_way_in_and_every_way_of_being_turned_away() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let shown = tempfile::tempdir().unwrap();
    let identity = Identity::alone("127.0.0.1");
    let [cert, key] = identity.write(shown.path());
    let options = [
        "--skip-networking=0",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        &format!("--port={port}"),
        &format!("--ssl-cert={}", cert.display()),
        &format!("--ssl-key={}", key.display()),
    ];
    let server = Server::start_with_users_and(&options);
    let host = || "127.0.0.1".to_owned();
    let places = [
        Address::Socket(server.socket()),
        Address::Tcp(host(), port),
        Address::Tls(host(), port, Trust::File(cert)),
    ];
    for host in ["localhost", "127.0.0.1"] {
        let accounts = [
            "plain@% IDENTIFIED BY 'se cret'",
            "other@% IDENTIFIED BY 'pÄss'",
            "open@%",
            // The server asks by the first, then by the second.
            "either@% IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('se cret')",
            "locked@% IDENTIFIED BY 'se cret' ACCOUNT LOCK",
            "expired@% IDENTIFIED BY 'se cret' PASSWORD EXPIRE",
            "secured@% IDENTIFIED BY 'se cret' REQUIRE SSL",
            "single@% IDENTIFIED BY 'se cret' WITH MAX_USER_CONNECTIONS 1",
        ];
        let made =
            accounts.map(|account| format!("CREATE USER {}", account.replace('%', &format!("'{host}'"))));
        server.run(&made.each_ref().map(String::as_str));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let password = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    let read = |address: &Address, user: &str, text: &str| -> Result<(), Failure> {
        password(text);
        probe("Uptime", address, user, Some(&file)).sample().map(|_| ())
    };
    for address in &places {
        for (user, text) in [("plain", "se cret"), ("other", "pÄss"), ("open", ""), ("either", "se cret")] {
            assert_eq!(read(address, user, text), Ok(()), "{user} at {address:?}");
        }
        assert!(probe("Uptime", address, "open", None).sample().is_ok());
        for (user, text, says) in [
            ("plain", "wrong", "using password: YES"),
            ("plain", "", "using password: NO"),
            ("open", "wrong", "using password: YES"),
            ("either", "wrong", "Access denied"),
            ("nobody", "se cret", "nobody"),
            ("locked", "se cret", "locked"),
            ("expired", "se cret", "(1820)"),
            ("plain\0", "se cret", "no user"),
        ] {
            let failure = read(address, user, text).unwrap_err();
            assert_eq!(failure.absence, Absence::Denied, "{user} at {address:?}: {failure:?}");
            assert!(failure.words.contains(says), "{user} at {address:?}: {failure:?}");
        }
        let secured = read(address, "secured", "se cret").map_err(|failure| failure.absence);
        assert_eq!(secured, if address.is_by_tls() { Ok(()) } else { Err(Absence::Denied) }, "{address:?}");
        password("se cret");
        let mut only = probe("Uptime", address, "single", Some(&file));
        assert!(only.sample().is_ok());
        let failure = read(address, "single", "se cret").unwrap_err();
        assert!(failure.absence == Absence::Denied && failure.words.contains("(1226)"), "{failure:?}");
        assert!(only.sample().is_ok(), "the one that is kept");
        // Who is thrown out comes back within the same poll.
        server.run(&["KILL USER single"]);
        assert!(only.sample().is_ok());
    }

    // All of them have said goodbye: what was aborted are the refused, and those that were thrown out.
    let aborted = server.value("Aborted_clients");
    let mut leaving = probe("Threads_connected", &places[0], "plain", Some(&file));
    let with = leaving.sample().unwrap();
    drop(leaving);
    let began = Instant::now();
    while probe("Threads_connected", &places[0], "open", None).sample() != Ok(with) {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not leave");
    }
    assert_eq!(server.value("Aborted_clients"), aborted);

    // By whom the system says one is. Last, as it may be the account of the test itself that changes.
    let me = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let me = me.trim();
    server.run(&[
        &format!("CREATE OR REPLACE USER '{me}'@'127.0.0.1' IDENTIFIED VIA unix_socket"),
        &format!("CREATE OR REPLACE USER '{me}'@localhost IDENTIFIED VIA unix_socket"),
    ]);
    assert!(probe("Uptime", &places[0], me, None).sample().is_ok());
    assert_eq!(read(&places[0], me, "a password that nobody asks for"), Ok(()));
    assert_eq!(read(&places[1], me, "").unwrap_err().absence, Absence::Denied);
}
