//! A server that answers what it is told to answer, byte for byte: what a real one does only when something is
//! broken.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

pub(crate) struct Fake {
    pub(crate) port: u16,
    thread: JoinHandle<Vec<String>>,
}

impl Fake {
    /// Answers one connection after the other, each with the next of these; an empty one is no answer: the
    /// connection stays open until the other side closes it.
    pub(crate) fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                asked.push(request(&stream));
                if answer.is_empty() {
                    let _ = stream.read(&mut [0]);
                } else {
                    // Who does not want to read all of it goes.
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
            asked
        });
        Self { port, thread }
    }

    /// What it was asked.
    pub(crate) fn asked(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

/// Head and body of a request.
fn request(stream: &TcpStream) -> String {
    let mut from = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

/// An answer by HTTP.
pub(crate) fn http(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// An answer of a Prometheus that all is well.
pub(crate) fn matrix(result: &str, more: &str) -> String {
    let body = format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}{more}}}"#);
    http("200 OK", "application/json", &body)
}
