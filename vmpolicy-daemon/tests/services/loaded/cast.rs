//! The services, how each is put under load, and which rule of the policy watches it.

use super::stub::Place;
use crate::run::{PATIENCE, Running, Service, find, modest};
use crate::server::Server as Maria;
use crate::{apache, nginx, postgres, prometheus, redis};
use rustix::process::{Pid, Signal, kill_process};
use std::any::Any;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How the samples of an indicator come of its readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Gauge,
    Delta,
    Rate,
}

/// A number and the side of it that is a breach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Above(f64),
    Below(f64),
}

impl Limit {
    pub(crate) fn is_broken_by(self, sample: f64) -> bool {
        match self {
            Self::Above(limit) => sample > limit,
            Self::Below(limit) => sample < limit,
        }
    }
}

pub(crate) enum Server {
    Maria(Maria),
    /// With the signal that ends it at once.
    Other(Service, Signal),
}

/// A service, its indicator and its rule, which all have one name.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) probe: String,
    pub(crate) every_ms: i64,
    pub(crate) read: Read,
    pub(crate) limit: Limit,
    /// Whether `timeout: breach` is said of it.
    pub(crate) breach: bool,
    pub(crate) place: Place,
    pub(crate) server: Server,
    load: fn(&Server) -> Box<dyn Any>,
}

/// How many samples of a breach make a move.
pub(crate) const TARRY: u32 = 3;

/// How many polls in a row may come to nothing before the counters start again: on a busy machine one does.
pub(crate) const MISSING: u32 = 2;

impl Role {
    /// Its lines under `indicators`.
    pub(crate) fn indicator(&self) -> String {
        let read = match self.read {
            Read::Gauge => "gauge",
            Read::Delta => "delta",
            Read::Rate => "rate",
        };
        let timeout = if self.breach { ", timeout: breach" } else { "" };
        format!(
            "  {}: {{ every: {}ms, read: {read}, missing: {MISSING}{timeout}, probe: {{ {} }} }}\n",
            self.name, self.every_ms, self.probe
        )
    }

    /// Its condition.
    pub(crate) fn when(&self) -> String {
        match self.limit {
            Limit::Above(limit) => format!("{} > {limit}", self.name),
            Limit::Below(limit) => format!("{} < {limit}", self.name),
        }
    }

    /// Work for it, until the value is dropped.
    pub(crate) fn load(&self) -> Box<dyn Any> {
        (self.load)(&self.server)
    }

