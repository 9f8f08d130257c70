//! Apache with `mod_status` and a slow CGI program under `ab`.

use crate::run::{Running, Service, find, is_root, own, secret};
use crate::{probe, read, until};
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use vmpolicy_core::input::Absence;

const MODULES: &str = "/usr/lib/apache2/modules";

/// As many requests as there may be at a time.
pub(crate) const WORKERS: u32 = 6;

fn prepare(folder: &Path) {
    std::fs::create_dir(folder.join("cgi")).unwrap();
    let slow = folder.join("cgi/slow");
    std::fs::write(&slow, "#!/bin/sh\nsleep 0.5\nprintf 'Content-Type: text/plain\\n\\nready\\n'\n").unwrap();
    std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(folder.join("www")).unwrap();
    std::fs::write(folder.join("www/stats.json"), r#"{"shop":{"queues":[{"length":17}]},"name":"x"}"#)
        .unwrap();
    std::fs::write(folder.join("users"), "").unwrap();
    let made = Command::new(find("htpasswd", "apache2-utils"))
        .args(["-bc", folder.join("users").to_str().unwrap(), "watch", "se cret"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    own(folder);
}

pub(crate) fn server() -> Service {
    let program = find("apache2", "apache2");
    Service::start(prepare, move |folder, port| {
        let at = |name: &str| folder.join(name).display().to_string();
        let modules = [
            "mpm_prefork",
            "authn_core",
            "authn_file",
            "authz_core",
            "authz_host",
            "authz_user",
            "auth_basic",
            "status",
            "cgi",
            "alias",
        ];
        let load: String = modules
            .iter()
            .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
            .collect();
        let user = if is_root() { "User nobody\nGroup nogroup\n" } else { "" };
        let config = format!(
            "{load}{user}ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {}\nErrorLog {}\n\
            Mutex file:{} default\nStartServers {WORKERS}\nMinSpareServers {WORKERS}\nMaxSpareServers {WORKERS}\n\
            MaxRequestWorkers {WORKERS}\nServerLimit {WORKERS}\nKeepAlive Off\nExtendedStatus On\n\
            DocumentRoot {}\n<Directory {}>\nRequire all granted\n</Directory>\n\
            ScriptAlias /cgi/ {}/\n<Directory {}>\nRequire all granted\n</Directory>\n\
            <Location /server-status>\nSetHandler server-status\n</Location>\n\
            <Location /closed>\nSetHandler server-status\nRequire all denied\n</Location>\n\
            <Location /private>\nSetHandler server-status\nAuthType Basic\nAuthName x\nAuthUserFile {}\nRequire valid-user\n</Location>\n",
            at("pid"),
            at("error.log"),
            at(""),
            at("www"),
            at("www"),
            at("cgi"),
            at("cgi"),
            at("users"),
        );
        std::fs::write(folder.join("conf"), config).unwrap();
        let mut command = Command::new(&program);
        command.args(["-DFOREGROUND", "-f", &at("conf")]);
        command
    })
}

pub(crate) fn status(server: &Service, field: &str, more: &str) -> String {
    format!("apache: {{ field: {field}, url: \"http://localhost:{}/server-status\"{more} }}", server.port)
}

#[test]
fn workers_are_busy_under_load_and_the_page_itself_waits_when_all_are() {
    let mut server = server();
    let mut busy = probe(&status(&server, "BusyWorkers", ", timeout: 20s"));
    // It sees itself.
    until(&mut *busy, "quiet", |read| read == Ok(1.0));
    assert!(read(&status(&server, "IdleWorkers", "")).unwrap() <= f64::from(WORKERS - 1));
    assert!(read(&status(&server, "Total Accesses", "")).unwrap() >= 2.0);

    let load = |clients: u32| {
        let mut command = Command::new(find("ab", "apache2-utils"));
        command.args(["-q", "-s", "60", "-t", "300", "-n", "100000", "-c", &clients.to_string()]);
        command.arg(format!("http://127.0.0.1:{}/cgi/slow", server.port));
        Running::start(command)
    };
    let some = load(3);
    until(&mut *busy, "three requests and ours", |read| read.is_ok_and(|busy| busy >= 4.0));
    drop(some);
    until(&mut *busy, "quiet again", |read| read == Ok(1.0));

    let all = load(WORKERS * 20);
    let mut hasty = probe(&status(&server, "BusyWorkers", ", timeout: 200ms"));
    until(&mut *hasty, "a page that waits", |read| read == Err(Absence::TimedOut));
    drop(all);
    until(&mut *hasty, "an answer", |read| read.is_ok());

    server.down(Signal::INT);
    assert_eq!(busy.read(), Err(Absence::Unreachable));
    assert!(server.up(), "{}", server.log());
    until(&mut *busy, "an answer after the restart", |read| read.is_ok());
}

#[test]
fn what_the_server_says_is_what_the_engine_hears() {
    let server = server();
    assert_eq!(read(&status(&server, "IdleWorker", "")), Err(Absence::Missing));
    assert_eq!(read(&status(&server, "Scoreboard", "")), Err(Absence::Unparsable));
    let at = |path: &str, more: &str| {
        read(&format!(
            "apache: {{ field: BusyWorkers, url: \"http://localhost:{}{path}\"{more} }}",
            server.port
        ))
    };
    assert_eq!(at("/server-status?notable", ""), Err(Absence::Unparsable), "the page for people");
    assert_eq!(at("/nothing", ""), Err(Absence::Missing));
    assert_eq!(at("/closed", ""), Err(Absence::Denied));
    assert_eq!(at("/private", ""), Err(Absence::Denied));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let login = format!(", user: watch, password_file: \"{}\"", file.display());
    assert_eq!(at("/private", &login), Err(Absence::Denied), "there is no such file");
    secret(&file, "wrong\n");
    assert_eq!(at("/private", &login), Err(Absence::Denied));
    secret(&file, "se cret\n");
    assert!(at("/private", &login).is_ok());
}

#[test]
fn any_json_has_its_number_at_a_pointer() {
    let server = server();
    let at = |path: &str, more: &str| {
        read(&format!("http: {{ url: \"http://localhost:{}{path}\"{more} }}", server.port))
    };
    assert_eq!(at("/stats.json", ", pointer: /shop/queues/0/length"), Ok(17.0));
    assert_eq!(at("/stats.json", ", pointer: /shop/queues/1/length"), Err(Absence::Missing));
    assert_eq!(at("/stats.json", ", pointer: /name"), Err(Absence::Unparsable));
    assert_eq!(at("/stats.json", ""), Ok(17.0), "the first number of a text");
    assert_eq!(at("/cgi/slow", ""), Err(Absence::Unparsable));
    assert_eq!(at("/none.json", ", pointer: /a"), Err(Absence::Missing));
    // A file is not worked on by POST; the status says so.
    assert_eq!(at("/nothing", ", method: POST, body: x"), Err(Absence::Missing));
}
