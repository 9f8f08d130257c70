//! Servers that are none, or hostile ones: every probe is Unknown with its cause, within its deadline.

use crate::certificates::{Authority, Identity, answer};
use crate::probe;
use crate::run::secret;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;

/// A server that treats each client so, on a thread for each.
pub(crate) fn server(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let treat = Arc::clone(&treat);
            thread::spawn(move || treat(client));
        }
    });
    port
}

/// Whom those believe that are to ask by TLS; none of the servers here is vouched for.
static AUTHORITY: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (new, path) = (folder.join(std::process::id().to_string()), folder.join("authority.pem"));
    std::fs::write(&new, Authority::new().pem()).unwrap();
    std::fs::rename(new, &path).unwrap();
    path
});

/// Every probe that asks a server, by its name.
pub(crate) fn all(port: u16) -> Vec<(&'static str, String)> {
    let tls = format!("tls: true, ca_file: \"{}\"", AUTHORITY.display());
    let url = format!("url: \"http://127.0.0.1:{port}/x\"");
    let tcp = format!("host: 127.0.0.1, port: {port}");
    let limit = "timeout: 400ms";
    vec![
        ("apache", format!("apache: {{ field: IdleWorkers, {url}, {limit} }}")),
        ("nginx", format!("nginx: {{ field: active, {url}, {limit} }}")),
        ("prometheus", format!("prometheus: {{ query: up, {url}, {limit} }}")),
        ("http", format!("http: {{ pointer: /a, {url}, {limit} }}")),
        ("redis", format!("redis: {{ info: used_memory, {tcp}, {limit} }}")),
        ("postgres", format!("postgres: {{ query: SELECT 1, user: u, {tcp}, {limit} }}")),
        ("redis-by-tls", format!("redis: {{ info: used_memory, {tcp}, {tls}, {limit} }}")),
        ("postgres-by-tls", format!("postgres: {{ query: SELECT 1, user: u, {tcp}, {tls}, {limit} }}")),
        #[cfg(feature = "mysql")]
        ("mysql", format!("mysql: {{ status: Uptime, user: u, {tcp}, {limit} }}")),
        #[cfg(feature = "mysql")]
        ("mysql-by-tls", format!("mysql: {{ status: Uptime, user: u, {tcp}, {tls}, {limit} }}")),
    ]
}

/// What each probe makes of it, twice; the second time it may have a connection that it kept.
fn against(what: &str, port: u16, expected: impl Fn(&str) -> Vec<Absence>) {
    for (name, written) in all(port) {
        let mut probe = probe(&written);
        for _ in 0..2 {
            let began = Instant::now();
            let read = probe.read();
            let took = began.elapsed();
            let absence = read.expect_err(&format!("{name}: {what}"));
            assert!(expected(name).contains(&absence), "{name}: {what}: {absence:?}");
            assert!(took < Duration::from_secs(4), "{name}: {what}: {took:?}");
        }
    }
}

const GONE: [Absence; 1] = [Absence::Unreachable];
const SLOW: [Absence; 1] = [Absence::TimedOut];

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    against("nobody", port, |_| GONE.to_vec());
}

#[test]
fn it_accepts_and_that_is_all() {
    let port = server(|client| {
        thread::sleep(Duration::from_secs(60));
        drop(client);
    });
    against("silence", port, |_| SLOW.to_vec());
}

#[test]
fn it_closes() {
    against("at once", server(drop), |_| GONE.to_vec());
    // After the first bytes of what would be an answer to each.
    for beginning in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"[..],
        b"$1000\r\nused_mem",
        b"R\0\0\0\x08\0\0",
        b"\x4a\0\0\0\x0a5.5.5",
    ] {
        let port = server(move |mut client| {
            let _ = client.read(&mut [0; 4_096]);
            let _ = client.write_all(beginning);
        });
        against("midway", port, |_| vec![Absence::Unreachable, Absence::Unparsable, Absence::TimedOut]);
    }
}

