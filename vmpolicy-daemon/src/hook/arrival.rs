//! `on_arrival`: run once the guest is on another host than at the last time, by a thread of its own.
//!
//! The place at the last time is kept on disk, so that a move is not missed that happened while nobody looked: a guest
//! that was started again at another site, a daemon that died between the move and the hook. It is forgotten while
//! the hook runs, and written once that has gone well: a hook may be run twice for one arrival, and is not left out.

use super::{Told, carry_out};
use crate::agent::Reporter;
use crate::disk::{SystemDisk, replace};
use crate::probe::read_head;
use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use vmpolicy_core::file::HookSpec;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::Hook;

/// The file in the state's folder that holds the place at the last time.
pub const PLACE: &str = "arrived";

/// How long to wait before a hook that went wrong is run again, at first and at most; it doubles.
const AGAIN: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// A host's name and no more.
const PLACE_BYTES_MAX: usize = 4 * 1024;

/// A thread that runs the hook. It ends when this goes, after the hook that it is running.
pub struct Arrivals {
    places: Sender<Place>,
    last: RefCell<Option<String>>,
}

/// Where the guest is, and by which request if it was one.
struct Place {
    host: String,
    id: Option<RequestId>,
}

impl Arrivals {
    /// Begins to wait for arrivals. `file` holds the place at the last time.
    pub fn start(guest: String, spec: HookSpec, file: PathBuf, reporter: Reporter) -> Self {
        Self::with(guest, spec, file, reporter, AGAIN)
    }

    fn with(
        guest: String,
        spec: HookSpec,
        file: PathBuf,
        reporter: Reporter,
        again: (Duration, Duration),
    ) -> Self {
        let (places, queue) = channel();
        let spawned = thread::Builder::new().name("hook".to_owned()).spawn(move || {
            let from = last_place(&file);
            let known = from.is_some();
            Waiting { guest, spec, file, reporter, again, from: from.unwrap_or_default(), known }.run(&queue);
        });
        if let Err(error) = spawned {
            tracing::error!("can't start a thread for the hook on_arrival: {error}");
        }
        Self { places, last: RefCell::new(None) }
    }

    /// The guest is here. Nothing follows from being told the same again.
    pub fn at(&self, host: &str, id: Option<RequestId>) {
        let mut last = self.last.borrow_mut();
        if last.as_deref() != Some(host) {
            *last = Some(host.to_owned());
            // A thread that could not be started has said so.
            let _ = self.places.send(Place { host: host.to_owned(), id });
        }
    }
}

struct Waiting {
    guest: String,
    spec: HookSpec,
    file: PathBuf,
    reporter: Reporter,
    again: (Duration, Duration),
    /// Where the hook last went well; empty, where that is not known.
    from: String,
    /// Whether it is certain that nothing was run since.
    known: bool,
}

impl Waiting {
    fn run(&mut self, queue: &Receiver<Place>) {
        let mut pending: Option<(Place, Duration)> = None;
        loop {
            let next = match &pending {
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some((_, wait)) => queue.recv_timeout(*wait),
            };
            let (place, wait) = match (next, pending.take()) {
                // Only where it is now matters.
                (Ok(place), _) => (queue.try_iter().last().unwrap_or(place), self.again.0),
                (Err(RecvTimeoutError::Timeout), Some((place, wait))) => {
                    (place, wait.saturating_mul(2).min(self.again.1))
                }
                (Err(RecvTimeoutError::Timeout), None) => continue,
                (Err(RecvTimeoutError::Disconnected), _) => return,
            };
            if !self.arrive(&place) {
                pending = Some((place, wait));
            }
        }
    }

    /// Runs the hook if the place is another one; whether all is well.
    fn arrive(&mut self, Place { host, id }: &Place) -> bool {
        if self.known && self.from == *host {
            return true;
        }
        self.known = false;
        if let Err(error) = fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("can't remove {}: {error}", self.file.display());
        }
        let name = id.map(|id| format!("{}-{id}", self.guest)).unwrap_or_default();
        let told = Told { guest: &self.guest, from: &self.from, to: host, id: &name, host };
        let ran = carry_out(Hook::OnArrival, &self.spec, told, *id);
        let is_well = ran.ended.is_well();
        self.reporter.hooked(ran);
        if is_well {
            (self.from, self.known) = (host.clone(), true);
            if let Err(error) = replace(&SystemDisk, &self.file, format!("{host}\n").as_bytes(), 0o600) {
                tracing::warn!(
                    "can't write {}: {error}; the hook on_arrival will be run again at the next start",
                    self.file.display()
                );
            }
        }
        is_well
    }
}

