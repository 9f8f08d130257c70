//! Prometheus, which watches itself.

use crate::certificates::Identity;
use crate::run::{Service, find, modest, own, secret};
use crate::{probe, read, until};
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use vmpolicy_core::input::Absence;

pub(crate) fn server(prepare: impl FnOnce(&Path)) -> Service {
    let program = find("prometheus", "prometheus");
    Service::start(
        |folder| {
            std::fs::write(folder.join("web.yml"), "{}\n").unwrap();
            prepare(folder);
            own(folder);
        },
        move |folder, port| {
            let at = |name: &str| folder.join(name).display().to_string();
            let config = format!(
                "global: {{ scrape_interval: 200ms, scrape_timeout: 150ms }}\nscrape_configs:\n  - job_name: self\n    static_configs: [{{ targets: [\"127.0.0.1:{port}\"] }}]\n"
            );
            std::fs::write(folder.join("prometheus.yml"), config).unwrap();
            let mut command = Command::new(&program);
            command.arg(format!("--config.file={}", at("prometheus.yml")));
            command.arg(format!("--web.config.file={}", at("web.yml")));
            command.arg(format!("--storage.tsdb.path={}", at("data")));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            modest(command)
        },
    )
}

#[test]
fn an_instant_query_gives_its_only_sample() {
    let mut server = server(|_| {});
    let port = server.port;
    let query = |query: &str| format!("prometheus: {{ query: '{query}', url: \"http://127.0.0.1:{port}\" }}");
    let mut answers = probe(&query("vector(3)"));
    until(&mut *answers, "that it is ready", |read| read == Ok(3.0));
    assert_eq!(read(&query("1.5e3")), Ok(1_500.0), "a scalar");
    // What is asked is counted, and seen by the next scrape: it grows with what is asked.
    let mut asked = probe(&query("sum(prometheus_http_requests_total{handler=\"/api/v1/query\"})"));
    until(&mut *asked, "a first scrape", |read| read.is_ok_and(|count| count >= 1.0));
    let before = asked.read().unwrap();
    until(&mut *asked, "that it grows", |read| read.is_ok_and(|count| count > before + 3.0));

    assert_eq!(read(&query("no_such_metric")), Err(Absence::Missing));
    assert_eq!(read(&query("vector(0) / vector(0)")), Err(Absence::Missing));
    assert_eq!(read(&query("vector(1) / vector(0)")), Err(Absence::NotFinite));
    assert_eq!(read(&query("prometheus_http_requests_total")), Err(Absence::Unparsable), "many samples");
    assert_eq!(read(&query("up[1m]")), Err(Absence::Unparsable));
    assert_eq!(read(&query("sum(")), Err(Absence::Denied), "no query");
    let away = format!("prometheus: {{ query: up, url: \"http://127.0.0.1:{port}/nowhere\" }}");
    assert_eq!(read(&away), Err(Absence::Missing));

    server.down(Signal::TERM);
    assert_eq!(answers.read(), Err(Absence::Unreachable));
    assert!(server.up(), "{}", server.log());
    until(&mut *answers, "an answer after the restart", |read| read == Ok(3.0));
    server.signal(Signal::STOP);
    let mut hasty = probe(&query("vector(3)").replace("query:", "timeout: 200ms, query:"));
    assert_eq!(hasty.read(), Err(Absence::TimedOut));
    server.signal(Signal::CONT);
    until(&mut *hasty, "an answer", |read| read == Ok(3.0));
}

#[test]
fn certificates_and_passwords() {
    let identity = Identity::alone("localhost");
    let server = server(|folder| {
        identity.write(folder).iter().for_each(|path| own(path));
        // `se cret`, by bcrypt: the only kind that it takes.
        let made =
            Command::new(find("htpasswd", "apache2-utils")).args(["-nbBC", "4", "", "se cret"]).output();
        let hash = String::from_utf8(made.unwrap().stdout).unwrap();
        let hash = hash.trim().trim_start_matches(':');
        let web = format!(
            "tls_server_config: {{ cert_file: cert.pem, key_file: key.pem }}\nbasic_auth_users: {{ watch: '{hash}' }}\n"
        );
        std::fs::write(folder.join("web.yml"), web).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let (file, ca) = (folder.path().join("password"), folder.path().join("ca.pem"));
    secret(&file, "se cret\n");
    std::fs::write(&ca, &identity.pem).unwrap();
    let ask = |host: &str, more: &str| {
        probe(&format!("prometheus: {{ query: vector(3), url: \"https://{host}:{}\"{more} }}", server.port))
    };
    let login = format!(", user: watch, password_file: \"{}\"", file.display());
    let trust = format!(", ca_file: \"{}\"", ca.display());
    let mut good = ask("localhost", &format!("{login}{trust}"));
    until(&mut *good, "that it is ready", |read| read == Ok(3.0));
    assert_eq!(ask("localhost", &login).read(), Err(Absence::Unreachable), "the system does not know it");
    assert_eq!(
        ask("127.0.0.1", &format!("{login}{trust}")).read(),
        Err(Absence::Unreachable),
        "another name"
    );
    assert_eq!(ask("localhost", &trust).read(), Err(Absence::Denied));
    // A new certificate is taken up after the old one has failed.
    std::fs::write(&ca, "nonsense").unwrap();
    let mut later = ask("localhost", &format!("{login}{trust}"));
    assert_eq!(later.read(), Err(Absence::Denied));
    std::fs::write(&ca, &identity.pem).unwrap();
    assert_eq!(later.read(), Ok(3.0));
}
