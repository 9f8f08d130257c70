//! A Chromium of the test's own, driven over the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>).

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const HELP: &str =
    "the tests of reports need Chromium and its driver (apt-get install chromium chromium-driver)";

/// How long a browser may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// Where a program is; Debian and others call Chromium by different names.
fn find(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<_> =
        std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/lib/chromium".into()]).collect();
    let found = names.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    found.into_iter().find(|path| path.is_file()).expect(HELP)
}

impl Browser {
    pub(crate) fn start() -> Self {
        let chromium = find(&["chromium", "chromium-browser", "google-chrome"]);
        let mut driver = Command::new(find(&["chromedriver"]))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(HELP);
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started = "started successfully on port ";
        let port =
            lines.find_map(|line| line.unwrap().split_once(started)?.1.trim_end_matches('.').parse().ok());
        // What the driver says later is of no interest, but it has to be read.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser =
            Self { driver, port: port.expect("the driver says its port"), session: String::new() };
        let mut args =
            vec!["--headless=new", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"];
        if rustix::process::geteuid().is_root() {
            args.push("--no-sandbox");
        }
        let options = json!({ "binary": chromium, "args": args });
        let always = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let made = browser.call("POST", "/session", &json!({ "capabilities": { "alwaysMatch": always } }));
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// One call of the protocol; its value.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \
             {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "the driver answers");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value:#}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("{}{path}", self.session), body)
    }

    fn cdp(&self, command: &str, params: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// Opens a file and waits until its script has run, or gives up.
    pub(crate) fn open(&self, path: &Path) {
        self.post("/url", &json!({ "url": format!("file://{}", path.display()) }));
        self.until("return document.documentElement.dataset.ready === 'yes'");
    }

    /// Opens a file of which no script runs.
    pub(crate) fn open_without_scripts(&self, path: &Path) {
        self.cdp("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
        self.post("/url", &json!({ "url": format!("file://{}", path.display()) }));
        self.cdp("Emulation.setScriptExecutionDisabled", &json!({ "value": false }));
    }

    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    pub(crate) fn text(&self, script: &str) -> String {
        self.script(script).as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn number(&self, script: &str) -> f64 {
        let value = self.script(script);
        value.as_f64().unwrap_or_else(|| panic!("{script}: {value}"))
    }

    /// Waits until this says true; what has been drawn since is on the screen then.
    pub(crate) fn until(&self, script: &str) {
        let began = Instant::now();
        while self.script(script) != json!(true) {
            assert!(began.elapsed() < PATIENCE, "never: {script}");
        }
        self.frame();
    }

    /// Waits for two frames.
    pub(crate) fn frame(&self) {
        let wait =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)));";
        self.post("/execute/async", &json!({ "script": wait, "args": [] }));
    }

    /// The window, in pixels of the page.
    pub(crate) fn window(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.cdp("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What media queries say.
    pub(crate) fn media(&self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.cdp("Emulation.setEmulatedMedia", &json!({ "media": media, "features": features }));
    }

    /// The mouse goes from place to place; between the first and the last the button is held where `pressed`.
    pub(crate) fn mouse(&self, places: &[(f64, f64)], pressed: bool) {
        let go = |(x, y): (f64, f64)| json!({ "type": "pointerMove", "duration": 0, "x": x.round() as i64, "y": y.round() as i64, "origin": "viewport" });
        let mut actions = vec![go(places[0])];
        if pressed {
            actions.push(json!({ "type": "pointerDown", "button": 0 }));
        }
        actions.extend(places[1..].iter().map(|place| go(*place)));
        if pressed {
            actions.push(json!({ "type": "pointerUp", "button": 0 }));
        }
        self.actions(&json!({ "type": "pointer", "id": "mouse", "actions": actions }));
    }

    /// A finger goes from place to place.
    pub(crate) fn finger(&self, places: &[(f64, f64)]) {
        let go = |(x, y): (f64, f64)| {
            let (x, y) = (x.round() as i64, y.round() as i64);
            json!({ "type": "pointerMove", "duration": 20, "x": x, "y": y, "origin": "viewport" })
        };
        let mut actions = vec![go(places[0]), json!({ "type": "pointerDown", "button": 0 })];
        actions.extend(places[1..].iter().map(|place| go(*place)));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        let touch = json!({ "pointerType": "touch" });
        self.actions(&json!({ "type": "pointer", "id": "finger", "parameters": touch, "actions": actions }));
    }

    pub(crate) fn double_click(&self, place: (f64, f64)) {
        let press =
            [json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 })];
        let (x, y) = (place.0.round() as i64, place.1.round() as i64);
        let go = json!({ "type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": "viewport" });
        let actions: Vec<_> = [go].into_iter().chain(press.clone()).chain(press).collect();
        self.actions(&json!({ "type": "pointer", "id": "mouse", "actions": actions }));
    }

    pub(crate) fn wheel(&self, (x, y): (f64, f64), by: i32) {
        let scroll = json!({ "type": "scroll", "duration": 0, "x": x.round() as i64, "y": y.round() as i64, "deltaX": 0, "deltaY": by, "origin": "viewport" });
        self.actions(&json!({ "type": "wheel", "id": "wheel", "actions": [scroll] }));
    }

    /// Types into what has the focus.
    pub(crate) fn keys(&self, keys: &str) {
        let stroke = |key: char| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<_> = keys.chars().flat_map(stroke).collect();
        self.actions(&json!({ "type": "key", "id": "keys", "actions": actions }));
    }

    fn actions(&self, source: &Value) {
        self.post("/actions", &json!({ "actions": [source] }));
        self.frame();
    }

    /// What the console says, and what was asked of the network, since the last time.
    pub(crate) fn said(&self) -> (Vec<String>, Vec<String>) {
        let log = |kind: &str| self.post("/se/log", &json!({ "type": kind })).as_array().unwrap().clone();
        let text = |entry: &Value| entry["message"].as_str().unwrap().to_owned();
        let console = log("browser").iter().map(text).collect();
        let asked = log("performance").into_iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            (event["method"] == "Network.requestWillBeSent").then_some(())?;
            Some(event["params"]["request"]["url"].as_str()?.to_owned())
        });
        (console, asked.collect())
    }

    /// The page as a printer gets it.
    pub(crate) fn print(&self) -> Vec<u8> {
        decoded(self.post("/print", &json!({ "background": true })).as_str().unwrap())
    }

    /// The whole page as a picture, into the folder of the build's own temporary files: to look at.
    pub(crate) fn picture(&self, name: &str) {
        self.save(name, self.cdp("Page.captureScreenshot", &json!({ "captureBeyondViewport": true })));
    }

    /// What is in the window, with the cursor as it is.
    pub(crate) fn window_picture(&self, name: &str) {
        self.save(name, self.cdp("Page.captureScreenshot", &json!({})));
    }

    fn save(&self, name: &str, shot: Value) {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(path, decoded(shot["data"].as_str().unwrap())).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.call("DELETE", &self.session, &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = write!(
                stream,
                "DELETE {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                self.session
            );
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Base64, as the driver writes it.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte)) {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
