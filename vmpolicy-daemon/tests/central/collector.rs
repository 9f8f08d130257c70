//! Collectors of the tests: what they heard, and what it must come to.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a collector does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes it and says so.
    Takes,
    /// Takes it, and its answer is lost.
    Loses,
    /// Closes in the middle of it.
    Closes,
    /// Fails.
    Fails,
    /// Says what is no answer.
    Babbles,
    /// Says nothing for longer than anybody waits.
    Sleeps,
}

/// What a collector has heard.
#[derive(Clone, Default)]
pub(crate) struct Heard(pub(crate) Arc<Mutex<Vec<Value>>>);

impl Heard {
    pub(crate) fn take(&self, lines: &[u8]) {
        let text = std::str::from_utf8(lines).unwrap();
        let values = text.lines().map(|line| serde_json::from_str(line).unwrap());
        self.0.lock().unwrap().extend(values);
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    /// The records as they were first heard, without what the collector is told beside; none is missing, none came
    /// before one with a smaller number.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Value> {
        let mut records: Vec<Value> = Vec::new();
        let mut log = None;
        for mut record in self.all() {
            let object = record.as_object_mut().unwrap();
            let number = object.remove("number").unwrap().as_u64().unwrap();
            let its = object.remove("log").unwrap();
            assert_eq!(*log.get_or_insert_with(|| its.clone()), its);
            let next = records.len() as u64 + 1;
            assert!(number <= next, "{number} before {next}");
            match usize::try_from(number - 1).ok().and_then(|at| records.get(at)) {
                Some(before) => assert_eq!(*before, record, "{number} stands for two records"),
                None => records.push(record),
            }
        }
        records
    }

    pub(crate) fn doubles(&self) -> usize {
        self.all().len() - self.records().len()
    }
}

/// A collector by HTTP with a mood for each batch.
pub(crate) fn http(heard: Heard, mood: impl Fn(usize) -> Mood + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (count, client) in listener.incoming().map_while(Result::ok).enumerate() {
            let (mood, heard) = (mood(count), heard.clone());
            if mood == Mood::Sleeps {
                // Kept open, on a thread of its own, for as long as the test runs.
                thread::spawn(move || {
                    let mut all = Vec::new();
                    let _ = (&client).read_to_end(&mut all);
                });
                continue;
            }
            answer(client, mood, &heard);
        }
    });
    port
}

fn answer(client: TcpStream, mood: Mood, heard: &Heard) {
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(&client);
    let (mut length, mut line) = (0, String::new());
    let mut head = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    assert!(head.starts_with("POST "), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-ndjson\r\n"), "{head}");
    if mood == Mood::Closes {
        return;
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    if matches!(mood, Mood::Takes | Mood::Loses) {
        heard.take(&body);
        let values: Vec<Value> = std::str::from_utf8(&body)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (first, last) = (&values[0], &values[values.len() - 1]);
        let key = format!(
            "idempotency-key: {}-{}-{}\r\n",
            first["log"].as_str().unwrap(),
            first["number"],
            last["number"]
        );
        assert!(head.to_ascii_lowercase().contains(&key), "{head}");
    }
    let text = match mood {
        Mood::Takes => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        Mood::Fails => {
            "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        Mood::Babbles => "nothing of sense\r\n\r\n",
        _ => return,
    };
    let _ = (&client).write_all(text.as_bytes());
}

/// A collector by TCP with a mood for each connection.
pub(crate) fn tcp(heard: Heard, mood: impl Fn(usize) -> Mood + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (count, mut client) in listener.incoming().map_while(Result::ok).enumerate() {
            let (mood, heard) = (mood(count), heard.clone());
            match mood {
                Mood::Takes => {
                    let mut all = Vec::new();
                    client.read_to_end(&mut all).unwrap();
                    heard.take(&all);
                }
                // It dies with what it has not read, and the connection is reset.
                Mood::Loses | Mood::Closes => {
                    let _ = client.read(&mut [0; 10]);
                }
                Mood::Babbles => {
                    let _ = client.write_all(&[b'x'; 1 << 20]);
                }
                Mood::Fails => {}
                Mood::Sleeps => {
                    thread::spawn(move || {
                        thread::sleep(Duration::from_secs(5));
                        drop(client);
                    });
                }
            }
        }
    });
    port
}

/// Moods by chance, the same each time; some batches are taken.
pub(crate) fn moody(seed: usize) -> impl Fn(usize) -> Mood + Send + Sync {
    move |count| {
        // Knuth's multiplier; the upper bits are the better ones.
        let draw =
            (count + seed).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
                >> 40;
        match draw % 8 {
            0 => Mood::Loses,
            1 => Mood::Closes,
            2 => Mood::Fails,
            3 => Mood::Babbles,
            _ => Mood::Takes,
        }
    }
}
