//! Conversations with servers that follow a script: good ones, each broken off and each damaged anywhere, and what
//! a hostile one may say. (`tests/real` has a MariaDB; a MySQL 8 is nothing that Debian has.)

use super::super::packets::Packets;
use super::*;
use crate::certificates::Identity;
use crate::stream::Stream;
use crate::tls::Trust;
use proptest::prelude::*;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};

const PASSWORD: &str = "se cret";

/// By PyMySQL 1.2.4, of `PASSWORD` and the nonce `A` to `T`.
const NATIVE: [u8; 20] = *b"\xf4\x77\xb0\x7a\x26\xb3\x49\xee\xb4\x41\x6b\x64\x23\xf4\x2a\xf0\x46\x50\x04\x60";
const SHA2: [u8; 32] = *b"\xf6\x56\xbb\x3d\xab\x50\x97\xd3\xc6\xa0\xf5\x95\x55\x45\xcd\xe7\
    \xf3\x0f\xc2\xb8\x80\x91\xa2\x1d\x76\x0a\x8e\x24\xdb\x76\x12\x7b";

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const END: &[u8] = b"\xfe\0\0\x02\0";
const REQUEST: &[u8] = b"\x03SHOW GLOBAL STATUS LIKE 'Uptime'";
const QUIT: &[u8] = b"\x01";

fn packet(number: usize, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&length[..3], &[u8::try_from(number).unwrap()], body].concat()
}

/// Packets of one exchange, counted from a number on.
fn packets(first: usize, bodies: &[&[u8]]) -> Vec<u8> {
    bodies.iter().zip(first..).flat_map(|(body, number)| packet(number, body)).collect()
}

/// `Protocol::HandshakeV10`, of a server whose usual way is this one.
fn greeting(way: &str) -> Vec<u8> {
    let parts: [&[u8]; 9] = [
        b"\x0a8.4.3\0\x2a\0\0\0ABCDEFGH\0",
        // What it can do, in halves round its charset (utf8mb4) and status.
        b"\xff\xff",
        b"\xff\x02\0",
        b"\xff\xdf",
        b"\x15",
        &[0; 10],
        b"IJKLMNOPQRST\0",
        way.as_bytes(),
        b"\0",
    ];
    packet(0, &parts.concat())
}

/// The answer to it that is expected.
fn response(way: &str, proof: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 9] = [
        b"\x01\x82\x08\0",
        b"\0\0\0\x01",
        b"\x2d",
        &[0; 23],
        b"watch\0",
        &[u8::try_from(proof.len()).unwrap()],
        proof,
        way.as_bytes(),
        b"\0",
    ];
    packet(1, &parts.concat())
}

fn switch(way: &str) -> Vec<u8> {
    [b"\xfe", way.as_bytes(), b"\0ABCDEFGHIJKLMNOPQRST\0"].concat()
}

/// What `SHOW GLOBAL STATUS LIKE` gives, as these rows.
fn result(rows: &[&[u8]]) -> Vec<u8> {
    let column: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x2d\0\0\x04\0\0\xfd\x01\0\x1f\0\0";
    packets(1, &[&[&b"\x02"[..], column, column, END], rows, &[END]].concat())
}

const ROW: &[u8] = b"\x06Uptime\x0242";

fn options(address: Address) -> MysqlOptions {
    let status = "Uptime".to_owned();
    MysqlOptions { status, address, user: "watch".to_owned(), password: None, limit: Duration::from_secs(20) }
}

/// Where it listens. The conversation itself is over a pair of sockets.
#[derive(Clone, Copy)]
enum At {
    Socket,
    Network,
}

/// What is read of a server.
type Value = Result<Option<Vec<u8>>, Failure>;

/// What is read of a server that says this and no more; and what it hears.
fn heard(at: At, password: &str, says: &[u8]) -> (Value, Vec<u8>) {
    let (mut server, client) = UnixStream::pair().unwrap();
    server.write_all(says).unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let options = options(match at {
        At::Socket => Address::Socket("s".into()),
        At::Network => Address::Tcp("h".to_owned(), 3306),
    });
    let password = Secret::new(password.to_owned());
    let deadline = Deadline::within(options.limit);
    let mut connection = Connection::over(Packets::over(Stream::from(client)));
    let read = login::log_in(&mut connection, &options, Some(&password), &mut Route::default(), deadline)
        .and_then(|()| ask(&mut connection, &options.status, deadline));
    drop(connection);
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).unwrap();
    (read, heard)
}

/// A conversation that is as it should be: what the server says, and what it is to hear.
struct Good {
    at: At,
    password: &'static str,
    says: Vec<u8>,
    hears: Vec<u8>,
}