#[test]
fn it_drips_a_byte_at_a_time() {
    let port = server(|mut client| {
        for byte in b"HTTP/1.1 200 OK\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
            if client.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    // To those that don't speak HTTP its first byte is wrong already.
    against("drip", port, |name| match name {
        "redis" | "postgres" | "postgres-by-tls" => vec![Absence::Unparsable],
        "redis-by-tls" => vec![Absence::Unreachable],
        "mysql" | "mysql-by-tls" => vec![Absence::TimedOut, Absence::Unparsable, Absence::Unreachable],
        _ => SLOW.to_vec(),
    });
    for (name, bytes) in [("redis", &b"$200000\r\n"[..]), ("postgres", b"E\0\0\xff\xff")] {
        let port = server(move |mut client| {
            for byte in bytes.iter().chain(std::iter::repeat(&b'x')) {
                if client.write_all(&[*byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        let written = all(port).into_iter().find(|(kind, _)| *kind == name).unwrap().1;
        assert_eq!(probe(&written).read(), Err(Absence::TimedOut), "{name}");
    }
}

#[test]
fn it_sends_megabytes_and_the_wrong_things() {
    for beginning in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\n\r\n[",
        b"$262000\r\n",
        b"*1000000000\r\n",
        b"D\x7f\xff\xff\xff",
        b"\xff\xff\xff\0",
        b"\0",
        b"-ERR ",
        b"+",
    ] {
        let port = server(move |mut client| {
            let _ = client.write_all(beginning);
            // Clients go when they have had enough.
            for _ in 0..200 {
                if client.write_all(&[b'9'; 65_536]).is_err() {
                    return;
                }
            }
        });
        against("megabytes", port, |_| {
            vec![Absence::Unparsable, Absence::Unreachable, Absence::Denied, Absence::TimedOut]
        });
    }
}

#[test]
fn it_wants_to_know_who_one_is() {
    let port = server(|mut client| {
        let mut asked = [0; 4_096];
        let read = client.read(&mut asked).unwrap_or(0);
        let answer: &[u8] = match asked.first() {
            Some(b'*') => b"-NOAUTH Authentication required.\r\n",
            // AuthenticationSASL, SCRAM-SHA-256.
            Some(0) => b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
            _ => b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        };
        let _ = client.write_all(answer);
        if read > 0 {
            let _ = client.read(&mut [0; 1]);
        }
    });
    for (name, written) in all(port) {
        // A MySQL server speaks first, and by TLS nobody is told anything.
        if name != "mysql" && !name.ends_with("-by-tls") {
            assert_eq!(probe(&written).read(), Err(Absence::Denied), "{name}");
        }
    }
}

#[test]
fn a_password_is_not_shown_to_who_can_not_prove_to_know_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    secret(&file, "hunter2\n");
    for (what, challenge, expected) in [
        ("few rounds", "r=%xx,s=AAAA,i=1", Absence::Denied),
        ("billions of rounds", "r=%xx,s=AAAA,i=4294967295", Absence::Unparsable),
        ("another's nonce", "r=xx,s=AAAA,i=1", Absence::Unparsable),
    ] {
        let (send, seen) = std::sync::mpsc::channel();
        let port = server(move |mut client| {
            let mut all = Vec::new();
            let mut hear = |client: &mut TcpStream| {
                let mut bytes = [0; 4_096];
                let read = client.read(&mut bytes).unwrap_or(0);
                all.extend_from_slice(&bytes[..read]);
                bytes[..read].to_vec()
            };
            hear(&mut client);
            let _ = client.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
            let first = String::from_utf8_lossy(&hear(&mut client)).into_owned();
            let nonce = first.split("r=").nth(1).unwrap_or_default().to_owned();
            let challenge = challenge.replace('%', &nonce);
            let mut message = vec![b'R'];
            message.extend_from_slice(&u32::try_from(challenge.len() + 8).unwrap().to_be_bytes());
            message.extend_from_slice(b"\0\0\0\x0b");
            message.extend_from_slice(challenge.as_bytes());
            let _ = client.write_all(&message);
            hear(&mut client);
            // A proof that is none, and then all is well.
            let _ = client.write_all(b"R\0\0\0\x0e\0\0\0\x0cv=AAAAR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
            let _ = send.send(all.clone());
        });
        let written = format!(
            "postgres: {{ query: SELECT 1, user: u, host: 127.0.0.1, port: {port}, timeout: 5s, password_file: \"{}\" }}",
            file.display()
        );
        assert_eq!(probe(&written).read(), Err(expected), "{what}");
        let seen = String::from_utf8_lossy(&seen.recv().unwrap()).into_owned();
        assert!(!seen.contains("hunter2"), "{what}");
    }
}

#[test]
fn its_certificate_is_not_to_be_believed() {
    let identity = Identity::alone("localhost");
    let port = identity.serve(|stream| {
        answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    });
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own.pem"), folder.path().join("other.pem"));
    std::fs::write(&own, &identity.pem).unwrap();
    std::fs::write(&other, Identity::alone("localhost").pem).unwrap();
    for (name, written) in all(port).into_iter().filter(|(_, written)| written.contains("url:")) {
        let secure = written.replace("http://127.0.0.1", "https://localhost").replace("400ms", "5s");
        let distrusting = secure.replace("timeout:", &format!("ca_file: \"{}\", timeout:", other.display()));
        assert_eq!(probe(&distrusting).read(), Err(Absence::Unreachable), "{name}");
        if name == "http" {
            let trusting = secure.replace("timeout:", &format!("ca_file: \"{}\", timeout:", own.display()));
            assert_eq!(probe(&trusting).read(), Ok(1.0));
        }
    }
}
