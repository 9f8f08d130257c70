//! The client against servers that do what good ones seldom do.

use super::*;
use crate::certificates::{Identity, answer};
use crate::secret::Secret;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use vmpolicy_core::input::Absence;

const LIMIT: Duration = Duration::from_millis(400);

/// A server that treats each client so, after it has read what it is asked.
fn server(treat: impl Fn(TcpStream, String) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                asked.push(byte[0]);
            }
            treat(client, String::from_utf8_lossy(&asked).into_owned());
        }
    });
    port
}

/// A port at which nobody listens, for as long as the value lives: none of the servers here is given it meanwhile.
fn nobody() -> (std::os::fd::OwnedFd, u16) {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
    let held = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&held, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = std::net::SocketAddrV4::try_from(getsockname(&held).unwrap()).unwrap();
    (held, at.port())
}

fn answering(text: impl Into<Vec<u8>>) -> u16 {
    let text = text.into();
    server(move |mut client, _| {
        let _ = client.write_all(&text);
    })
}

fn settings() -> Settings {
    Settings { limit: LIMIT, body_max: 1_000, trust: Trust::System, proxy: Proxy::None }
}

fn get(url: &str, settings: Settings) -> Result<Answer, HttpError> {
    let url: Url = url.parse().unwrap();
    let auth = Auth::Bearer(Secret::new("t0psecret".to_owned()));
    let request = Request {
        method: Method::Get,
        url: &url,
        auth: &auth,
        headers: &[("x-key", "t0psecret")],
        body: b"",
    };
    let began = Instant::now();
    let answer = Client::new(&url, settings).and_then(|client| client.send(request));
    assert!(began.elapsed() < LIMIT * 8, "took {:?}", began.elapsed());
    if let Err(error) = &answer {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("t0psecret"), "{shown}");
    }
    answer
}

fn at(port: u16) -> Result<Answer, HttpError> {
    get(&format!("http://127.0.0.1:{port}/status?key=t0psecret"), settings())
}

#[test]
fn a_whole_answer_and_the_heads_that_callers_need() {
    let (send, asked) = std::sync::mpsc::channel();
    let port = server(move |mut client, request| {
        send.send(request).unwrap();
        let head = "HTTP/1.1 503 Busy\r\nETag: \"7\"\r\nRetry-After: 3\r\nContent-Type: text/plain\r\n";
        let head = format!("{head}Location: /x\r\n");
        let _ = client.write_all(format!("{head}Content-Length: 2\r\n\r\n42").as_bytes());
    });
    let answer = at(port).unwrap();
    assert_eq!(answer.body, b"42");
    let head = Head {
        status: 503,
        content_type: Some("text/plain".to_owned()),
        content_encoding: None,
        etag: Some("\"7\"".to_owned()),
        retry_after: Some("3".to_owned()),
        location: Some("/x".to_owned()),
    };
    assert_eq!(answer.head, head);
    let asked = asked.recv().unwrap().to_lowercase();
    assert!(asked.starts_with("get /status?key=t0psecret http/1.1\r\n"), "{asked}");
    for line in ["authorization: bearer t0psecret", "x-key: t0psecret", "connection: close"] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{asked}");
    }
}

#[test]
fn bodies_are_sent_whole() {
    for method in [Method::Post, Method::Put] {
        let port = server(move |mut client, request| {
            let mut body = [0; 5];
            client.read_exact(&mut body).unwrap();
            assert!(request.starts_with(method.name()), "{request}");
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            let _ = client.write_all(&body);
        });
        let url: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let client = Client::new(&url, settings()).unwrap();
        let request = Request { method, url: &url, auth: &Auth::None, headers: &[], body: b"hello" };
        assert_eq!(client.send(request).unwrap().body, b"hello");
    }
}

/// What comes of a body that is sent once, to this address.
fn post_once(url: &str, trust: Trust) -> Result<Answer, Unanswered> {
    let url: Url = url.parse().unwrap();
    let client = Client::new(&url, Settings { trust, ..settings() }).unwrap();
    let request =
        Request { method: Method::Post, url: &url, auth: &Auth::None, headers: &[], body: b"hello" };
    client.send_once(request, LIMIT)
}

