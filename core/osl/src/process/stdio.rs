use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

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
            Stdin::Piped => socket_pair().map(|(ours, theirs)| (theirs.into(), Some(ours.into())))?,
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
    fd.map_or_else(Descriptor::closed, |fd| Descriptor::new(fd, Vec::new()))
}

fn pipe_to_us() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = io::pipe()?;
    fcntl_setfl(&ours, OFlags::NONBLOCK)?;
    Ok((ours.into(), theirs.into()))
}

fn socket_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    #[cfg(target_vendor = "apple")]
    rustix::net::sockopt::set_socket_nosigpipe(&ours, true)?;
    Ok((ours, theirs))
}

/// Sends what has room now. Nobody there is an error, and never a signal.
pub(super) fn send_quietly(socket: &impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    #[cfg(target_vendor = "apple")]
    const QUIET: SendFlags = SendFlags::empty();
    #[cfg(not(target_vendor = "apple"))]
    const QUIET: SendFlags = SendFlags::NOSIGNAL;
    send(socket, bytes, QUIET | SendFlags::DONTWAIT)
}

/// A file without a name: however much it is, nobody has to write while the program reads.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, SeekFrom, fcntl_add_seals, memfd_create, seek};
    let fd = memfd_create("stdin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&fd, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    seek(&fd, SeekFrom::Start(0))?;
    fcntl_add_seals(&fd, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(fd)
}

/// Elsewhere a thread writes them, until nobody reads any more.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    use rustix::event::{PollFd, PollFlags, poll};
    let (ours, theirs) = socket_pair()?;
    let bytes = bytes.to_owned();
    let write = move || {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match send_quietly(&ours, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    // An error shows at the next send.
                    let _ = poll(&mut [PollFd::new(&ours, PollFlags::OUT)], None);
                }
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().name("airwasm-stdin".into()).spawn(write)?;
    Ok(theirs.into())
}
