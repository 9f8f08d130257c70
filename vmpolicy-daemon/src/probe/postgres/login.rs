//! Logging in: without a password, or by SCRAM-SHA-256 (RFC 5802 and 7677), which proves the password to the server
//! and the server to us, and shows it to nobody.

use super::super::Failure;
use super::super::packets::without;
use super::PostgresOptions;
use super::wire::{self, Connection, Message};
use crate::base64;
use crate::secret::{Secret, SecretSource};
use crate::stream::Deadline;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use vmpolicy_core::input::Absence;

/// The protocol's version, 3.0.
const VERSION: [u8; 4] = [0, 3, 0, 0];

/// The one way that is known, as the server calls it.
const MECHANISM: &str = "SCRAM-SHA-256";

/// Servers say 4096. A hostile one could keep a processor busy with billions.
const ROUNDS_MAX: u32 = 200_000;

/// Logs in, and waits until a query may come.
pub(super) fn log_in(
    connection: &mut Connection,
    options: &PostgresOptions,
    deadline: Deadline,
) -> Result<(), Failure> {
    let mut start = VERSION.to_vec();
    let database = options.database.as_ref().map(|database| ("database", database.as_str()));
    let user = Some(("user", options.user.as_str()));
    for (name, value) in [user, database, Some(("application_name", "vmpolicy"))].into_iter().flatten() {
        if value.contains('\0') {
            return Err(Failure::new(Absence::Denied, "no user or database has such a name"));
        }
        start.extend_from_slice(name.as_bytes());
        start.push(0);
        start.extend_from_slice(value.as_bytes());
        start.push(0);
    }
    start.push(0);
    let mut hello = Vec::new();
    wire::put(&mut hello, None, &[&start]);
    connection.send(&hello, deadline)?;
    let (mut proven, mut shown) = (false, None);
    loop {
        match connection.next(deadline)? {
            Message::ReadyForQuery => return Ok(()),
            Message::Error(failure) => {
                return Err(without(failure, shown.as_ref().map_or("", Secret::expose)));
            }
            Message::Other => {}
            // AuthenticationOk.
            Message::Authentication(0, _) => {}
            Message::Authentication(3, _) if options.address.is_in_the_clear() => {
                return Err(denied(
                    "it wants the password in the clear, which is not sent over a network: say `tls: true`",
                ));
            }
            Message::Authentication(3, _) => {
                // The password itself, for which TLS is safe, and a socket of this machine.
                let secret = password(options)?;
                let password = secret.expose().as_bytes();
                // A buffer that grows would leave copies behind.
                let mut answer = zeroize::Zeroizing::new(Vec::with_capacity(password.len() + 6));
                wire::put(&mut answer, Some(b'p'), &[password, b"\0"]);
                connection.send(&answer, deadline)?;
                shown = Some(secret);
            }
            Message::Authentication(5, _) => {
                return Err(denied(
                    "it wants MD5, which is broken: set the user's password anew with password_encryption = scram-sha-256",
                ));
            }
            Message::Authentication(10, ways) if !proven => {
                if !ways.split(|byte| *byte == 0).any(|way| way == MECHANISM.as_bytes()) {
                    return Err(denied("it knows no way to log in that is known here"));
                }
                scram(connection, &password(options)?, deadline)?;
                proven = true;
            }
            Message::Authentication(..) => {
                return Err(denied("it wants a way to log in that is not known here"));
            }
            Message::Row(_) => return Err(wire::odd()),
        }
    }
}

fn denied(why: &str) -> Failure {
    Failure::new(Absence::Denied, why)
}

fn password(options: &PostgresOptions) -> Result<Secret, Failure> {
    let source = options.password.as_ref().ok_or_else(|| denied("it wants `password_file`"))?;
    SecretSource::read(source).map_err(|error| denied(&error.to_string()))
}

