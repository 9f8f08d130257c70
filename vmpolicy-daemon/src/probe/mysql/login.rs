//! Logging in: by `mysql_native_password` or `caching_sha2_password`, which prove the password without showing it,
//! or as whom the socket says one is.

use super::super::Failure;
use super::super::packets::{sentence, without};
use super::MysqlOptions;
use super::wire::{self, Connection};
use crate::secret::Secret;
use crate::stream::{Deadline, Route};
use ring::digest::{Algorithm, Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use vmpolicy_core::input::Absence;

/// Without it, a MariaDB takes the client for one of its own.
const CLIENT_LONG_PASSWORD: u32 = 1;
const CLIENT_PROTOCOL_41: u32 = 1 << 9;
/// Goes on by TLS.
const CLIENT_SSL: u32 = 1 << 11;
/// A proof of 20 bytes and more. MySQL's documents also call it `CLIENT_RESERVED2`.
const CLIENT_SECURE_CONNECTION: u32 = 1 << 15;
const CLIENT_PLUGIN_AUTH: u32 = 1 << 19;

/// What every server since 4.1 can do.
const NEEDED: u32 = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION;

/// The longest packet of a client: what is sent here is far shorter.
const PACKET_BYTES_MAX: u32 = 1 << 24;

/// utf8mb4: in it are the user's name, and what the server says.
const CHARSET: u8 = 45;

/// What the server draws anew for each login.
type Nonce = [u8; 20];

/// Logs in, and waits until a command may come.
pub(super) fn log_in(
    connection: &mut Connection,
    options: &MysqlOptions,
    password: Option<&Secret>,
    route: &mut Route,
    deadline: Deadline,
) -> Result<(), Failure> {
    if options.user.contains('\0') {
        return Err(denied("no user has such a name"));
    }
    let greeting = Greeting::read(&connection.next(deadline)?)?;
    let mut flags = greeting.can & (NEEDED | CLIENT_LONG_PASSWORD | CLIENT_PLUGIN_AUTH);
    if options.address.is_by_tls() {
        // The greeting came in the clear: whoever leaves TLS out of it gets nothing.
        if greeting.can & CLIENT_SSL == 0 {
            return Err(denied("the server has no TLS, and nothing is said to it without (`tls: true`)"));
        }
        flags |= CLIENT_SSL;
        connection.send(&preamble(&flags.to_le_bytes()), deadline)?;
        connection.secure(&options.address, route, deadline)?;
    }
    // It is the server's usual way. An account of another is asked again, in its own.
    let mut way = Way::named(&greeting.way).unwrap_or(Way::NativePassword);
    let proof = way.proof(password, &greeting.nonce);
    let flags = flags.to_le_bytes();
    let who: [&[u8]; 5] = [
        options.user.as_bytes(),
        &[0, u8::try_from(proof.len()).expect("the longest is a SHA-256")],
        &proof,
        way.name().as_bytes(),
        &[0],
    ];
    connection.send(&[&preamble(&flags)[..], &who].concat(), deadline)?;
    // A server that wants TLS may say no more than that access is denied.
    let may_want_tls = options.address.is_in_the_clear() && greeting.can & CLIENT_SSL != 0;
    let (mut switched, mut shown) = (false, false);
    loop {
        let packet = connection.next(deadline).map_err(|failure| match failure.absence {
            Absence::Denied if may_want_tls => {
                denied(format!("{}: does it want `tls: true`?", failure.words))
            }
            _ if shown => without(failure, password.map_or("", Secret::expose)),
            _ => failure,
        })?;
        match (packet.as_slice(), way) {
            ([0, ..], _) => {
                connection.logged_in = true;
                return Ok(());
            }
            ([0xfe, request @ ..], _) if !switched => {
                let (name, seed) = wire::until_zero(request);
                way = Way::named(name).ok_or_else(|| unknown(name))?;
                let proof = match way {
                    Way::Socket => Vec::new(),
                    _ => way.proof(password, &nonce(seed)?),
                };
                connection.send(&[&proof], deadline)?;
                switched = true;
            }
            // The server remembers the password's hash, and what was sent fits it: its OK is next.
            ([1, 3], Way::CachingSha2) => {}
            // It does not, and wants the password itself.
            ([1, 4], Way::CachingSha2) if !shown => {
                if options.address.is_in_the_clear() {
                    return Err(not_over_a_network());
                }
                let password = password.map_or("", Secret::expose);
                connection.send(&[password.as_bytes(), &[0]], deadline)?;
                shown = true;
            }
            _ => return Err(wire::odd()),
        }
    }
}

/// What a login and the request for TLS begin with.
fn preamble(flags: &[u8; 4]) -> [&[u8]; 4] {
    const MOST: [u8; 4] = PACKET_BYTES_MAX.to_le_bytes();
    [flags, &MOST, &[CHARSET], &[0; 23]]
}

fn denied(why: impl Into<String>) -> Failure {
    Failure::new(Absence::Denied, why)
}

fn not_over_a_network() -> Failure {
    denied(
        "it does not remember this user's password and wants it in the clear, which is not sent over a network: \
         say `tls: true`, or use its socket",
    )
}

fn unknown(name: &[u8]) -> Failure {
    let name = if name.is_empty() { "mysql_old_password".to_owned() } else { sentence(name) };
    denied(format!(
        "this user logs in by `{name}`, which is not known here: let it be {}, {} or the socket",
        Way::NativePassword.name(),
        Way::CachingSha2.name(),
    ))
}

/// How an account shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// MariaDB's usual one, and that of MySQL before 8.
    NativePassword,
    /// MySQL's since 8.
    CachingSha2,
    /// The system tells the server who is at the other end of its socket.
    Socket,
}