fn good() -> Vec<Good> {
    let (native, sha2) = ("mysql_native_password", "caching_sha2_password");
    let mut all = Vec::new();
    let mut add = |at, password, login: &[Vec<u8>], answers: &[Vec<u8>]| {
        let says = [login.concat(), result(&[ROW])].concat();
        let hears = [answers.concat(), packet(0, REQUEST), packet(0, QUIT)].concat();
        all.push(Good { at, password, says, hears });
    };
    for at in [At::Socket, At::Network] {
        add(at, PASSWORD, &[greeting(native), packet(2, OK)], &[response(native, &NATIVE)]);
        // A MySQL 8 that remembers the password.
        add(at, PASSWORD, &[greeting(sha2), packets(2, &[b"\x01\x03", OK])], &[response(sha2, &SHA2)]);
        // Nobody's password.
        add(at, "", &[greeting(sha2), packet(2, OK)], &[response(sha2, b"")]);
        // Accounts of another kind than is usual there.
        let asked = [greeting(native), packet(2, &switch(sha2)), packets(4, &[b"\x01\x03", OK])];
        add(at, PASSWORD, &asked, &[response(native, &NATIVE), packet(3, &SHA2)]);
        let asked = [greeting("sha256_password"), packet(2, &switch(native)), packet(4, OK)];
        add(at, PASSWORD, &asked, &[response(native, &NATIVE), packet(3, &NATIVE)]);
        for socket in ["unix_socket", "auth_socket"] {
            let asked = [greeting(native), packet(2, &switch(socket)), packet(4, OK)];
            add(at, PASSWORD, &asked, &[response(native, &NATIVE), packet(3, b"")]);
        }
    }
    // A MySQL 8 that does not remember it.
    let asked = [greeting(sha2), packet(2, b"\x01\x04"), packet(4, OK)];
    add(At::Socket, PASSWORD, &asked, &[response(sha2, &SHA2), packet(3, b"se cret\0")]);
    all
}

#[test]
fn what_is_said_is_what_the_documents_say() {
    for Good { at, password, says, hears } in good() {
        let (read, heard) = heard(at, password, &says);
        assert_eq!(read.unwrap().unwrap(), b"42");
        assert_eq!(heard.escape_ascii().to_string(), hears.escape_ascii().to_string());
    }
}

#[test]
fn a_server_that_breaks_off_is_unreachable_wherever_it_does() {
    for Good { at, password, says, .. } in good() {
        for end in 0..says.len() {
            let (read, _) = heard(at, password, &says[..end]);
            assert_eq!(read.unwrap_err().absence, Absence::Unreachable, "{}", says[..end].escape_ascii());
        }
    }
}

#[test]
fn a_damaged_byte_is_never_a_panic() {
    for Good { at, password, says, .. } in good() {
        for place in 0..says.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut damaged = says.clone();
                damaged[place] ^= damage;
                let _ = heard(at, password, &damaged);
            }
        }
    }
}

/// Whether a password is among what was said.
fn shown(heard: &[u8]) -> bool {
    heard.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes())
}

#[test]
fn the_password_itself_goes_over_no_network_and_to_no_other_way() {
    let (native, sha2) = ("mysql_native_password", "caching_sha2_password");
    let full = packet(2, b"\x01\x04");
    let (read, said) = heard(At::Network, PASSWORD, &[greeting(sha2), full.clone()].concat());
    let failure = read.unwrap_err();
    assert_eq!(failure.absence, Absence::Denied);
    assert!(failure.words.contains("`tls: true`"), "{failure:?}");
    assert!(!shown(&said));

    let (read, said) = heard(At::Socket, PASSWORD, &[greeting(native), full].concat());
    assert_eq!(read.unwrap_err().absence, Absence::Unparsable, "that is none of this way's words");
    assert!(!shown(&said));
    let quoting = packet(4, b"\xff\x15\x04#28000Who says `se cret` here?");
    let (read, _) = heard(At::Socket, PASSWORD, &[greeting(sha2), packet(2, b"\x01\x04"), quoting].concat());
    assert_eq!(read.unwrap_err().words, "Who says `***` here? (1045)");
    let twice = [greeting(sha2), packet(2, b"\x01\x04"), packet(4, b"\x01\x04")].concat();
    assert_eq!(heard(At::Socket, PASSWORD, &twice).0.unwrap_err().absence, Absence::Unparsable);

    for way in ["client_ed25519", "parsec", "mysql_clear_password", "sha256_password", "dialog", "no\x1bway"]
    {
        for at in [At::Socket, At::Network] {
            let (read, said) = heard(at, PASSWORD, &[greeting(native), packet(2, &switch(way))].concat());
            let failure = read.unwrap_err();
            assert_eq!(failure.absence, Absence::Denied);
            assert!(failure.words.contains(&way.replace('\x1b', " ")), "{failure:?}");
            assert_eq!(said, response(native, &NATIVE));
        }
    }
    // The request of a server that is older than ways with names.
    let failure =
        heard(At::Socket, PASSWORD, &[greeting(native), packet(2, b"\xfe")].concat()).0.unwrap_err();
    assert!(failure.words.contains("mysql_old_password"), "{failure:?}");
    let again = [greeting(sha2), packet(2, &switch(native)), packet(4, &switch(native))].concat();
    assert_eq!(heard(At::Socket, PASSWORD, &again).0.unwrap_err().absence, Absence::Unparsable);
}