/// The place at the last time, where the file holds one line.
fn last_place(file: &std::path::Path) -> Option<String> {
    let head = read_head(file, PLACE_BYTES_MAX).ok().filter(|head| !head.cut)?;
    let text = String::from_utf8(head.bytes).ok()?;
    let host = text.strip_suffix('\n')?;
    (!host.is_empty() && !host.contains('\n')).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Event;
    use crate::hook::Ran;
    use std::path::Path;
    use vmpolicy_core::input::HookEnd;
    use vmpolicy_core::time::Span;

    const SOON: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(40));

    struct Guest {
        folder: tempfile::TempDir,
        events: Sender<Event>,
        inbox: Receiver<Event>,
    }

    impl Guest {
        fn new() -> Self {
            let (events, inbox) = channel();
            Self { folder: tempfile::tempdir().unwrap(), events, inbox }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Arrivals with a hook that writes down what it is told, and then does this.
        fn arrivals(&self, then: &str) -> Arrivals {
            let script = format!("echo \"$0,$1,$2,$3,$4\" >> {}; {then}", self.path("told").display());
            let argv = ["/bin/sh", "-c", &script, "{guest}", "{from}", "{to}", "{id}", "{host}"];
            let argv = argv.map(str::to_owned).to_vec();
            let spec = HookSpec { argv, timeout: Span::from_secs(20) };
            let reporter = Reporter::of_test(self.events.clone(), None);
            Arrivals::with("nii3".to_owned(), spec, self.path(PLACE), reporter, SOON)
        }

        fn ran(&self) -> Ran {
            match self.inbox.recv_timeout(Duration::from_secs(30)) {
                Ok(Event::Hooked { ran, .. }) => ran,
                other => panic!("{other:?}"),
            }
        }

        fn told(&self) -> Vec<String> {
            let text = fs::read_to_string(self.path("told")).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn holds(file: &Path, text: &str) {
        let began = std::time::Instant::now();
        while fs::read_to_string(file).ok().as_deref() != Some(text) {
            assert!(began.elapsed() < Duration::from_secs(30), "{} does not hold {text:?}", file.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn another_place_runs_it_and_the_same_place_does_not_even_after_a_start() {
        let guest = Guest::new();
        let arrivals = guest.arrivals("true");
        arrivals.at("mln1", None);
        let ran = guest.ran();
        assert_eq!((ran.hook, ran.id, ran.host.as_str()), (Hook::OnArrival, None, "mln1"));
        assert_eq!(ran.ended, HookEnd::Exit(0));
        holds(&guest.path(PLACE), "mln1\n");
        arrivals.at("mln1", None);
        arrivals.at("mln2", Some(RequestId(7)));
        assert_eq!((guest.ran().id, guest.ran_none()), (Some(RequestId(7)), true));
        holds(&guest.path(PLACE), "mln2\n");
        drop(arrivals);

        // A daemon that starts where it was; and one that starts somewhere else.
        let arrivals = guest.arrivals("true");
        arrivals.at("mln2", None);
        arrivals.at("mln3", None);
        assert_eq!(guest.ran().host, "mln3");
        assert_eq!(guest.told(), ["nii3,,mln1,,mln1", "nii3,mln1,mln2,nii3-7,mln2", "nii3,mln2,mln3,,mln3"]);
    }

    impl Guest {
        fn ran_none(&self) -> bool {
            self.inbox.try_recv().is_err()
        }
    }

    #[test]
    fn what_goes_wrong_is_tried_again_and_a_new_place_comes_first() {
        let guest = Guest::new();
        fs::write(guest.path(PLACE), "mln1\n").unwrap();
        let arrivals = guest.arrivals(&format!("test -e {}", guest.path("network").display()));
        arrivals.at("mln2", None);
        for _ in 0..3 {
            assert_eq!((guest.ran().ended, guest.path(PLACE).exists()), (HookEnd::Exit(1), false));
        }
        fs::write(guest.path("network"), "").unwrap();
        while guest.ran().ended != HookEnd::Exit(0) {}
        holds(&guest.path(PLACE), "mln2\n");

        // Back where it last went well, while it goes wrong elsewhere: something may have been changed there.
        fs::remove_file(guest.path("network")).unwrap();
        arrivals.at("mln3", None);
        assert_eq!(guest.ran().ended, HookEnd::Exit(1));
        fs::write(guest.path("network"), "").unwrap();
        arrivals.at("mln2", None);
        loop {
            let ran = guest.ran();
            if ran.host == "mln2" {
                assert_eq!(ran.ended, HookEnd::Exit(0));
                break;
            }
        }
        holds(&guest.path(PLACE), "mln2\n");
    }

    #[test]
    fn a_file_that_holds_no_place_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PLACE);
        assert_eq!(last_place(&path), None);
        for (content, expected) in [
            (&b"mln1\n"[..], Some("mln1")),
            (b"mln1", None),
            (b"", None),
            (b"\n", None),
            (b"a\nb\n", None),
            (b"\xff\n", None),
            (&[b'x'; 5_000], None),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(last_place(&path).as_deref(), expected);
        }
    }
}
