use crate::fs::FsError;
use crate::path_pattern::{PART_BYTES_MAX, PATH_BYTES_MAX};

/// A path of the guest in normal form: absolute, no `.`, no `..`, no empty part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GuestPath {
    pub text: String,
    /// It was written with a slash, `.` or `..` at its end, so it must lead to a directory.
    pub directory: bool,
}

#[derive(Debug)]
pub(crate) enum Fault {
    /// Above `/`, where nothing can be granted.
    Climbs,
    Invalid(FsError),
}

impl GuestPath {
    /// Resolves `.` and `..` on the text; a path without a slash at its start is taken from `/`.
    ///
    /// Names that look like those of Windows are only names here.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let invalid = |why: &str| Err(Fault::Invalid(FsError::InvalidPath(why.to_owned())));
        if raw.is_empty() {
            return invalid("the path is empty");
        }
        if raw.contains('\0') {
            return invalid("the path contains a NUL");
        }
        if raw.len() > PATH_BYTES_MAX {
            return Err(Fault::Invalid(FsError::NameTooLong));
        }
        let mut parts = Vec::new();
        for part in raw.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(Fault::Climbs)?;
                }
                _ if part.len() > PART_BYTES_MAX => return Err(Fault::Invalid(FsError::NameTooLong)),
                _ => parts.push(part),
            }
        }
        let directory = matches!(raw.rsplit('/').next(), Some("" | "." | ".."));
        Ok(Self { text: format!("/{}", parts.join("/")), directory })
    }
}

/// Whether the path leads above `/`.
pub(crate) fn climbs(raw: &str) -> bool {
    matches!(GuestPath::parse(raw), Err(Fault::Climbs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms() {
        let table = [
            ("/a", "/a", false),
            ("a", "/a", false),
            ("//a///b", "/a/b", false),
            ("/a/./b/../c", "/a/c", false),
            ("/a/", "/a", true),
            ("/a/.", "/a", true),
            ("/a/b/..", "/a", true),
            ("/", "/", true),
            (".", "/", true),
            ("/...", "/...", false),
            ("C:\\x", "/C:\\x", false),
        ];
        for (raw, text, directory) in table {
            let path = GuestPath::parse(raw).unwrap();
            assert_eq!((path.text.as_str(), path.directory), (text, directory), "{raw}");
        }
        for raw in ["..", "/..", "../x", "/a/../../x", "a/./../..//x", "/a/../.."] {
            assert!(matches!(GuestPath::parse(raw), Err(Fault::Climbs)), "{raw}");
        }
    }
}
