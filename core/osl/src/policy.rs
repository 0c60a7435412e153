//! The YAML that decides which actor gets which capabilities, limits and budget.
//!
//! ```
//! use airssys_osl::policy::Policy;
//!
//! let text = "
//! version: 1
//! rules:
//!   - actors: [tools/fetch/*]
//!     allow:
//!       - fs.read,list /srv/docs/**
//!     deny:
//!       - fs.read /srv/docs/private/**
//! ";
//! let policy = Policy::parse(text, "policy.yaml")?;
//! let explanation = policy.explain("tools/fetch/0", None, "fs.read /srv/docs/private/a")?;
//! assert_eq!(
//!     explanation.to_string(),
//!     "deny: policy.yaml:8 fs.read /srv/docs/private/** beats policy.yaml:6 fs.read,list /srv/docs/**"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What counts for one actor, whose component has one digest:
//!
//! | of all rules that match it | decides |
//! |---|---|
//! | `deny`, in every file | all join; a deny beats each allow, and nothing lifts it |
//! | `limits`, `budget`, in every file | the smallest of each |
//! | `sealed`, in every file | true if one says so |
//! | `link`, in every file | `strict` if one says so: a guest whose imports may ask for what nothing grants does not start |
//! | `allow`, in the file that is loaded | all join |
//! | `allow`, in a file that it extends | joins, unless a rule of the file above it is for the actor, whatever its component, and allows something without `override: true`: then the allows of that file stand in place of those of the files that it extends |
//! | nothing allows it | denied |
//!
//! An allow that stands in place of others is within them: a file is refused when one of its rules without `override:
//! true` allows an actor what is not shown to be allowed by the files that it extends. So a file that only denies keeps
//! what it extends but for that, one that allows something narrows to it, and only `override: true` widens. All of it
//! is decided when the file is read: what an actor gets are plain lists.
//!
//! Several files in one `extends` join, each with what it leaves of those that it extends itself. `tests` are those of
//! the file that is loaded; those of the files that it extends hold for them alone.
//!
//! Of YAML it takes plain data: no anchors, aliases, tags, merge keys, directives or second documents, each key once,
//! at most 1 MiB a file, 32 levels, 50,000 values, 32 files and 4 MiB together. Files are UTF-8, with or without a byte
//! order mark, lines end as they like. One that says nothing denies everything; any other begins with `version: 1`.

mod bounds;
mod decode;
mod disk;
mod error;
mod explanation;
mod file;
mod layer;
mod narrow;
#[cfg_attr(not(unix), path = "policy/native_portable.rs")]
mod native;
mod node;
mod resolved;
mod rule;
mod schema;
mod shape;
mod test;
mod units;
mod yaml;

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use bounds::{PolicyBudget, PolicyLimits};
pub use error::PolicyError;
pub use explanation::{Explanation, Hint};
pub use file::{PolicyChange, PolicyFile, PolicyRefusal, PolicyWatcher};
pub use resolved::{Resolved, Verdict};
pub use rule::Ruled;
pub use schema::policy_schema;
pub use test::{TestFailure, TestReport};

use crate::ask::Ask;
use crate::error::CapabilityError;
use layer::{Fetched, Layer};

/// A policy as it was read; it never changes. The default denies everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    layers: Vec<Layer>,
}

impl Policy {
    /// Denies everything and bounds nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a text that extends nothing.
    pub fn parse(text: impl AsRef<[u8]>, name: &str) -> Result<Self, PolicyError> {
        Self::parse_with(text, name, |_| {
            Err(io::Error::other("a text extends no files: load it from a file"))
        })
    }

    /// Reads a text under a name, and each file that it extends from `read`, by the name that its entry gives it
    /// relative to the file that says so.
    pub fn parse_with(
        text: impl AsRef<[u8]>,
        name: &str,
        mut read: impl FnMut(&str) -> io::Result<Vec<u8>>,
    ) -> Result<Self, PolicyError> {
        let mut first = Some(text.as_ref().to_vec());
        let mut fetch = |path: &Path| {
            let path = normal(path);
            let id = path.to_string_lossy().into_owned();
            let bytes = first.take().map_or_else(|| read(&id), Ok).map_err(|error| error.to_string())?;
            Ok(Fetched { id, path, bytes })
        };
        layer::load(Path::new(name), &mut fetch).map(Self::from_layers)
    }

    fn from_layers(layers: Vec<Layer>) -> Self {
        Self { layers }
    }

    /// The version of the format.
    pub fn version(&self) -> u32 {
        1
    }

    /// Whether grants from code are refused.
    pub fn sealed(&self) -> bool {
        self.layers.iter().any(|layer| layer.sealed)
    }

    /// The files it was read from, each after those that it extends.
    pub fn sources(&self) -> Vec<Arc<str>> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    /// What it says of an actor whose component has this SHA-256 digest in hexadecimal, if it has one.
    pub fn resolve(&self, actor: &str, component_digest: Option<&str>) -> Resolved {
        resolved::resolve(&self.layers, actor, component_digest)
    }

    /// Which rule decides what is asked, written as a capability without wildcards, and which line would change that.
    pub fn explain(
        &self,
        actor: &str,
        component_digest: Option<&str>,
        ask: &str,
    ) -> Result<Explanation, CapabilityError> {
        Ok(self.explain_ask(actor, component_digest, &Ask::parse(ask)?))
    }

    /// The same for an ask.
    pub fn explain_ask(&self, actor: &str, component_digest: Option<&str>, ask: &Ask) -> Explanation {
        let resolved = self.resolve(actor, component_digest);
        explanation::explain(&self.layers, &resolved, actor, component_digest, ask)
    }

    /// Runs the tests of the file that was loaded.
    pub fn test(&self) -> TestReport {
        let mut report = TestReport::default();
        let Some(last) = self.layers.last() else { return report };
        for test in &last.tests {
            let explanation = self.explain_ask(&test.actor, test.component.as_deref(), &test.ask);
            if explanation.allowed == test.allowed {
                report.passed += 1;
                continue;
            }
            let (file, text, why) = (last.name.clone(), test.to_string(), explanation.to_string());
            report.failed.push(TestFailure { file, line: test.line, text, why });
        }
        report
    }
}

/// The path without `.` and, where a part goes before it, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
