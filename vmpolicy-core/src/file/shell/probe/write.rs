//! A probe as the file has it: what is read back as the same.

use super::{
    APACHE_URL, Login, MYSQL_SOCKET, POSTGRES_SOCKET, PROBE_TIMEOUT, PROMETHEUS_URL, ProbeSpec, PsiResource,
    REDIS_PORT, RedisRead, SecretSpec, ServerAddress,
};
use crate::file::shell::{WebAuth, WebMethod, WebSpec};
use crate::file::yaml::Yaml;
use crate::time::Span;

#[derive(Default)]
struct Options(Vec<(String, Yaml)>);

impl Options {
    fn with(mut self, key: &str, value: Yaml) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    fn some(self, key: &str, value: Option<&String>) -> Self {
        match value {
            Some(value) => self.with(key, Yaml::text(value)),
            None => self,
        }
    }

    fn timeout(self, timeout: Span) -> Self {
        if timeout == PROBE_TIMEOUT { self } else { self.with("timeout", Yaml::text(timeout)) }
    }

    fn address(self, address: &ServerAddress, default: &ServerAddress) -> Self {
        match address {
            _ if address == default => self,
            ServerAddress::Socket(socket) => self.with("socket", Yaml::text(socket)),
            ServerAddress::Tcp { host, port, tls } => {
                let this = self.with("host", Yaml::text(host)).with("port", Yaml::text(port));
                match tls {
                    Some(tls) => this.with("tls", Yaml::text(true)).some("ca_file", tls.ca_file.as_ref()),
                    None => this,
                }
            }
        }
    }

    fn secret(self, key: &str, secret: &SecretSpec) -> Self {
        match secret {
            SecretSpec::File(path) => self.with(key, Yaml::text(path)),
            SecretSpec::Credential(name) => self.with("credential", Yaml::text(name)),
        }
    }

    fn login(self, login: &Login) -> Self {
        let this = self.some("user", login.user.as_ref());
        match &login.password {
            Some(secret) => this.secret("password_file", secret),
            None => this,
        }
    }

    fn web(mut self, web: &WebSpec, default: Option<&str>) -> Self {
        if default != Some(&web.url) {
            self = self.with("url", Yaml::text(&web.url));
        }
        self = match &web.auth {
            WebAuth::None => self,
            WebAuth::Token(secret) => self.secret("token_file", secret),
            WebAuth::Basic { user, password } => {
                self.with("user", Yaml::text(user)).secret("password_file", password)
            }
        };
        if !web.headers.is_empty() {
            let headers = web.headers.iter().map(|(name, value)| (name.clone(), Yaml::text(value)));
            self = self.with("headers", Yaml::Map(headers.collect()));
        }
        self.some("ca_file", web.ca_file.as_ref()).timeout(web.timeout)
    }

    fn of(self, kind: &str) -> Yaml {
        Yaml::one(kind, Yaml::Map(self.0))
    }
}

