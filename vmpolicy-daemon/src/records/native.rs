//! The system's journal, by its own protocol: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name under which records stand in the journal.
const IDENTIFIER: &str = "vmpolicyd";

/// How long a journal that is busy may hold up the loop.
const PATIENCE: Duration = Duration::from_millis(250);

/// A datagram is no longer than this; what is longer goes as a file. journald's clients send up to the socket's buffer,
/// which is 208 KiB where nobody says otherwise.
const DATAGRAM_BYTES_MAX: usize = 64 * 1024;

/// What is asked of a record here.
#[derive(Deserialize)]
struct Seen<'a> {
    event: &'a str,
    guest: String,
}

/// The system's journal.
#[derive(Debug)]
pub struct SystemJournal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl SystemJournal {
    /// The journal that listens here. Whether one does shows itself with the first record.
    ///
    /// # Errors
    ///
    /// Where there are no sockets to be had.
    pub fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, path: path.to_path_buf() })
    }

    /// Hands over whole lines, and removes from `lines` what was taken.
    ///
    /// # Errors
    ///
    /// Where one is not taken; it and those after it are still in `lines`.
    pub fn write(&self, lines: &mut Vec<u8>) -> io::Result<()> {
        let mut written = 0;
        let done = loop {
            let rest = &lines[written..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break Ok(()) };
            match self.send(&entry(&rest[..end])) {
                Ok(()) => written += end + 1,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        lines.drain(..written);
        done
    }

    fn send(&self, entry: &[u8]) -> io::Result<()> {
        if entry.len() <= DATAGRAM_BYTES_MAX {
            return self.socket.send_to(entry, &self.path).map(drop);
        }
        let file = File::from(memfd_create("record", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        (&file).write_all(entry)?;
        // journald maps it, and takes it only where nobody can change it any more.
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&files));
        let address = SocketAddrUnix::new(&self.path)?;
        sendmsg_addr(&self.socket, &address, &[IoSlice::new(&[])], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

/// A record as an entry.
fn entry(line: &[u8]) -> Vec<u8> {
    let mut entry = format!("SYSLOG_IDENTIFIER={IDENTIFIER}\n").into_bytes();
    // It is a record of ours.
    if let Ok(Seen { event, guest }) = serde_json::from_slice::<Seen<'_>>(line) {
        // syslog's 4 is a warning, 5 what is normal and significant, 6 information (RFC 5424, 6.2.1).
        let priority = match event {
            "refused" | "failed" | "expired" => 4,
            "request" | "confirmed" => 5,
            _ => 6,
        };
        entry.extend_from_slice(format!("PRIORITY={priority}\nVMPOLICY_EVENT={event}\n").as_bytes());
        field("VMPOLICY_GUEST", guest.as_bytes(), &mut entry);
    }
    field("MESSAGE", line, &mut entry);
    entry
}

/// A field of any bytes: one with a newline in it says its length.
fn field(name: &str, value: &[u8], entry: &mut Vec<u8>) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value);
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"at":"2026-11-23T12:00:00Z","guest":"nii3","event":"failed","id":1}"#;

    fn journal(folder: &Path) -> (UnixDatagram, SystemJournal) {
        let path = folder.join("socket");
        (UnixDatagram::bind(&path).unwrap(), SystemJournal::at(&path).unwrap())
    }

    #[test]
    fn a_record_is_an_entry_with_fields() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, ours) = journal(folder.path());
        let mut lines = format!("{LINE}\n{LINE}\n").into_bytes();
        ours.write(&mut lines).unwrap();
        assert!(lines.is_empty());
        let mut got = [0; 1_024];
        for _ in 0..2 {
            let count = theirs.recv(&mut got).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&got[..count]),
                format!(
                    "SYSLOG_IDENTIFIER=vmpolicyd\nPRIORITY=4\nVMPOLICY_EVENT=failed\nVMPOLICY_GUEST=nii3\nMESSAGE={LINE}\n"
                )
            );
        }
    }

    #[test]
    fn a_name_can_t_add_fields() {
        let line = r#"{"guest":"a\nPRIORITY=0","event":"request"}"#;
        let text = String::from_utf8(entry(line.as_bytes())).unwrap();
        assert!(text.contains("VMPOLICY_GUEST\n\u{c}\0\0\0\0\0\0\0a\nPRIORITY=0\nMESSAGE="), "{text:?}");
    }

    #[test]
    fn what_nobody_takes_waits() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, ours) = journal(folder.path());
        let mut lines = format!("{LINE}\n").into_bytes().repeat(5_000);
        let before = lines.len();
        assert!(ours.write(&mut lines).is_err());
        assert!(!lines.is_empty() && lines.len() < before && lines.len() % (LINE.len() + 1) == 0);
        drop(theirs);
        let before = lines.len();
        assert!(ours.write(&mut lines).is_err());
        assert_eq!(lines.len(), before);
    }
}
