//! `redis`: a field of `INFO`, or a list's length, of Redis, Valkey or what speaks as they do.
//!
//! Each poll has a connection of its own: it costs the server a socket and no process.

use super::{Failure, Source};
use crate::number::only_number;
use crate::redis::{Reply, Server, odd};
use crate::stream::Route;
use vmpolicy_core::file::RedisRead;
use vmpolicy_core::input::Absence;

/// All of `INFO` is some kilobytes.
pub(super) const INFO_BYTES_MAX: usize = 256 * 1024;

/// A number of Redis.
pub struct RedisProbe {
    read: RedisRead,
    server: Server,
    route: Route,
}

impl RedisProbe {
    /// A probe of this number; the server is not looked for yet.
    #[must_use]
    pub fn new(read: RedisRead, server: Server) -> Self {
        Self { read, server, route: Route::default() }
    }
}

impl Source for RedisProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let command: &[&[u8]] = match &self.read {
            RedisRead::Info(_) => &[b"INFO"],
            RedisRead::ListLength(key) => &[b"LLEN", key.as_bytes()],
        };
        let reply = self.server.ask(&mut self.route, &[command])?.reply()?;
        match (&self.read, reply) {
            (RedisRead::ListLength(_), Reply::Integer(length)) => Ok(length as f64),
            (RedisRead::Info(field), Reply::Text(text)) => info(&text, field),
            _ => Err(odd()),
        }
    }
}

/// The value of a line `field:value`.
fn info(text: &[u8], field: &str) -> Result<f64, Failure> {
    for line in text.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line[..colon].eq_ignore_ascii_case(field.as_bytes()) {
            return only_number(&line[colon + 1..])
                .map_err(|absence| Failure::new(absence, format!("`{field}` of INFO is not a number")));
        }
    }
    Err(Failure::new(Absence::Missing, format!("INFO has no field `{field}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_info() {
        let text =
            b"# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\nmem_fragmentation_ratio:1.07\r\n\
            db0:keys=1,expires=0\r\n";
        let read = |field| info(text, field).map_err(|failure| failure.absence);
        assert_eq!(read("used_memory"), Ok(1_048_576.0));
        assert_eq!(read("mem_fragmentation_ratio"), Ok(1.07));
        assert_eq!(read("used_memory_human"), Err(Absence::Unparsable));
        assert_eq!(read("db0"), Err(Absence::Unparsable));
        assert_eq!(read("used"), Err(Absence::Missing));
    }
}
