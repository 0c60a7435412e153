use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{self, AtFlags, Mode, OFlags};

/// A folder that is this user's alone, opened once: its files are named, never paths.
///
/// It is for files that can be made again. One is written under another name and then renamed, so that whoever reads
/// finds a whole one or none; it is taken away by its name, never shortened.
pub struct PrivateDir(OwnedFd);

/// A file of a [`PrivateDir`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written last.
    pub written: SystemTime,
}

const FILE: Mode = Mode::from_raw_mode(0o600);
const OPEN: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);

impl PrivateDir {
    /// Opens the folder, and makes it if there is none. Refused if it is a link, is another's, or others may write to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        // With a slash or a dot at its end a link would be followed.
        let path = &path.components().collect::<PathBuf>();
        match fs::mkdir(path, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(why) => return Err(why.into()),
        }
        let folder = File::from(fs::open(path, OPEN | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?);
        check(&folder, 0o022, "others may write to the folder")?;
        Ok(Self(folder.into()))
    }

    /// The file's content; none if there is no such file, or none of this user's alone, or more than `bytes_max` of it.
    pub fn read(&self, name: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let opened = fs::openat(&self.0, name, OPEN | OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
        let file = match opened {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::LOOP) => return Ok(None),
            Err(why) => return Err(why.into()),
        };
        let about = file.metadata()?;
        if !about.is_file() || about.len() > bytes_max || check(&file, 0o077, "").is_err() {
            return Ok(None);
        }
        let mut content = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut content)?;
        Ok((content.len() as u64 <= bytes_max).then_some(content))
    }

    /// Puts the file there, in place of one of that name.
    pub fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.write_aside(parts)?;
        let renamed = fs::renameat(&self.0, &temporary, &self.0, name);
        if renamed.is_err() {
            let _ = self.remove(&temporary);
        }
        Ok(renamed?)
    }

    /// Puts the file there if there is none of that name; says whether it did. Of several who try, one does.
    pub fn write_first(&self, name: &str, content: &[u8]) -> io::Result<bool> {
        let temporary = self.write_aside(&[content])?;
        let linked = fs::linkat(&self.0, &temporary, &self.0, name, AtFlags::empty());
        let _ = self.remove(&temporary);
        match linked {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST) => Ok(false),
            Err(why) => Err(why.into()),
        }
    }

    fn write_aside(&self, parts: &[&[u8]]) -> io::Result<String> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|why| io::Error::other(why.to_string()))?;
        let name = format!("{:016x}.new", u64::from_le_bytes(random));
        let flags = OPEN | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = File::from(fs::openat(&self.0, &name, flags, FILE)?);
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        if written.is_err() {
            let _ = self.remove(&name);
        }
        written.map(|()| name)
    }

    /// Takes the file away; whoever has it open keeps it.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// The regular files in it, in no order.
    pub fn files(&self) -> io::Result<Vec<PrivateFile>> {
        let mut files = Vec::new();
        for entry in fs::Dir::read_from(&self.0)? {
            let Ok(name) = entry?.file_name().to_str().map(str::to_owned) else { continue };
            let opened = fs::openat(&self.0, &name, OPEN | OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
            let Ok(about) = opened.map_err(io::Error::from).and_then(|file| File::from(file).metadata())
            else {
                continue;
            };
            if about.is_file() {
                files.push(PrivateFile { name, bytes: about.len(), written: about.modified()? });
            }
        }
        Ok(files)
    }
}

/// Whether it is this user's and has none of these permissions.
fn check(file: &File, forbidden: u32, why: &str) -> io::Result<()> {
    let about = file.metadata()?;
    let refused = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    match () {
        () if about.uid() != rustix::process::geteuid().as_raw() => refused("it belongs to another user"),
        () if about.mode() & forbidden != 0 => refused(why),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn hostile_d3_a_folder_that_others_may_write_to_or_a_link_to_one_is_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("cache");
        PrivateDir::open(&path).expect("made");
        let mode =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o700);
        mode(0o777);
        let refused = PrivateDir::open(&path).err().expect("others may write");
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        mode(0o700);
        symlink(&path, parent.path().join("link")).expect("linked");
        for link in ["link", "link/", "link/."] {
            assert!(PrivateDir::open(&parent.path().join(link)).is_err(), "{link}");
        }
    }

    #[test]
    fn of_two_that_write_first_one_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let private = PrivateDir::open(folder.path()).expect("ours");
        assert!(private.write_first("a", b"one").expect("written"));
        assert!(!private.write_first("a", b"two").expect("there already"));
        assert_eq!(private.read("a", 3).expect("readable"), Some(b"one".to_vec()));
        assert_eq!(private.files().expect("listed").len(), 1);
    }

    #[test]
    fn what_is_too_large_or_open_to_others_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let private = PrivateDir::open(folder.path()).expect("ours");
        private.write("a", &[b"on", b"e"]).expect("written");
        assert_eq!(private.read("a", 2).expect("readable"), None);
        let path = folder.path().join("a");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("ours");
        assert_eq!(private.read("a", 3).expect("readable"), None);
        assert_eq!(private.read("b", 3).expect("readable"), None);
    }
}
