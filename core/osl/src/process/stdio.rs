use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_setfl, memfd_create, open};
use rustix::fs::{SeekFrom, seek};
use rustix::pipe::{PipeFlags, pipe_with};

use super::command::Stdin;
use super::handle::Ends;
use crate::descriptor::Descriptor;

/// Both ends of what a program reads and writes.
pub(super) struct Stdio {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    ours: Ends,
}

impl Stdio {
    pub fn open(stdin: &Stdin) -> io::Result<Self> {
        let (stdin, our_stdin) = match stdin {
            Stdin::Empty => (open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?, None),
            Stdin::Bytes(bytes) => (file_of(bytes)?, None),
            // Not a pipe: a write to one that nobody reads raises SIGPIPE, and that is the host's.
            Stdin::Piped => UnixStream::pair().map(|(ours, theirs)| (theirs.into(), Some(ours.into())))?,
        };
        let (our_stdout, stdout) = pipe_to_us()?;
        let (our_stderr, stderr) = pipe_to_us()?;
        let ours = Ends { stdin: descriptor(our_stdin), stdout: our_stdout, stderr: our_stderr };
        Ok(Self { stdin, stdout, stderr, ours })
    }

    pub fn theirs(&self) -> [BorrowedFd<'_>; 3] {
        [self.stdin.as_fd(), self.stdout.as_fd(), self.stderr.as_fd()]
    }

    /// Ours; theirs are closed here, so that the output ends with the program.
    pub fn into_ours(self) -> Ends {
        self.ours
    }
}

fn descriptor(fd: Option<OwnedFd>) -> Descriptor {
    fd.map_or_else(Descriptor::closed, Descriptor::new)
}

fn pipe_to_us() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&ours, OFlags::NONBLOCK)?;
    Ok((ours, theirs))
}

/// A file without a name: however much it is, nobody has to write while the program reads.
fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    let fd = memfd_create("stdin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&fd, rest) {
            Ok(count) => rest = &rest[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    seek(&fd, SeekFrom::Start(0))?;
    fcntl_add_seals(&fd, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(fd)
}