fn scram(connection: &mut Connection, password: &Secret, deadline: Deadline) -> Result<(), Failure> {
    let mut nonce = [0; 18];
    SystemRandom::new().fill(&mut nonce).map_err(|_| denied("this system has no random numbers"))?;
    let first = Exchange::new(&base64::encode(&nonce));
    let hello = first.hello();
    let mut answer = Vec::new();
    let length = u32::try_from(hello.len()).unwrap_or(u32::MAX).to_be_bytes();
    wire::put(&mut answer, Some(b'p'), &[MECHANISM.as_bytes(), b"\0", &length, hello.as_bytes()]);
    connection.send(&answer, deadline)?;

    let challenge = said(connection, 11, deadline)?;
    let proof = first.prove(&challenge, password)?;
    let mut answer = Vec::new();
    wire::put(&mut answer, Some(b'p'), &[proof.text.as_bytes()]);
    connection.send(&answer, deadline)?;

    let verdict = said(connection, 12, deadline)?;
    let theirs = verdict.strip_prefix("v=").and_then(|text| base64::decode(text.split(',').next()?));
    match theirs {
        Some(theirs) if hmac::verify(&proof.server, proof.all.as_bytes(), &theirs).is_ok() => Ok(()),
        _ => Err(denied("the server does not know the password itself: it is not the one it seems")),
    }
}

/// What the server says in a step of the exchange.
fn said(connection: &mut Connection, step: u32, deadline: Deadline) -> Result<String, Failure> {
    loop {
        return match connection.next(deadline)? {
            Message::Authentication(way, text) if way == step => {
                String::from_utf8(text).map_err(|_| wire::odd())
            }
            Message::Error(failure) => Err(failure),
            Message::Other => continue,
            _ => Err(wire::odd()),
        };
    }
}

/// RFC 5802, section 3, without channel binding. The user stands in the start-up message.
struct Exchange {
    nonce: String,
}

/// The proof for the server, and by what its own is known.
struct Proof {
    text: String,
    server: hmac::Key,
    all: String,
}

impl Exchange {
    fn new(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned() }
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    fn hello(&self) -> String {
        format!("n,,{}", self.bare())
    }

    fn prove(&self, challenge: &str, password: &Secret) -> Result<Proof, Failure> {
        let mut fields = challenge.split(',');
        let mut field =
            |name: &str| fields.next().and_then(|field| field.strip_prefix(name)).ok_or_else(wire::odd);
        let (nonce, salt, rounds) = (field("r=")?, field("s=")?, field("i=")?);
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(wire::odd());
        }
        let salt = base64::decode(salt).ok_or_else(wire::odd)?;
        let rounds = rounds.parse::<u32>().ok().filter(|rounds| *rounds <= ROUNDS_MAX);
        let rounds = rounds.and_then(NonZeroU32::new).ok_or_else(wire::odd)?;
        if !password.expose().is_ascii() {
            // It would have to be normalised (RFC 4013), for which the tables are larger than this probe.
            return Err(denied("a password that is not ASCII is not known here"));
        }
        // Whoever has it needs no password.
        let mut salted = zeroize::Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
        let password = password.expose().as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password, &mut salted[..]);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let client = sign(&salted[..], b"Client Key");
        let stored = digest::digest(&digest::SHA256, client.as_ref());
        // `biws` is `n,,`: no channel binding.
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{challenge},{last}", self.bare());
        let mut proof = client.as_ref().to_vec();
        let signature = sign(stored.as_ref(), all.as_bytes());
        for (byte, other) in proof.iter_mut().zip(signature.as_ref()) {
            *byte ^= other;
        }
        let server = hmac::Key::new(hmac::HMAC_SHA256, sign(&salted[..], b"Server Key").as_ref());
        Ok(Proof { text: format!("{last},p={}", base64::encode(&proof)), server, all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_checked_before_anything_is_computed() {
        let secret = Secret::new("pencil".to_owned());
        let exchange = Exchange::new("abc");
        assert_eq!(exchange.hello(), "n,,n=,r=abc");
        let prove = |challenge: &str| {
            exchange.prove(challenge, &secret).map(|_| ()).map_err(|failure| failure.absence)
        };
        assert!(prove("r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").is_ok());
        for wrong in [
            "",
            "r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=xyzdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=abcdef,s=!,i=4096",
            "r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
            "r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295",
            "r=abcdef,i=1",
        ] {
            assert_eq!(prove(wrong), Err(Absence::Unparsable), "{wrong}");
        }
        let odd = exchange.prove("r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", &Secret::new("é".to_owned()));
        assert_eq!(odd.err().unwrap().absence, Absence::Denied);
    }
}