    pub(crate) fn up(&mut self) {
        match &mut self.server {
            Server::Maria(server) => server.up(),
            Server::Other(service, _) => {
                let began = Instant::now();
                // Somebody's own end of a connection may have its port for a moment.
                while !service.up() {
                    assert!(began.elapsed() < PATIENCE, "{}:\n{}", self.name, service.log());
                    thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }

    pub(crate) fn down(&mut self) {
        match &mut self.server {
            Server::Maria(server) => server.down(),
            Server::Other(service, by) => service.down(*by),
        }
    }

    /// Stops all of its processes where they are, or lets them go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { Signal::STOP } else { Signal::CONT };
        match &self.server {
            Server::Maria(server) if is_frozen => server.freeze(),
            Server::Maria(server) => server.thaw(),
            Server::Other(service, _) => {
                for pid in family(service.pid()) {
                    // It may have ended by itself meanwhile.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

/// A process, its children and theirs: those of PostgreSQL are in no group of their parent's.
fn family(first: u32) -> Vec<Pid> {
    let mut known = vec![i32::try_from(first).unwrap()];
    let parents: Vec<(i32, i32)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // Behind the name, which may hold anything: the state, the parent.
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut at = 0;
    while let Some(&parent) = known.get(at) {
        known.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    known.into_iter().filter_map(Pid::from_raw).collect()
}

fn service(server: &Server) -> &Service {
    match server {
        Server::Other(service, _) => service,
        Server::Maria(_) => unreachable!("it is no such service"),
    }
}

fn ab(server: &Server, clients: usize, path: &str) -> Box<dyn Any> {
    let mut command = Command::new(find("ab", "apache2-utils"));
    command.args(["-q", "-s", "60", "-t", "600", "-n", "10000000", "-c", &clients.to_string()]);
    command.arg(format!("http://127.0.0.1:{}{path}", service(server).port));
    Box::new(Running::start(command))
}

/// A list that somebody else empties in the end.
struct Jobs(u16);

impl Drop for Jobs {
    fn drop(&mut self) {
        assert_eq!(redis::say(self.0, "DEL jobs").0, ":1");
    }
}

/// All of them, each started and in its place; those that answer slowly last.
pub(crate) fn all() -> Vec<Role> {
    vec![mariadb(), postgresql(), web_server(), store(), monitoring(), slow_web_server()]
}

fn mariadb() -> Role {
    let server = Maria::start();
    Role {
        name: "mariadb",
        probe: format!(
            "mysql: {{ status: Slow_queries, socket: {}, user: root, timeout: 180ms }}",
            server.socket().display()
        ),
        every_ms: 200,
        read: Read::Delta,
        limit: Limit::Above(3.0),
        breach: false,
        place: Place::Unix(server.socket()),
        server: Server::Maria(server),
        load: |server| match server {
            Server::Maria(server) => Box::new(server.load(6)),
            Server::Other(..) => unreachable!("it is MariaDB"),
        },
    }
}

fn postgresql() -> Role {
    let server = postgres::server();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()";
    std::fs::write(server.path("work"), "SELECT pg_sleep(0.3), count(*) FROM generate_series(1, 1000);\n")
        .unwrap();
    Role {
        name: "postgresql",
        probe: postgres::on_socket(&server, busy, ", timeout: 180ms"),
        every_ms: 200,
        read: Read::Gauge,
        limit: Limit::Above(2.0),
        breach: false,
        place: Place::Unix(server.path(&format!(".s.PGSQL.{}", server.port))),
        server: Server::Other(server, Signal::INT),
        load: |server| {
            let service = service(server);
            let mut command = modest(Command::new(find("pgbench", "postgresql")));
            command.arg("-h").arg(service.path("")).args(["-p", &service.port.to_string(), "-U", "watch"]);
            command.args(["-n", "-c", "6", "-T", "600", "-f"]).arg(service.path("work")).arg("postgres");
            Box::new(Running::start(command))
        },
    }
}

fn web_server() -> Role {
    let server = nginx::server();
    Role {
        name: "nginx",
        probe: format!(
            "nginx: {{ field: writing, url: \"http://127.0.0.1:{}/status\", timeout: 180ms }}",
            server.port
        ),
        every_ms: 200,
        read: Read::Gauge,
        limit: Limit::Above(4.0),
        breach: false,
        place: Place::Tcp(server.port),
        server: Server::Other(server, Signal::TERM),
        load: |server| ab(server, 10, "/slow"),
    }
}

fn store() -> Role {
    let server = redis::server(&[]);
    Role {
        name: "redis",
        probe: format!(
            "redis: {{ list_length: jobs, host: 127.0.0.1, port: {}, timeout: 180ms }}",
            server.port
        ),
        every_ms: 200,
        read: Read::Gauge,
        limit: Limit::Above(10_000.0),
        breach: false,
        place: Place::Tcp(server.port),
        server: Server::Other(server, Signal::TERM),
        load: |server| {
            let port = service(server).port;
            let mut command = Command::new(find("redis-benchmark", "redis-tools"));
            command.args(["-p", &port.to_string(), "-q", "-c", "10", "-P", "16", "-n", "40000"]);
            let ran = command.args(["LPUSH", "jobs", "x"]).output().unwrap();
            assert!(ran.status.success(), "{ran:?}");
            Box::new(Jobs(port))
        },
    }
}

fn monitoring() -> Role {
    let server = prometheus::server(|_| {});
    Role {
        name: "prometheus",
        probe: format!(
            "prometheus: {{ query: sum(prometheus_http_requests_total), url: \"http://127.0.0.1:{}\", timeout: 180ms }}",
            server.port
        ),
        every_ms: 200,
        read: Read::Rate,
        limit: Limit::Above(60.0),
        breach: false,
        place: Place::Tcp(server.port),
        server: Server::Other(server, Signal::TERM),
        load: |server| ab(server, 1, "/-/ready"),
    }
}

/// All of its workers are busy, so that the page with the figures waits for one itself.
fn slow_web_server() -> Role {
    let server = apache::server();
    Role {
        name: "apache",
        probe: apache::status(&server, "IdleWorkers", ", timeout: 260ms"),
        every_ms: 300,
        read: Read::Gauge,
        limit: Limit::Below(1.0),
        breach: true,
        place: Place::Tcp(server.port),
        server: Server::Other(server, Signal::INT),
        load: |server| ab(server, apache::WORKERS as usize * 5, "/cgi/slow"),
    }
}
