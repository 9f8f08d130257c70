//! nginx with `stub_status`, and clients that keep connections open.

use crate::run::{Service, find, is_root};
use crate::{probe, read, until};
use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use vmpolicy_core::input::Absence;

pub(crate) fn server() -> Service {
    let program = find("nginx", "nginx-light");
    Service::start(
        // It takes a second at the rate at which it is sent.
        |folder| std::fs::write(folder.join("slow"), [b'x'; 16_384]).unwrap(),
        move |folder, port| {
            let at = |name: &str| folder.join(name).display().to_string();
            let user = if is_root() { "user nobody nogroup;\n" } else { "" };
            let config = format!(
                "{user}daemon off;\npid {};\nerror_log stderr;\nworker_processes 1;\nevents {{ worker_connections 64; }}\n\
                http {{\n access_log off;\n keepalive_timeout 300s;\n client_body_temp_path {};\n proxy_temp_path {};\n \
                fastcgi_temp_path {};\n uwsgi_temp_path {};\n scgi_temp_path {};\n server {{\n listen 127.0.0.1:{port};\n \
                location = /status {{ stub_status; }}\n location / {{ return 200 hello; }}\n \
                location = /slow {{ root {}; limit_rate 8k; }}\n }}\n}}\n",
                at("pid"),
                at("1"),
                at("2"),
                at("3"),
                at("4"),
                at("5"),
                at(""),
            );
            std::fs::write(folder.join("conf"), config).unwrap();
            let mut command = Command::new(&program);
            command.args(["-e", "stderr", "-p", &at(""), "-c", &at("conf")]);
            command
        },
    )
}

/// A client that has been answered and keeps its connection.
pub(crate) fn client(port: u16) -> TcpStream {
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    client
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let mut server = server();
    let field = |field: &str, path: &str| {
        format!("nginx: {{ field: {field}, url: \"http://127.0.0.1:{}{path}\" }}", server.port)
    };
    let mut active = probe(&field("active", "/status"));
    let mut waiting = probe(&field("waiting", "/status"));
    until(&mut *active, "nobody but ours", |read| read == Ok(1.0));
    assert_eq!(read(&field("writing", "/status")), Ok(1.0));
    let before = read(&field("requests", "/status")).unwrap();
    assert!(read(&field("requests", "/status")).unwrap() > before);

    let clients: Vec<_> = (0..5).map(|_| client(server.port)).collect();
    until(&mut *waiting, "five that wait", |read| read == Ok(5.0));
    assert_eq!(active.read(), Ok(6.0));
    drop(clients);
    until(&mut *waiting, "that they are gone", |read| read == Ok(0.0));
    assert_eq!(read(&field("active", "/")), Err(Absence::Unparsable), "another page");

    server.down(Signal::QUIT);
    assert_eq!(active.read(), Err(Absence::Unreachable));
    assert!(server.up(), "{}", server.log());
    until(&mut *active, "an answer after the restart", |read| read.is_ok());
}