/// The same by TLS: what the server says in the clear, and what by TLS. What it hears in the clear, and what by TLS.
fn heard_by_tls(clear: Vec<u8>, says: Vec<u8>) -> (Value, [Vec<u8>; 2]) {
    let identity = Identity::alone("localhost");
    let trust = Trust::Pem(identity.pem.clone().into_bytes());
    let (mut server, client) = UnixStream::pair().unwrap();
    let served = std::thread::spawn(move || {
        server.write_all(&clear).unwrap();
        let mut request = vec![0; 36];
        let mut heard = Vec::new();
        if server.read_exact(&mut request).is_err() {
            return [Vec::new(), heard];
        }
        let mut stream = identity.over(server);
        let _ = stream.write_all(&says).and_then(|()| stream.flush());
        // Nothing is said after that: a client that closes with something unread takes back what it has said.
        let _ = stream.read_to_end(&mut heard);
        [request, heard]
    });
    let options = options(Address::Tls("localhost".to_owned(), 3306, trust));
    let password = Secret::new(PASSWORD.to_owned());
    let deadline = Deadline::within(options.limit);
    let mut connection = Connection::over(Packets::over(Stream::from(client)));
    let mut route = Route::default();
    let read = login::log_in(&mut connection, &options, Some(&password), &mut route, deadline)
        .and_then(|()| ask(&mut connection, &options.status, deadline));
    drop(connection);
    (read, served.join().unwrap())
}

#[test]
fn by_tls_a_mysql_is_shown_all_that_it_needs_and_before_it_nothing() {
    let (native, sha2) = ("mysql_native_password", "caching_sha2_password");
    // As without, with a flag more and a number later.
    let answer = |way: &str, proof: &[u8]| {
        let mut answer = response(way, proof);
        (answer[3], answer[5]) = (2, 0x8a);
        answer
    };
    let request = [&b"\x20\0\0\x01\x01\x8a\x08\0\0\0\0\x01\x2d"[..], &[0; 23]].concat();
    for (way, login, hears) in [
        (native, packet(3, OK), answer(native, &NATIVE)),
        (sha2, packets(3, &[b"\x01\x03", OK]), answer(sha2, &SHA2)),
        // One that does not remember the password.
        (
            sha2,
            [packet(3, b"\x01\x04"), packet(5, OK)].concat(),
            [answer(sha2, &SHA2), packet(4, b"se cret\0")].concat(),
        ),
    ] {
        let (read, [clear, private]) = heard_by_tls(greeting(way), [login, result(&[ROW])].concat());
        assert_eq!(read.unwrap().unwrap(), b"42");
        assert_eq!(clear.escape_ascii().to_string(), request.escape_ascii().to_string());
        let hears = [hears, packet(0, REQUEST), packet(0, QUIT)].concat();
        assert_eq!(private.escape_ascii().to_string(), hears.escape_ascii().to_string());
    }
    // Somebody on the way leaves TLS out of the greeting, or goes on behind it.
    let mut without = greeting(native);
    let flags = without.iter().position(|byte| *byte == 0xff).unwrap();
    without[flags + 1] = 0xf7;
    let (read, heard) = heard_by_tls(without, Vec::new());
    let failure = read.unwrap_err();
    assert_eq!((failure.absence, heard), (Absence::Denied, [Vec::new(), Vec::new()]), "{failure:?}");
    let (read, [_, private]) = heard_by_tls([greeting(native), packet(3, OK)].concat(), Vec::new());
    assert_eq!((read.unwrap_err().absence, private), (Absence::Unparsable, Vec::new()));
}