#[test]
fn of_what_is_sent_once_it_is_known_whether_it_was_sent() {
    let plain = |port: u16| post_once(&format!("http://127.0.0.1:{port}/"), Trust::System);
    let port = server(|mut client, request| {
        let mut body = [0; 5];
        client.read_exact(&mut body).unwrap();
        assert!(request.to_lowercase().contains("\r\ncontent-length: 5\r\n"), "{request}");
        let _ = client
            .write_all(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://other/\r\nContent-Length: 5\r\n\r\n");
        let _ = client.write_all(&body);
    });
    // Sent elsewhere, it stays where it is.
    let answer = plain(port).unwrap();
    assert_eq!((answer.head.status, answer.body.as_slice()), (307, &b"hello"[..]));
    assert_eq!(answer.head.location.as_deref(), Some("http://other/"));

    let (_held, unused) = nobody();
    let (port, _) = secure("localhost");
    let (_, other) = secure("localhost");
    let nowhere = post_once("http://no.such.name.invalid/", Trust::System);
    for (what, broken) in [
        ("nobody there", plain(unused)),
        ("no such name", nowhere),
        ("a stranger", post_once(&format!("https://localhost:{port}/"), Trust::Pem(other.into_bytes()))),
    ] {
        assert!(!broken.unwrap_err().sent, "{what}");
    }
    let silent = server(|client, _| {
        thread::sleep(LIMIT * 4);
        drop(client);
    });
    let closing = server(|client, _| drop(client));
    let endless = server(|mut client, _| {
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while client.write_all(&[b'9'; 4_096]).is_ok() {}
    });
    for (port, expected) in [(silent, HttpError::TimedOut(LIMIT)), (endless, HttpError::TooLarge(1_000))] {
        assert_eq!(plain(port), Err(Unanswered { error: expected, sent: true }));
    }
    assert!(plain(closing).unwrap_err().sent);
}

#[test]
fn redirects_stay_within_the_origin() {
    let port = server(|mut client, request| {
        let path = request.split(' ').nth(1).unwrap().to_owned();
        let answer = match path.as_str() {
            "/whole" => "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1".to_owned(),
            "/away" => "HTTP/1.1 302 Found\r\nLocation: http://example.invalid/?t0psecret\r\n\r\n".to_owned(),
            "/file" => "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n".to_owned(),
            "/round" => "HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n".to_owned(),
            _ => "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: /whole\r\n\r\n".to_owned(),
        };
        let _ = client.write_all(answer.as_bytes());
    });
    let get = |path: &str| get(&format!("http://127.0.0.1:{port}{path}"), settings());
    assert_eq!(get("/old").unwrap().body, b"1");
    assert_eq!(get("/away"), Err(HttpError::Elsewhere("http://example.invalid/".to_owned())));
    assert!(matches!(get("/file"), Err(HttpError::Elsewhere(_))));
    assert!(matches!(get("/round"), Err(HttpError::Elsewhere(_))));

    // What is sent is sent to nobody else, and no other origin is asked by this client at all.
    let url: Url = format!("http://127.0.0.1:{port}/old").parse().unwrap();
    let client = Client::new(&url, settings()).unwrap();
    let post = Request { method: Method::Post, url: &url, auth: &Auth::None, headers: &[], body: b"x" };
    assert!(matches!(client.send(post), Err(HttpError::Elsewhere(_))));
    let other: Url = "http://127.0.0.2/".parse().unwrap();
    let request = Request { url: &other, method: Method::Get, ..post };
    assert!(matches!(client.send(request), Err(HttpError::Elsewhere(_))));
}

#[test]
fn a_chain_of_redirects_has_one_deadline() {
    let port = server(|mut client, _| {
        thread::sleep(LIMIT * 3 / 4);
        let _ = client.write_all(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /next\r\n\r\n");
    });
    assert_eq!(at(port), Err(HttpError::TimedOut(LIMIT)));
}

#[test]
fn what_is_no_whole_answer_is_an_error_with_its_cause() {
    let (_held, nobody) = nobody();
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let large = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'9'; 5_000_000]].concat();
    let heads = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1_000_000));
    for (what, port, absence) in [
        ("nobody", nobody, Absence::Unreachable),
        ("closes at once", answering(""), Absence::Unreachable),
        ("closes in the head", answering("HTTP/1.1 200 OK\r\nCont"), Absence::Unreachable),
        ("closes in the body", answering(format!("{whole}4")), Absence::Unreachable),
        ("megabytes", answering(large), Absence::Unparsable),
        ("megabytes of head", answering(heads), Absence::Unparsable),
        ("something else", answering("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Absence::Unparsable),
        ("zeros", answering(vec![0; 100_000]), Absence::Unparsable),
    ] {
        assert_eq!(at(port).map_err(|error| error.absence()), Err(absence), "{what}: {:?}", at(port));
    }
    assert_eq!(at(answering(format!("{whole}4"))), Err(HttpError::Torn));
}

#[test]
fn one_byte_at_a_time_is_too_slow_in_the_head_and_in_the_body() {
    let silent = server(|client, _| std::mem::forget(client));
    assert_eq!(at(silent), Err(HttpError::TimedOut(LIMIT)));
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"] {
        let drip = server(move |mut client, _| {
            thread::spawn(move || {
                let _ = client.write_all(head.as_bytes());
                let rest = "HTTP/1.1 200 OK\r\nX: ".bytes().chain(std::iter::repeat(b'x'));
                for byte in rest {
                    if client.write_all(&[byte]).is_err() {
                        break;
                    }
                    thread::sleep(LIMIT / 8);
                }
            });
        });
        assert_eq!(at(drip), Err(HttpError::TimedOut(LIMIT)), "{head:?}");
    }
}

