//! A temporary directory and the file system of one actor over it.
#![allow(dead_code)] // each test file uses a part of it

pub mod dns_stub;
pub mod futures;
pub mod fuzz;
#[cfg(feature = "kv")]
pub mod kv;
pub mod log;
#[cfg(target_os = "linux")]
pub mod namespace;
pub mod net;
#[cfg(target_os = "linux")]
pub mod openat2;
pub mod seeded;

use std::path::PathBuf;
use std::sync::Arc;

use airssys_osl::{
    Audit, AuditConfig, Capability, CapabilitySet, Decision, Denial, DenialKind, Files, FsError, Operation,
    Phase, Record,
};
use tempfile::TempDir;

pub struct World {
    pub dir: TempDir,
    pub audit: Arc<Audit>,
    pub set: CapabilitySet,
    pub files: Files,
}

impl World {
    /// An actor with these grants, numbered from 1; `{}` in one stands for the directory.
    pub fn new(grants: &[&str]) -> Self {
        let world = Self::empty();
        let mut id = 1;
        for grant in grants {
            id = world.grant_from(id, grant);
        }
        world
    }

    pub fn empty() -> Self {
        #[cfg(target_os = "linux")]
        openat2::refuse_if_asked();
        let audit = Audit::open(AuditConfig::default()).unwrap();
        let set = CapabilitySet::new("default/fetch/0", audit.clone());
        let dir = tempfile::Builder::new().prefix("osl").tempdir().unwrap();
        Self { dir, audit, files: Files::new(set.clone()), set }
    }

    pub fn grant(&self, id: u64, text: &str) {
        assert_eq!(self.grant_from(id, text), id + 1, "one capability");
    }

    /// Grants each capability of the text under a number of its own; the next one that is free.
    pub fn grant_from(&self, mut id: u64, text: &str) -> u64 {
        for capability in Capability::parse(&text.replace("{}", &self.path(""))).unwrap() {
            self.set.grant(id, capability, None).unwrap();
            id += 1;
        }
        id
    }

    /// The path of a name in the directory; of the directory for an empty one.
    pub fn path(&self, name: &str) -> String {
        let root = self.dir.path().canonicalize().unwrap();
        if name.is_empty() {
            root.to_str().unwrap().to_owned()
        } else {
            format!("{}/{name}", root.to_str().unwrap())
        }
    }

    pub fn write(&self, name: &str, content: &str) -> String {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        self.path(name)
    }

    pub fn link(&self, target: &str, name: &str) -> String {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
        self.path(name)
    }

    pub fn read(&self, path: &str) -> Result<String, FsError> {
        let handle = self.files.open(path, "test")?;
        let mut buf = [0; 64];
        let count = handle.read_at(&mut buf, 0)?;
        Ok(String::from_utf8(buf[..count].to_vec()).unwrap())
    }

    /// All names in the directory, with the content of files and the targets of links, in order.
    pub fn snapshot(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut left = vec![PathBuf::from(self.path(""))];
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                let content = match &metadata {
                    m if m.is_dir() => "directory".to_owned(),
                    m if m.is_symlink() => path.read_link().unwrap().display().to_string(),
                    m if m.is_file() => {
                        format!("{} {:?}", std::fs::read_to_string(&path).unwrap(), m.modified().unwrap())
                    }
                    _ => "other".to_owned(),
                };
                found.push((path.display().to_string(), content));
                if metadata.is_dir() {
                    left.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// Runs it, and asserts that it was denied with one record and changed nothing in the directory.
    #[track_caller]
    pub fn assert_refused<T: std::fmt::Debug>(
        &self,
        run: impl FnOnce(&Files) -> Result<T, FsError>,
    ) -> Denial {
        let (before, content) = (self.checks().len(), self.snapshot());
        let denial = match run(&self.files) {
            Err(FsError::Denied(denial)) => denial,
            other => panic!("not denied: {other:?}"),
        };
        // What was opened on the way to it has its own records.
        let mut denials = self.checks().split_off(before);
        denials.retain(|record| record.decision == Decision::Deny);
        assert_one_denial(&denials, &denial);
        assert_eq!(self.snapshot(), content);
        denial
    }

    pub fn checks(&self) -> Vec<Record> {
        let mut records = self.audit.recent();
        records.retain(|record| record.operation == Operation::Check || record.phase == Some(Phase::Start));
        records
    }

    /// Opens, and asserts that this is denied with one record and nothing else.
    #[track_caller]
    pub fn assert_denied(&self, path: &str) -> Denial {
        let before = self.checks().len();
        let Err(FsError::Denied(denial)) = self.files.open(path, "test") else {
            panic!("{path} was not denied")
        };
        assert_eq!(denial.kind, DenialKind::NotGranted);
        assert_one_denial(&self.checks()[before..], &denial);
        denial
    }
}

#[track_caller]
pub fn assert_one_denial(records: &[Record], denial: &Denial) {
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].decision, Decision::Deny);
    assert_eq!(&*records[0].capability, denial.capability);
    assert_eq!(&*records[0].actor, denial.actor);
}
