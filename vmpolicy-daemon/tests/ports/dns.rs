//! `docs/examples/dns.yaml`: after a move the guest's name leads to where it is now. With a real BIND.

use crate::guest::{Guest, PATIENCE};
use crate::manager::Manager;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/dns-arrived");

fn find(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} is missing: the tests need it (apt-get install {package})"))
}

/// A BIND with one zone, on a port of loopback, which changes it for whoever has its key.
struct Named {
    child: Child,
    port: u16,
    key: PathBuf,
}

impl Named {
    fn start(folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let key = folder.join("guest.key");
        let made =
            Command::new(find("tsig-keygen", "bind9-utils")).args(["-a", "hmac-sha256", "guest"]).output();
        std::fs::write(&key, made.unwrap().stdout).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let zone =
            "$TTL 30\n@ SOA ns.example. admin.example. 1 60 60 600 30\n@ NS ns.example.\nns A 127.0.0.1\n";
        std::fs::write(folder.join("zone"), zone).unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = folder.display();
        let conf = format!(
            "include \"{}\";\ncontrols {{}};\noptions {{ directory \"{dir}\"; listen-on port {port} {{ 127.0.0.1; }}; \
            listen-on-v6 {{ none; }}; pid-file none; session-keyfile none; recursion no; dnssec-validation no; \
            managed-keys-directory \"{dir}\"; }};\n\
            zone \"example\" {{ type primary; file \"zone\"; update-policy {{ grant guest name nii3.example. A; }}; }};\n",
            key.display()
        );
        std::fs::write(folder.join("named.conf"), conf).unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(find("named", "bind9"));
        command.arg("-g").arg("-c").arg(folder.join("named.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        let named = Self { child: command.stderr(log).spawn().unwrap(), port, key };
        let began = Instant::now();
        while named.dig("ns.example").as_deref() != Some("127.0.0.1") {
            let log = std::fs::read_to_string(folder.join("log")).unwrap();
            assert!(began.elapsed() < PATIENCE, "named does not come up:\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
        named
    }

    /// The address of a name, as anybody is told it.
    fn dig(&self, name: &str) -> Option<String> {
        let mut command = Command::new(find("dig", "bind9-dnsutils"));
        command.args([
            "@127.0.0.1",
            "-p",
            &self.port.to_string(),
            "+short",
            "+time=1",
            "+tries=1",
            name,
            "A",
        ]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.lines().next().filter(|line| !line.is_empty() && !line.starts_with(';')).map(str::to_owned)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn after_a_move_the_name_leads_to_the_new_host() {
    find("nsupdate", "bind9-dnsutils");
    let mut guest = Guest::new("", "");
    let named = Named::start(&guest.path("bind"));
    guest.write("location", "mln1\n");
    guest.write("addresses", "mln1 10.1.0.5\nmln2 10.2.0.5\nmln3 10.3.0.5\n");
    let manager = Manager::start(Some(guest.path("location")));
    let (key, port, web) = (named.key.display(), named.port, manager.port);
    guest.policy(
        "settle: 60s, confirm_within: 60s",
        &format!(
            "actuator: {{ webhook: {{ url: \"http://127.0.0.1:{web}/moves\", poll: 50ms }} }}\n\
            locator: {{ file: {{ path: \"{{dir}}/location\" }}, every: 100ms }}\n\
            hooks: {{ on_arrival: {{ argv: [{EXAMPLE}, nii3.example, \"127.0.0.1 {port}\", {key}, \"{{dir}}/addresses\", \
            \"{{host}}\"], timeout: 20s }} }}\n"
        ),
    );
    guest.start();
    guest.wait_for("the first address", |_| named.dig("nii3.example").as_deref() == Some("10.1.0.5"));
    guest.load(9);
    guest.wait_for("the new address", |_| named.dig("nii3.example").as_deref() == Some("10.2.0.5"));
    guest.wait_for("both hooks in the records", |guest| guest.events("hook").len() == 2);
    assert!(guest.events("hook").iter().all(|hook| hook["outcome"] == "done"), "{:#?}", guest.events("hook"));
    guest.terminate();

    // Another key is of no use: the hook says that it has failed, and the name stays.
    let stranger = guest.path("stranger.key");
    let made = Command::new(find("tsig-keygen", "bind9-utils")).args(["-a", "hmac-sha256", "guest"]).output();
    std::fs::write(&stranger, made.unwrap().stdout).unwrap();
    let server = format!("127.0.0.1 {port}");
    let mut hook = Command::new(EXAMPLE);
    hook.args(["nii3.example", &server]).arg(&stranger).arg(guest.path("addresses")).arg("mln3");
    let ran = hook.output().unwrap();
    assert!(!ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(named.dig("nii3.example").as_deref(), Some("10.2.0.5"));
}
