//! `redis`: jobs as elements of a list, by the pattern of the reliable queue
//! (<https://redis.io/docs/latest/commands/lmove/>).
//!
//! ```text
//! LIST                     waiting; whoever wants work done pushes to its right end (RPUSH)
//! LIST:claimed-by:GUEST    claimed: moved there one by one (LMOVE), each in one step
//! LIST:failed              run, and it did not go well
//! ```
//!
//! Nobody but this guest touches its list of claimed ones. Where an answer was lost, the list's length tells whether a job
//! that has ended was taken away already, as equal elements are different jobs; and it is taken away by its value,
//! so that a command which a server carries out late takes no other job with it.

use super::{End, Fault, Job, Source, Stdin};
use crate::probe::Failure;
use crate::redis::{Reply, Server, odd};
use crate::stream::Route;
use vmpolicy_core::file::GradedBy;

/// A list of a Redis.
pub struct Redis {
    server: Server,
    route: Route,
    list: String,
    claimed: String,
    failed: String,
    /// How many jobs a batch has at most.
    batch: u32,
    by: GradedBy,
    /// The first job at hand, and how many there were when it was looked at.
    head: Option<(i64, Vec<u8>)>,
}

impl Redis {
    /// The jobs of this list, as this guest sees them; the server is not looked for yet.
    #[must_use]
    pub fn new(server: Server, list: &str, batch: u32, guest: &str, by: GradedBy) -> Self {
        Self {
            server,
            route: Route::default(),
            claimed: format!("{list}:claimed-by:{guest}"),
            failed: format!("{list}:failed"),
            list: list.to_owned(),
            batch,
            by,
            head: None,
        }
    }

    /// Asks for all of this on one connection: as many replies as commands.
    fn ask(&mut self, commands: &[&[&[u8]]]) -> Result<Vec<Reply>, Fault> {
        let asked = self.server.ask(&mut self.route, commands);
        let replies = asked.and_then(|mut session| commands.iter().map(|_| session.reply()).collect());
        replies.map_err(|failure| fault(&failure))
    }

    /// The jobs at hand, as they are known.
    fn at_hand(&mut self) -> Result<Vec<String>, Fault> {
        let claimed = self.claimed.clone();
        let replies = self.ask(&[&[b"LRANGE", claimed.as_bytes(), b"0", b"-1"]])?;
        let Some(Reply::List(elements)) = replies.into_iter().next() else { return Err(fault(&odd())) };
        let known = elements.into_iter().map(|element| match element {
            Reply::Text(bytes) => Ok(self.known(&String::from_utf8_lossy(&bytes))),
            _ => Err(fault(&odd())),
        });
        known.collect()
    }

    fn known(&self, text: &str) -> String {
        match self.by {
            GradedBy::Name => text.to_owned(),
            GradedBy::FirstLine => text.lines().next().unwrap_or_default().to_owned(),
        }
    }
}

impl Source for Redis {
    fn claim(&mut self) -> Result<Vec<String>, Fault> {
        let jobs = self.at_hand()?;
        if !jobs.is_empty() {
            return Ok(jobs);
        }
        let (from, to) = (self.list.clone(), self.claimed.clone());
        let one: &[&[u8]] = &[b"LMOVE", from.as_bytes(), to.as_bytes(), b"LEFT", b"RIGHT"];
        let length = self.ask(&[&[b"LLEN", from.as_bytes()]])?;
        let Some(Reply::Integer(length)) = length.first() else { return Err(fault(&odd())) };
        let most = usize::try_from(*length).unwrap_or(0).min(self.batch as usize);
        if most == 0 {
            return Ok(Vec::new());
        }
        // Those that others are faster to get are none.
        self.ask(&vec![one; most])?;
        self.at_hand()
    }

    fn first(&mut self) -> Result<Option<Job>, Fault> {
        self.head = None;
        let claimed = self.claimed.clone();
        let key = claimed.as_bytes();
        let replies = self.ask(&[&[b"LLEN", key], &[b"LINDEX", key, b"0"]])?;
        let (length, text) = match replies.as_slice() {
            [Reply::Integer(_), Reply::Nothing] => return Ok(None),
            [Reply::Integer(length), Reply::Text(text)] => (*length, text),
            _ => return Err(fault(&odd())),
        };
        self.head = Some((length, text.clone()));
        let text = String::from_utf8_lossy(text).into_owned();
        let known = self.known(&text);
        let stdin = Stdin::Text(text.clone());
        Ok(Some(Job { name: text.clone(), batch: self.list.clone(), told: text, known, stdin }))
    }

    fn finish(&mut self, _job: &Job, end: End) -> Result<(), Fault> {
        let Some((before, element)) = self.head.clone() else { return Ok(()) };
        let (claimed, failed) = (self.claimed.clone(), self.failed.clone());
        let key = claimed.as_bytes();
        match self.ask(&[&[b"LLEN", key]])?.as_slice() {
            [Reply::Integer(now)] if *now < before => {}
            [Reply::Integer(_)] => {
                let away: &[&[u8]] = &[b"LREM", key, b"1", &element];
                let aside: &[&[u8]] = &[b"RPUSH", failed.as_bytes(), &element];
                match end {
                    End::Done => self.ask(&[away])?,
                    End::Failed => self.ask(&[&[b"MULTI"], aside, away, &[b"EXEC"]])?,
                };
            }
            _ => return Err(fault(&odd())),
        }
        self.head = None;
        Ok(())
    }
}

fn fault(failure: &Failure) -> Fault {
    Fault(format!("redis: {}", failure.words))
}
