use std::fmt;

use crate::glob::{self, Token};

/// Which paths a file grant reaches.
///
/// `/data` is itself only, `/data/*` its children, `/data/**` itself and all below. `*` and `?` stay
/// inside one part and match a leading dot. A backslash before one of `* ? [ ] { } \` means that
/// character. Letters are compared byte for byte: no case folding, no Unicode normalisation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Literal(String),
    Glob(Vec<Token>),
    /// `**`: any number of parts, none included. Never two in a row.
    AnyParts,
}

pub(crate) const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];
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

    /// Whether the pattern covers the path. The path must be absolute and normal: one with an empty
    /// part, `.` or `..` matches nothing.
    ///
    /// Only the last `**` is ever retried, so that each part of the pattern meets each part of the
    /// path at most once between two `**`: no blow-up on `**/a/**/a/**/a`.
    pub fn matches(&self, path: &str) -> bool {
        let Some(parts) = normal_parts(path) else { return false };
        let mut rest = parts;
        let mut at = 0;
        let mut retry: Option<(usize, std::str::Split<'_, char>)> = None;
        loop {
            let mut ahead = rest.clone();
            match (self.0.get(at), ahead.next()) {
                (Some(Part::AnyParts), _) => {
                    at += 1;
                    if at == self.0.len() {
                        return true;
                    }
                    retry = Some((at, rest.clone()));
                    continue;
                }
                (None, None) => return true,
                (Some(part), Some(name)) if part.matches(name) => {
                    at += 1;
                    rest = ahead;
                }
                _ => {
                    let Some((after, from)) = &mut retry else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    at = *after;
                    rest = from.clone();
                }
            }
        }
    }

    /// The parts before the first wildcard.
    pub fn literal_prefix(&self) -> Vec<&str> {
        self.0
            .iter()
            .map_while(|part| match part {
                Part::Literal(name) => Some(name.as_str()),
                Part::Glob(_) | Part::AnyParts => None,
            })
            .collect()
    }

    /// Whether everything below the first `depth` parts is covered, whatever its name.
    pub fn is_whole_below(&self, depth: usize) -> bool {
        self.0.len() == depth + 1 && self.0[depth] == Part::AnyParts
    }
}

/// The parts of an absolute, normal path; none for `/`.
fn normal_parts(path: &str) -> Option<std::str::Split<'_, char>> {
    let below = path.strip_prefix('/')?;
    let mut parts = below.split('/');
    if below.is_empty() {
        parts.next();
        return Some(parts);
    }
    parts.clone().all(|part| !matches!(part, "" | "." | "..")).then_some(parts)
}

impl Part {
    fn matches(&self, name: &str) -> bool {
        match self {
            Part::Literal(literal) => literal == name,
            Part::Glob(tokens) => glob::matches(tokens, name),
            Part::AnyParts => false,
        }
    }

    fn glob_chars(&self) -> usize {
        if let Part::Glob(tokens) = self { tokens.len() } else { 0 }
    }

    fn wildcards(&self) -> usize {
        match self {
            Part::Literal(_) => 0,
            Part::AnyParts => 1,
            Part::Glob(tokens) => tokens.iter().filter(|t| !matches!(t, Token::Char(_))).count(),
        }
    }
}

fn parse_part(text: &str) -> Result<Part, String> {
    match text {
        "**" => return Ok(Part::AnyParts),
        "" => return Err("`//` is in no path: write one `/`".into()),
        "." | ".." => return Err(format!("`{text}` is in no pattern: write the path it leads to")),
        _ if text.len() > PART_BYTES_MAX * 2 => return Err(too_long()),
        _ => {}
    }
    let mut tokens = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if tokens.last() == Some(&Token::Run) => {
                return Err("`**` stands only as a whole part, as in /data/**".into());
            }
            '*' => Token::Run,
            '?' => Token::One,
            '\\' => match chars.next() {
                Some(c) if SPECIAL.contains(&c) => Token::Char(c),
                _ => {
                    return Err(
                        "a backslash stands only before one of * ? [ ] { } \\; write \\\\ for itself".into(),
                    );
                }
            },
            '[' | ']' | '{' | '}' => {
                return Err(format!(
                    "`{c}` has no meaning here: write one line per name, or \\{c} for the character itself"
                ));
            }
            c => Token::Char(c),
        });
    }
    let literal: Option<String> =
        tokens.iter().map(|t| if let Token::Char(c) = t { Some(*c) } else { None }).collect();
    match literal {
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
            f.write_str("/")?;
            match part {
                Part::Literal(name) => f.write_str(&crate::text::escape(name, SPECIAL))?,
                Part::AnyParts => f.write_str("**")?,
                Part::Glob(tokens) => tokens.iter().try_for_each(|token| match token {
                    Token::Run => f.write_str("*"),
                    Token::One => f.write_str("?"),
                    Token::Char(c) if SPECIAL.contains(c) => write!(f, "\\{c}"),
                    Token::Char(c) => write!(f, "{c}"),
                })?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "path_pattern_tests.rs"]
mod tests;