impl Way {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"mysql_native_password" => Some(Self::NativePassword),
            b"caching_sha2_password" => Some(Self::CachingSha2),
            b"unix_socket" | b"auth_socket" => Some(Self::Socket),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::NativePassword => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Socket => "unix_socket",
        }
    }

    /// What proves to know the password. Who has none proves nothing.
    fn proof(self, password: Option<&Secret>, nonce: &Nonce) -> Vec<u8> {
        let password = password.map_or("", Secret::expose).as_bytes();
        match self {
            _ if password.is_empty() => Vec::new(),
            Self::NativePassword => {
                let sha1 = &SHA1_FOR_LEGACY_USE_ONLY;
                let (once, twice) = hashed_twice(sha1, password);
                masked(&once, &hash(sha1, &[nonce, twice.as_ref()]))
            }
            Self::CachingSha2 => {
                let (once, twice) = hashed_twice(&SHA256, password);
                masked(&once, &hash(&SHA256, &[twice.as_ref(), nonce]))
            }
            Self::Socket => Vec::new(),
        }
    }
}

fn hashed_twice(algorithm: &'static Algorithm, password: &[u8]) -> (Digest, Digest) {
    let once = digest(algorithm, password);
    (once, digest(algorithm, once.as_ref()))
}

fn hash(algorithm: &'static Algorithm, parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

fn masked(bytes: &Digest, mask: &Digest) -> Vec<u8> {
    bytes.as_ref().iter().zip(mask.as_ref()).map(|(byte, other)| byte ^ other).collect()
}

/// The nonce of a request; most servers put a zero byte behind it.
fn nonce(seed: &[u8]) -> Result<Nonce, Failure> {
    seed.strip_suffix(&[0]).unwrap_or(seed).try_into().map_err(|_| wire::odd())
}

/// What a server says first.
#[derive(Debug, PartialEq, Eq)]
struct Greeting {
    /// Flags of what it can do.
    can: u32,
    nonce: Nonce,
    /// Its usual way of logging in.
    way: Vec<u8>,
}

impl Greeting {
    /// `Protocol::HandshakeV10`.
    fn read(packet: &[u8]) -> Result<Self, Failure> {
        let [10, rest @ ..] = packet else { return Err(wire::odd()) };
        // Its version, the number of the connection, and then 8 bytes of the nonce and a zero byte.
        let (_, rest) = wire::until_zero(rest);
        let (_, rest) = rest.split_first_chunk::<4>().ok_or_else(wire::odd)?;
        let (first, rest) = rest.split_first_chunk::<8>().ok_or_else(wire::odd)?;
        let (&[_, low, high], rest) = rest.split_first_chunk::<3>().ok_or_else(wire::odd)?;
        // The charset and the status; how long the nonce is, always 21; ten bytes for later.
        let (&[_, _, _, higher, highest], rest) =
            rest.split_first_chunk::<5>().ok_or_else(|| too_old(packet))?;
        let can = u32::from_le_bytes([low, high, higher, highest]);
        if can & NEEDED != NEEDED {
            return Err(too_old(packet));
        }
        let (_, rest) = rest.split_first_chunk::<11>().ok_or_else(wire::odd)?;
        let (second, rest) = rest.split_first_chunk::<12>().ok_or_else(wire::odd)?;
        let mut nonce = [0; 20];
        nonce[..8].copy_from_slice(first);
        nonce[8..].copy_from_slice(second);
        let way = match rest {
            [0, rest @ ..] if can & CLIENT_PLUGIN_AUTH != 0 => wire::until_zero(rest).0.to_vec(),
            _ => Vec::new(),
        };
        Ok(Self { can, nonce, way })
    }
}

fn too_old(greeting: &[u8]) -> Failure {
    let (version, _) = wire::until_zero(&greeting[1..]);
    denied(format!("a server of version {} is too old for a safe login", sentence(version)))
}