#[test]
#[cfg(feature = "prometheus")]
fn a_packed_answer_is_unpacked_where_that_was_asked_for_and_bounded_as_it_grows() {
    let zipped = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let read = |body: &[u8], length: usize| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
        let url: Url =
            format!("http://127.0.0.1:{}/", answering([head.as_bytes(), body].concat())).parse().unwrap();
        let client = Client::new(&url, Settings { body_max: 100_000, ..settings() }).unwrap();
        let request =
            Request { method: Method::Get, url: &url, auth: &Auth::None, headers: &[PACKED], body: b"" };
        let mut opened = unpacked(client.open(request).unwrap(), 1_000);
        let mut body = Vec::new();
        match opened.body.read_to_end(&mut body) {
            Ok(_) => Ok(body),
            Err(error) => Err(client.broken(&error)),
        }
    };
    let small = zipped(&[b'7'; 1_000]);
    assert_eq!(read(&small, small.len()), Ok(vec![b'7'; 1_000]));
    let large = zipped(&vec![b'0'; 10_000_000]);
    assert_eq!(read(&large, large.len()), Err(HttpError::TooLarge(1_000)));
    assert_eq!(read(&small[..20], 20), Err(HttpError::Torn));
    assert!(matches!(read(b"<html>no gzip at all</html>", 27), Err(HttpError::NotHttp(_))));
}

/// A server with a certificate of its own, and that certificate as PEM.
fn secure(name: &str) -> (u16, String) {
    let identity = Identity::alone(name);
    let port = identity.serve(|stream| {
        answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42");
    });
    (port, identity.pem)
}

#[test]
fn certificates_are_believed_where_somebody_said_so_only() {
    let (port, pem) = secure("localhost");
    let (_, other) = secure("localhost");
    let trusting = |pem: &str| Settings { trust: Trust::Pem(pem.as_bytes().to_vec()), ..settings() };
    let url = format!("https://localhost:{port}/");
    assert_eq!(get(&url, trusting(&pem)).unwrap().body, b"42");
    for (what, url, settings) in [
        ("another's", url.clone(), trusting(&other)),
        ("of another name", format!("https://127.0.0.1:{port}/"), trusting(&pem)),
    ] {
        let error = get(&url, settings).unwrap_err();
        assert!(matches!(error, HttpError::Tls(_)), "{what}: {error:?}");
        assert_eq!(error.absence(), Absence::Unreachable);
    }
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(get(&url, trusting(pem)), Err(HttpError::Certificates(_))), "{pem:?}");
    }
    let nowhere = Settings { trust: Trust::File("/nonexistent".into()), ..settings() };
    assert!(matches!(get(&url, nowhere), Err(HttpError::Certificates(_))));
    // An address without TLS asks for no certificate.
    let nowhere = Settings { trust: Trust::File("/nonexistent".into()), ..settings() };
    let plain = answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7");
    assert_eq!(get(&format!("http://127.0.0.1:{plain}/"), nowhere).unwrap().body, b"7");
}

#[test]
fn tls_that_never_comes_about_has_the_same_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let (_, pem) = secure("localhost");
    let trust = Trust::Pem(pem.into_bytes());
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            // The beginning of a handshake's record, a byte at a time.
            for byte in [22, 3, 3, 63, 255].into_iter().chain(std::iter::repeat(0)) {
                if client.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(LIMIT / 8);
            }
        }
    });
    assert_eq!(get(&url, Settings { trust, ..settings() }), Err(HttpError::TimedOut(LIMIT)));
}
