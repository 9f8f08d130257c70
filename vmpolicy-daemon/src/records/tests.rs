use super::*;
use std::os::unix::net::UnixDatagram;
use vmpolicy_core::file::parse;

/// The places of a policy file.
fn places(written: &str) -> Vec<RecordPlace> {
    let text = format!("version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nrecords: {written}\n");
    let parsed = parse(text.as_bytes());
    assert_eq!(parsed.problems, [], "{written}");
    parsed.shell.records.into_iter().map(|located| located.value).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn settings(&self, argument: Option<&str>) -> Settings {
        Settings::new(argument.map(|name| self.0.path().join(name)), self.0.path().join("spool"))
    }
}

fn change(records: &mut Records, written: &str) {
    let prepared = records.prepare(&places(written)).unwrap();
    records.change(prepared);
}

#[test]
fn each_place_has_each_record_once_whatever_the_others_do() {
    let folder = Folder::new();
    let (a, socket) = (folder.at("a"), folder.at("socket"));
    let written = format!("[{{ file: {a} }}, {{ journal: {{ socket: {socket} }} }}]");
    let mut records = Records::open(folder.settings(Some("b")), &places(&written)).unwrap();
    let mut lines = b"{\"n\":1}\n".to_vec();
    // Nobody listens at the socket yet.
    let error = records.write(&mut lines).unwrap_err().to_string();
    assert!(error.starts_with(&socket), "{error}");
    assert_eq!(lines, b"{\"n\":1}\n");
    lines.extend_from_slice(b"{\"n\":2}\n");
    assert!(records.write(&mut lines).is_err());
    let journald = UnixDatagram::bind(&socket).unwrap();
    lines.extend_from_slice(b"{\"n\":3}\n");
    records.write(&mut lines).unwrap();
    assert!(lines.is_empty());
    let all = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n";
    assert_eq!((folder.text("a"), folder.text("b")), (all.to_owned(), all.to_owned()));
    for n in 1..=3 {
        let mut entry = [0; 256];
        let count = journald.recv(&mut entry).unwrap();
        let entry = String::from_utf8_lossy(&entry[..count]).into_owned();
        assert!(entry.ends_with(&format!("MESSAGE={{\"n\":{n}}}\n")), "{entry}");
    }
}

#[test]
fn what_is_given_up_is_given_up_everywhere_and_at_the_end_of_a_line() {
    let folder = Folder::new();
    let written =
        format!("[{{ file: {} }}, {{ journal: {{ socket: {} }} }}]", folder.at("a"), folder.at("none"));
    let mut records = Records::open(folder.settings(None), &places(&written)).unwrap();
    let mut lines = b"{\"n\":1}\n{\"n\":2}\n".to_vec();
    assert!(records.write(&mut lines).is_err());
    lines.drain(..8);
    records.shed(8, lines.len());
    lines.extend_from_slice(b"{\"n\":3}\n");
    let journald = UnixDatagram::bind(folder.at("none")).unwrap();
    records.write(&mut lines).unwrap();
    assert_eq!(folder.text("a"), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    journald.set_nonblocking(true).unwrap();
    let mut entries = Vec::new();
    let mut entry = [0; 256];
    while let Ok(count) = journald.recv(&mut entry) {
        entries.push(String::from_utf8_lossy(&entry[..count]).trim_end().to_owned());
    }
    let ends: Vec<_> = entries.iter().map(|entry| &entry[entry.len() - 2..entry.len() - 1]).collect();
    assert_eq!(ends, ["2", "3"]);
}

#[test]
fn a_change_of_places_keeps_what_waits() {
    let folder = Folder::new();
    let nobody = format!("{{ journal: {{ socket: {} }} }}", folder.at("none"));
    let mut records = Records::open(folder.settings(None), &places(&nobody)).unwrap();
    let mut lines = b"{\"n\":1}\n".to_vec();
    assert!(records.write(&mut lines).is_err());
    change(&mut records, &format!("{{ file: {} }}", folder.at("a")));
    records.write(&mut lines).unwrap();
    assert_eq!(folder.text("a"), "{\"n\":1}\n");
    // What can't be opened changes nothing.
    let bad = places("{ file: /proc/nowhere/x }");
    assert!(records.prepare(&bad).is_err());
    let mut lines = b"{\"n\":2}\n".to_vec();
    records.write(&mut lines).unwrap();
    assert_eq!(folder.text("a"), "{\"n\":1}\n{\"n\":2}\n");
}

#[test]
fn a_collector_that_goes_and_comes_back_gets_what_it_missed() {
    let folder = Folder::new();
    // A port that nobody listens at.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let collector = format!("{{ tcp: {{ address: \"{address}\", timeout: 100ms }} }}");
    let mut records = Records::open(folder.settings(None), &places(&collector)).unwrap();
    records.write(&mut b"{\"n\":1}\n".to_vec()).unwrap();
    // It is asked otherwise from now on, and keeps what there is.
    change(&mut records, &collector.replace("100ms", "200ms"));
    records.write(&mut b"{\"n\":2}\n".to_vec()).unwrap();
    let view: Vec<_> = records.collectors().collect();
    assert_eq!((view.len(), view[0].kind, view[0].level.waiting()), (1, "tcp", 2));
    assert_eq!(view[0].address, address.to_string());
    change(&mut records, &format!("{{ file: {} }}", folder.at("a")));
    assert_eq!(records.collectors().count(), 0);
    change(&mut records, &collector);
    assert_eq!(records.collectors().next().unwrap().level.waiting(), 2);
}

#[test]
fn places_are_where_the_command_line_and_the_file_say() {
    let folder = Folder::new();
    let a = format!("{{ file: {} }}", folder.at("a"));
    // The same file twice is one place.
    let mut records = Records::open(folder.settings(Some("a")), &places(&a)).unwrap();
    records.write(&mut b"{}\n".to_vec()).unwrap();
    assert_eq!(folder.text("a"), "{}\n");
    let records = Records::open(folder.settings(None), &places("[]")).unwrap();
    assert_eq!(records.places[0].name, "standard output");
}
