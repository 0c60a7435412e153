//! The files of a policy, each after those that it extends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::{File, decode};
use super::error::{PolicyError, is_odd};
use super::node::Mark;
use super::rule::Rule;
use super::test::PolicyTest;
use super::{narrow, yaml};

pub(super) const FILES_MAX: usize = 32;
/// All files together, one that is reached twice counted twice.
pub(super) const TOTAL_BYTES_MAX: usize = 4 << 20;

/// One file, which may narrow others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub name: Arc<str>,
    /// Indices of the files that it extends, all smaller than its own.
    pub parents: Vec<usize>,
    pub sealed: bool,
    pub strict_link: bool,
    pub rules: Vec<Rule>,
    pub tests: Vec<PolicyTest>,
}

/// The bytes of a file, and what tells it from others.
pub(super) struct Fetched {
    pub id: String,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Reads the file at a path; the error says why not.
pub(super) type Fetch<'a> = dyn FnMut(&Path) -> Result<Fetched, String> + 'a;

/// The file and all that it extends, itself last.
pub(super) fn load(path: &Path, fetch: &mut Fetch<'_>) -> Result<Vec<Layer>, PolicyError> {
    let mut loader = Loader { fetch, layers: Vec::new(), done: Vec::new(), open: Vec::new(), bytes: 0 };
    let fetched = (loader.fetch)(path).map_err(|why| PolicyError::whole(&shown(path), why))?;
    loader.add(fetched)?;
    Ok(loader.layers)
}

/// A path as errors and explanations show it: on one line.
pub(super) fn shown(path: &Path) -> Arc<str> {
    let text = path.to_string_lossy();
    if text.chars().any(is_odd) { text.escape_debug().to_string().into() } else { text.into() }
}

struct Loader<'a, 'f> {
    fetch: &'a mut Fetch<'f>,
    layers: Vec<Layer>,
    /// What has an index already.
    done: Vec<(String, usize)>,
    /// What extends what, from the root to the file that is read now.
    open: Vec<(String, Arc<str>)>,
    bytes: usize,
}

impl Loader<'_, '_> {
    fn add(&mut self, fetched: Fetched) -> Result<usize, PolicyError> {
        let name = shown(&fetched.path);
        let root = yaml::read(&fetched.bytes, &name)?;
        let file = decode(root.as_ref(), &name)?;
        self.bytes += fetched.bytes.len();
        self.open.push((fetched.id.clone(), name));
        let folder = fetched.path.parent().unwrap_or(Path::new(""));
        let mut parents = Vec::new();
        for (mark, entry) in &file.extends {
            let parent = self.parent(&file, *mark, &folder.join(entry))?;
            if parents.contains(&parent) {
                return Err(PolicyError::new(&file.name, *mark, "this file is extended twice: name it once"));
            }
            parents.push(parent);
        }
        self.open.pop();
        let layer = self.layer(file, parents)?;
        narrow::check(&layer, &self.layers)?;
        self.layers.push(layer);
        self.done.push((fetched.id, self.layers.len() - 1));
        Ok(self.layers.len() - 1)
    }

    fn parent(&mut self, file: &File, mark: Mark, path: &Path) -> Result<usize, PolicyError> {
        let fault = |why: String| PolicyError::new(&file.name, mark, why);
        let refuse = |why: String| Err(fault(why));
        let fetched = (self.fetch)(path).map_err(|why| fault(format!("{}: {why}", shown(path))))?;
        if let Some(at) = self.open.iter().position(|(id, _)| *id == fetched.id) {
            let circle: Vec<&str> = self.open[at..].iter().map(|(_, name)| &**name).collect();
            return refuse(format!(
                "files extend each other in a circle: {} -> {}",
                circle.join(" -> "),
                circle[0]
            ));
        }
        if self.bytes + fetched.bytes.len() > TOTAL_BYTES_MAX {
            return refuse(format!("the files of a policy have at most {TOTAL_BYTES_MAX} bytes together"));
        }
        if let Some((_, index)) = self.done.iter().find(|(id, _)| *id == fetched.id) {
            self.bytes += fetched.bytes.len();
            return Ok(*index);
        }
        if self.done.len() + self.open.len() == FILES_MAX {
            return refuse(format!("a policy is at most {FILES_MAX} files"));
        }
        self.add(fetched)
    }

    fn layer(&self, file: File, parents: Vec<usize>) -> Result<Layer, PolicyError> {
        let sealed = self.once_said(&parents, |layer| layer.sealed, file.sealed, "sealed", &file.name)?;
        let strict_link =
            self.once_said(&parents, |layer| layer.strict_link, file.link, "link: strict", &file.name)?;
        let File { name, rules, tests, .. } = file;
        Ok(Layer { name, parents, sealed, strict_link, rules, tests })
    }

    /// Whether a file, or one that it extends, says so; that it takes it back is an error.
    fn once_said(
        &self,
        parents: &[usize],
        is_said: fn(&Layer) -> bool,
        own: Option<(Mark, bool)>,
        what: &str,
        file: &Arc<str>,
    ) -> Result<bool, PolicyError> {
        let said = parents.iter().find(|parent| is_said(&self.layers[**parent]));
        if let (Some(said), Some((mark, false))) = (said, own) {
            let said = &self.layers[*said].name;
            let why = format!("{said} is {what}, which nothing takes back: leave this out");
            return Err(PolicyError::new(file, mark, why));
        }
        Ok(said.is_some() || matches!(own, Some((_, true))))
    }
}