pub(in crate::file) fn probe(form: &ProbeSpec) -> Yaml {
    let options = Options::default();
    match form {
        ProbeSpec::Apache { field, web } => {
            options.with("field", Yaml::text(field)).web(web, Some(APACHE_URL)).of("apache")
        }
        ProbeSpec::Http { pointer, method, body, web } => {
            let options = match method {
                WebMethod::Get => options,
                WebMethod::Post => options.with("method", Yaml::text("POST")),
            };
            options.some("pointer", pointer.as_ref()).some("body", body.as_ref()).web(web, None).of("http")
        }
        ProbeSpec::Mysql { status, address, login, timeout } => options
            .with("status", Yaml::text(status))
            .address(address, &ServerAddress::Socket(MYSQL_SOCKET.to_owned()))
            .login(login)
            .timeout(*timeout)
            .of("mysql"),
        ProbeSpec::Nginx { field, web } => {
            options.with("field", Yaml::text(field.name())).web(web, None).of("nginx")
        }
        ProbeSpec::Postgres { query, address, login, database, timeout } => options
            .with("query", Yaml::text(query))
            .address(address, &ServerAddress::Socket(POSTGRES_SOCKET.to_owned()))
            .login(login)
            .some("database", database.as_ref())
            .timeout(*timeout)
            .of("postgres"),
        ProbeSpec::Prometheus { query, web } => {
            options.with("query", Yaml::text(query)).web(web, Some(PROMETHEUS_URL)).of("prometheus")
        }
        ProbeSpec::Redis { read, server } => {
            let options = match read {
                RedisRead::Info(field) => options.with("info", Yaml::text(field)),
                RedisRead::ListLength(key) => options.with("list_length", Yaml::text(key)),
            };
            let tcp = ServerAddress::Tcp { host: "localhost".to_owned(), port: REDIS_PORT, tls: None };
            let options = options.address(&server.address, &tcp).login(&server.login);
            let options = match server.database {
                0 => options,
                database => options.with("database", Yaml::text(database)),
            };
            options.timeout(server.timeout).of("redis")
        }
        ProbeSpec::File { path } => Yaml::one("file", Yaml::text(path)),
        ProbeSpec::Exec { argv, timeout } => options
            .with("argv", Yaml::List(argv.iter().map(Yaml::text).collect()))
            .timeout(*timeout)
            .of("exec"),
        ProbeSpec::Psi { resource, full, avg_secs } => {
            let resource = match resource {
                PsiResource::Cpu => "cpu",
                PsiResource::Memory => "memory",
                PsiResource::Io => "io",
            };
            let kind = if *full { "full" } else { "some" };
            let options = options.with("resource", Yaml::text(resource)).with("kind", Yaml::text(kind));
            options.with("avg", Yaml::text(avg_secs)).of("psi")
        }
        ProbeSpec::Steal => Yaml::text("steal"),
        ProbeSpec::Load { avg_mins } => Yaml::one("load", Yaml::one("avg", Yaml::text(avg_mins))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::parse;

    fn read(written: &str) -> ProbeSpec {
        let text = format!("version: 1\nindicators: {{ x: {{ every: 1m, probe: {written} }} }}\n");
        let parsed = parse(text.as_bytes());
        let shell = parsed.problems.iter().filter(|problem| problem.path.starts_with("indicators"));
        assert_eq!(shell.count(), 0, "{text}\n{:?}", parsed.problems);
        parsed.shell.probes.into_iter().next().flatten().expect("a probe").value
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same() {
        for written in [
            "{ apache: { field: Total Accesses } }",
            "{ apache: { field: IdleWorkers, url: \"http://h/s?auto\", token_file: /t, timeout: 1s } }",
            "{ nginx: { field: handled, url: http://h/, user: u, password_file: /p, ca_file: /c } }",
            "{ nginx: { field: waiting, url: http://h/, credential: c, headers: { A: b c, D: \"1\" } } }",
            "{ prometheus: { query: \"up{a='b'} > 1\" } }",
            "{ prometheus: { query: up, url: https://h/p, user: u, credential: c } }",
            "{ http: { url: http://h/, pointer: \"\" } }",
            "{ http: { url: http://h/, method: POST, body: \"{}\", pointer: /a~1b/0 } }",
            "{ mysql: { status: Uptime, credential: c } }",
            "{ mysql: { status: Uptime, host: h, user: u, password_file: /p, timeout: 2s } }",
            "{ mysql: { status: Uptime, host: h, tls: true } }",
            "{ postgres: { query: SELECT 1, host: h, tls: true, ca_file: /c } }",
            "{ redis: { info: used_memory, tls: true } }",
            "{ postgres: { query: \"SELECT 1 -- 'x'\", socket: /s, database: d } }",
            "{ postgres: { query: SELECT 1, port: 5433, user: u, credential: c } }",
            "{ redis: { info: used_memory } }",
            "{ redis: { list_length: \"a b\", socket: /s, database: 3, credential: c } }",
            "{ exec: { argv: [a, \"{guest}\", \"\"], timeout: 2s } }",
            "{ psi: { resource: io, kind: full, avg: 60 } }",
            "{ file: /f }",
            "steal",
            "{ load: { avg: 5 } }",
        ] {
            let spec = read(written);
            let again = Yaml::one("probe", probe(&spec)).document();
            let inner = again.trim_end().strip_prefix("probe:").expect("it begins so").to_owned();
            // Over several lines it has to stand further in than its key.
            let inner = inner.replace('\n', "\n    ");
            let text = format!("version: 1\nindicators:\n  x:\n    every: 1m\n    probe:{inner}\n");
            let parsed = parse(text.as_bytes());
            let found = parsed.shell.probes.into_iter().next().flatten();
            assert_eq!(
                found.map(|found| found.value),
                Some(spec),
                "{written}\n{text}\n{:?}",
                parsed.problems
            );
        }
    }
}
