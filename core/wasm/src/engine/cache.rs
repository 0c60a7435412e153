//! Compiled code kept on disk: keyed by what it was made of, believed only under a secret of the folder.

use std::io;
use std::path::Path;

use airssys_osl::PrivateDir;
use sha2::{Digest, Sha256};

/// Bytes of all that is kept; the oldest goes first.
const BYTES_MAX: u64 = 1 << 30;
const SECRET: &str = "secret";
const SECRET_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
const ENDING: &str = ".code";

/// A folder of compiled code. Several processes may use it at once.
pub(crate) struct Cache {
    folder: PrivateDir,
    secret: [u8; SECRET_BYTES],
    bytes_max: u64,
}

impl Cache {
    /// Opens the folder, and makes it and its secret if there are none. It must be this user's alone.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let folder = PrivateDir::open(path)?;
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|why| io::Error::other(why.to_string()))?;
        if !folder.write_first(SECRET, &secret)? {
            let found = folder.read(SECRET, SECRET_BYTES as u64)?.and_then(|found| found.try_into().ok());
            let broken = "its file `secret` is not 32 bytes that only this user may read: remove it";
            secret = found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, broken))?;
        }
        Ok(Self { folder, secret, bytes_max: BYTES_MAX })
    }

    /// The name of what these bytes are compiled to, by this version with these settings.
    pub(super) fn name(component: &[u8], settings: Sha256) -> String {
        let digest = settings.chain_update(Sha256::digest(component));
        let hex = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        hex + ENDING
    }

    /// The code of that name, if it is as it was written.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut entry = self.folder.read(name, self.bytes_max).ok()??;
        let code = entry.split_off(MAC_BYTES.min(entry.len()));
        // Compared in the time that all bytes take, so that it tells nothing of how many are right.
        let wrong =
            self.mac(name, &code).iter().zip(&entry).fold(0, |wrong, (one, other)| wrong | (one ^ other));
        (entry.len() == MAC_BYTES && wrong == 0).then_some(code)
    }

    /// Keeps the code, and makes room for it.
    pub(super) fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        if (MAC_BYTES + code.len()) as u64 > self.bytes_max {
            return Ok(());
        }
        let mac = self.mac(name, code);
        self.folder.write(name, &[&mac, code])?;
        self.prune()
    }

    /// HMAC-SHA-256 of the name and the code. Names have one length, so where the code begins is no question.
    fn mac(&self, name: &str, code: &[u8]) -> [u8; MAC_BYTES] {
        hmac(&self.secret, &[name.as_bytes(), code])
    }

    /// Unlinks the oldest until the rest is within the bound; what else is in the folder is not ours.
    fn prune(&self) -> io::Result<()> {
        let mut files = self.folder.files()?;
        files.retain(|file| is_ours(&file.name));
        files.sort_by_key(|file| std::cmp::Reverse(file.written));
        let mut kept = 0u64;
        for file in files {
            kept = kept.saturating_add(file.bytes);
            if kept > self.bytes_max {
                // Another process may have been quicker.
                let _ = self.folder.remove(&file.name);
            }
        }
        Ok(())
    }
}

/// Whether it is the name of an entry, or of one that was being written.
fn is_ours(name: &str) -> bool {
    let stem = name.strip_suffix(ENDING).filter(|stem| stem.len() == 64);
    let stem = stem.or_else(|| name.strip_suffix(".new").filter(|stem| stem.len() == 16));
    stem.is_some_and(|stem| stem.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// RFC 2104 with a key that fills less than a block. By hand, because the crate for it changes the features of
/// `sha2`, and with them the compiler is another one to build.
fn hmac(key: &[u8; SECRET_BYTES], message: &[&[u8]]) -> [u8; MAC_BYTES] {
    const BLOCK_BYTES: usize = 64;
    let padded = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        Sha256::new_with_prefix(block)
    };
    let mut inner = padded(0x36);
    message.iter().for_each(|part| inner.update(part));
    padded(0x5c).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(bytes_max: u64) -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache { bytes_max, ..Cache::open(folder.path()).expect("ours") };
        (folder, cache)
    }

    fn settings(number: u64) -> Sha256 {
        Sha256::new_with_prefix(number.to_le_bytes())
    }

    #[test]
    fn hostile_n2_an_entry_that_was_changed_is_none() {
        let (folder, cache) = cache(BYTES_MAX);
        let name = Cache::name(b"component", settings(1));
        cache.write(&name, b"code").expect("written");
        assert_eq!(cache.read(&name), Some(b"code".to_vec()));
        let path = folder.path().join(&name);
        let whole = std::fs::read(&path).expect("there");
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            std::fs::write(&path, flipped).expect("ours");
            assert_eq!(cache.read(&name), None, "byte {place}");
            std::fs::write(&path, &whole[..place]).expect("ours");
            assert_eq!(cache.read(&name), None, "cut at {place}");
        }
        cache.write(&name, b"code").expect("written");
        assert_eq!(cache.read(&name), Some(b"code".to_vec()));
    }

    #[test]
    fn an_entry_under_another_name_or_secret_is_none() {
        let (folder, cache) = cache(BYTES_MAX);
        let (one, other) = (Cache::name(b"component", settings(1)), Cache::name(b"component", settings(2)));
        assert_ne!(one, other);
        cache.write(&one, b"code").expect("written");
        std::fs::copy(folder.path().join(&one), folder.path().join(&other)).expect("copied");
        assert_eq!(cache.read(&other), None);
        std::fs::remove_file(folder.path().join(SECRET)).expect("ours");
        assert_eq!(Cache::open(folder.path()).expect("ours").read(&one), None);
    }

    #[test]
    fn the_code_is_that_of_rfc_4231() {
        // Its first case, whose key of 20 bytes is padded with zeros either way.
        let mut key = [0; SECRET_BYTES];
        key[..20].fill(0x0b);
        let hex =
            hmac(&key, &[b"Hi ", b"There"]).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn the_oldest_goes_first_and_nothing_that_is_not_ours() {
        let (folder, cache) = cache(100);
        let foreign = folder.path().join("thesis.code");
        std::fs::write(&foreign, [0; 1_000]).expect("ours");
        let names = [30, 20, 10].map(|age| (age, Cache::name(b"component", settings(age))));
        for (age, name) in &names {
            cache.write(name, &[0; 10]).expect("written");
            let file = std::fs::File::options().write(true).open(folder.path().join(name)).expect("there");
            let before = std::time::SystemTime::now() - std::time::Duration::from_secs(*age);
            file.set_modified(before).expect("ours");
        }
        assert_eq!(names.map(|(_, name)| cache.read(&name).is_some()), [false, true, true]);
        assert!(foreign.exists() && folder.path().join(SECRET).exists());
    }
}