#[test]
fn a_refusal_has_its_cause_at_every_stage() {
    let at = At::Socket;
    let login = [greeting("mysql_native_password"), packet(2, OK)].concat();
    let denied = b"\xff\x15\x04#28000Access denied for user 'watch'@'localhost'";
    let ended = b"\xff\xbf\x0f#HY000The client was disconnected by the server because of inactivity.";
    for (says, absence, words) in [
        (packet(0, b"\xff\x10\x04Too many connections"), Absence::Denied, "Too many connections (1040)"),
        (packet(0, b"\xff\x1d\x04#08S01Server shutdown"), Absence::Unreachable, "(1053)"),
        ([greeting("x"), packet(2, denied)].concat(), Absence::Denied, "'watch'@'localhost' (1045)"),
        ([login.clone(), packet(1, denied)].concat(), Absence::Denied, "(1045)"),
        // Said before anything was asked.
        ([login.clone(), packet(0, ended)].concat(), Absence::Unreachable, "(4031)"),
        ([login, packet(1, b"\xff\x01")].concat(), Absence::Unparsable, "speak"),
        (packet(0, b"\x0a3.23.58\0\x2a\0\0\0ABCDEFGH\0\x2c\0\x08\x02\0\0\0"), Absence::Denied, "3.23.58"),
    ] {
        let failure = heard(at, PASSWORD, &says).0.unwrap_err();
        assert_eq!(failure.absence, absence, "{failure:?}");
        assert!(failure.words.contains(words), "{failure:?}");
    }
}

#[test]
fn results_that_are_none() {
    let login = [greeting("mysql_native_password"), packet(2, OK)].concat();
    let read = |says: &[u8]| {
        heard(At::Socket, PASSWORD, &[&login, says].concat()).0.map_err(|failure| failure.absence)
    };
    assert_eq!(read(&result(&[])), Ok(None));
    assert_eq!(read(&result(&[b"\x06Uptima\x0242", b"\x06UPTIME\x017"])), Ok(Some(b"7".to_vec())));
    assert_eq!(read(&result(&[b"\x06Uptime\xfb"])), Ok(None), "NULL");
    // A row that would be 300 kB, in a packet that says so.
    let mut long = result(&[ROW]);
    let row = long.len() - packet(6, END).len() - packet(5, ROW).len();
    long[row..row + 3].copy_from_slice(&[0xe0, 0x93, 0x04]);
    let many = [ROW; ROWS_MAX];
    for wrong in [
        packet(1, OK),
        packet(1, b"\x01"),
        packet(1, b"\x03"),
        // It wants a file of ours.
        packet(1, b"\xfb/etc/passwd"),
        packet(2, b"\x02"),
        packets(1, &[b"\x02", END]),
        packets(1, &[b"\x02", b"a", b"b", b"c"]),
        packets(1, &[b"\x02", b""]),
        result(&[b"\x06Uptime"]),
        result(&[b"\x06Uptime\x0342"]),
        long,
        result(&many),
    ] {
        assert_eq!(read(&wrong), Err(Absence::Unparsable), "{}", wrong[..wrong.len().min(80)].escape_ascii());
    }
}

/// A server on a socket that says this to its first client, that to its second, and is there for no third.
fn serving(scripts: Vec<Vec<u8>>) -> (tempfile::TempDir, MysqlProbe, std::thread::JoinHandle<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let served = std::thread::spawn(move || {
        let talk = |script: &Vec<u8>| {
            let (mut client, _) = listener.accept().unwrap();
            client.write_all(script).unwrap();
            client
        };
        let clients: Vec<_> = scripts.iter().map(talk).collect();
        drop(listener);
        let mut said = Vec::new();
        clients.into_iter().map(|mut client| client.read_to_end(&mut said).unwrap()).count()
    });
    (folder, MysqlProbe::new(options(Address::Socket(path))), served)
}

#[test]
fn a_farewell_is_answered_by_one_new_connection_within_the_poll() {
    let login = |last: &[u8]| [&greeting("mysql_native_password"), &packet(2, OK)[..], last].concat();
    let ended = packet(0, b"\xff\xbf\x0f#HY000inactivity");
    let first = login(&[result(&[ROW]), ended.clone()].concat());

    let (_folder, mut probe, served) = serving(vec![first.clone(), login(&result(&[b"\x06Uptime\x0243"]))]);
    assert_eq!(probe.sample(), Ok(42.0));
    assert_eq!(probe.sample(), Ok(43.0));
    drop(probe);
    assert_eq!(served.join().unwrap(), 2);

    // Nonsense on a kept connection too.
    let odd = login(&[result(&[ROW]), packet(7, b"?")].concat());
    let (_folder, mut probe, served) = serving(vec![odd, login(&ended)]);
    assert_eq!(probe.sample(), Ok(42.0));
    assert_eq!(probe.sample().unwrap_err().absence, Absence::Unreachable, "not a third time");
    drop(probe);
    assert_eq!(served.join().unwrap(), 2);
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        far in any::<bool>(),
    ) {
        let at = if far { At::Network } else { At::Socket };
        let _ = heard(at, PASSWORD, &bytes);
        let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
        let hello = greeting("caching_sha2_password");
        let _ = heard(at, PASSWORD, &[hello.clone(), packets(2, &bodies)].concat());
        let _ = heard(at, PASSWORD, &[hello, packet(2, OK), packets(1, &bodies)].concat());
        let _ = heard(at, PASSWORD, &packets(0, &bodies));
    }
}
