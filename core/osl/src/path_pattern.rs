use std::fmt;

use crate::glob;
use crate::parts::{self, Part};

/// Which paths a file grant reaches.
///
/// `/data` is itself only, `/data/*` its children, `/data/**` itself and all below. `*` and `?` stay
/// inside one part and match a leading dot. A backslash before one of `* ? [ ] { } \` means that
/// character. Letters are compared byte for byte: no case folding, no Unicode normalisation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathPattern(Vec<Part>);

pub(crate) const PATH_BYTES_MAX: usize = 4_096;
pub(crate) const PART_BYTES_MAX: usize = 255;
const WILDCARDS_MAX: usize = 32;
/// Characters in all parts with a wildcard: times the bytes of a path, the steps of the worst match.
/// At 200 the worst pattern known takes 0.9 ms for the longest path, in an optimised build.
const GLOB_CHARS_MAX: usize = 200;

impl PathPattern {
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(below) = text.strip_prefix('/') else {
            return Err("a path pattern is absolute: it starts with `/`".into());
        };
        if text.len() > PATH_BYTES_MAX {
            return Err(format!("a path pattern has at most {PATH_BYTES_MAX} bytes"));
        }
        if text.contains('\0') {
            return Err("no path contains a NUL".into());
        }
        if below.is_empty() {
            return Ok(Self(Vec::new()));
        }
        if let Some(without) = text.strip_suffix('/') {
            return Err(format!(
                "leave out the last `/`: {without} is the directory itself, {without}/* its children, {without}/** both and all below"
            ));
        }
        let mut parts = below.split('/').map(parse_part).collect::<Result<Vec<_>, _>>()?;
        parts.dedup_by(|a, b| *a == Part::AnyParts && *b == Part::AnyParts);
        if parts.iter().map(Part::wildcards).sum::<usize>() > WILDCARDS_MAX {
            return Err(format!("a path pattern has at most {WILDCARDS_MAX} wildcards"));
        }
        if parts.iter().map(Part::glob_chars).sum::<usize>() > GLOB_CHARS_MAX {
            return Err(format!(
                "the names with a wildcard have at most {GLOB_CHARS_MAX} characters together"
            ));
        }
        Ok(Self(parts))
    }

    /// The pattern of an absolute, normal path and all that lies below it.
    pub fn whole(path: &str) -> Option<Self> {
        let names = normal_parts(path)?.map(|name| Part::Literal(name.to_owned()));
        Some(Self(names.chain([Part::AnyParts]).collect()))
    }

    /// Whether the pattern covers the path. The path must be absolute and normal: one with an empty
    /// part, `.` or `..`, with a NUL, or longer than any file system takes matches nothing.
    pub fn matches(&self, path: &str) -> bool {
        normal_parts(path).is_some_and(|names| parts::matches(&self.0, names))
    }

    /// Whether it covers all that the other covers; see [`parts::includes`].
    pub fn includes(&self, other: &PathPattern) -> bool {
        parts::includes(&self.0, &other.0)
    }

    /// The one path that it covers, if it has no wildcard.
    pub fn exact(&self) -> Option<String> {
        let prefix = self.literal_prefix();
        (prefix.len() == self.0.len()).then(|| format!("/{}", prefix.join("/")))
    }

    /// The parts before the first wildcard.
    pub fn literal_prefix(&self) -> Vec<&str> {
        parts::literal_prefix(&self.0)
    }

    /// The same with an absolute, normal path in place of the first `depth` parts.
    pub fn moved(&self, depth: usize, to: &str) -> Option<Self> {
        let names = normal_parts(to)?.map(|name| Part::Literal(name.to_owned()));
        Some(Self(names.chain(self.0[depth..].iter().cloned()).collect()))
    }

    /// Whether it may cover this directory or something below it; true more often than that is so.
    pub fn may_reach_below(&self, directory: &str) -> bool {
        let names = directory.split('/').filter(|name| !name.is_empty());
        self.literal_prefix().into_iter().zip(names).all(|(part, name)| part == name)
    }

    /// Whether everything below the first `depth` parts is covered, whatever its name.
    pub fn is_whole_below(&self, depth: usize) -> bool {
        self.0.len() == depth + 1 && self.0[depth] == Part::AnyParts
    }
}

/// The parts of an absolute, normal path; none for `/`.
fn normal_parts(path: &str) -> Option<std::str::Split<'_, char>> {
    let below = path.strip_prefix('/')?;
    if path.len() > PATH_BYTES_MAX || path.contains('\0') {
        return None;
    }
    let mut parts = below.split('/');
    if below.is_empty() {
        parts.next();
        return Some(parts);
    }
    parts.clone().all(|part| !matches!(part, "" | "." | "..")).then_some(parts)
}

fn parse_part(text: &str) -> Result<Part, String> {
    match text {
        "**" => return Ok(Part::AnyParts),
        "" => return Err("`//` is in no path: write one `/`".into()),
        "." | ".." => return Err(format!("`{text}` is in no pattern: write the path it leads to")),
        _ if text.len() > PART_BYTES_MAX * 2 => return Err(too_long()),
        _ => {}
    }
    let tokens = glob::parse(text)?;
    match glob::literal(&tokens) {
        Some(name) if name.len() > PART_BYTES_MAX => Err(too_long()),
        Some(name) => Ok(Part::Literal(name)),
        None => Ok(Part::Glob(tokens)),
    }
}

fn too_long() -> String {
    format!("a name in a path has at most {PART_BYTES_MAX} bytes")
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        for part in &self.0 {
            write!(f, "/{part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "path_pattern_tests.rs"]
mod tests;
