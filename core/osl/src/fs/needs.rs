//! Which grant each operation needs: the table of the module's documentation, as data.

use crate::ask::Ask;

/// One thing that a grant must cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Write,
    List,
    Delete,
    /// `fs.read` or `fs.list`.
    Describe,
}

impl Need {
    /// A grant for any of them will do; the first names the need in a denial.
    pub fn asks(self) -> &'static [fn(String) -> Ask] {
        match self {
            Need::Read => &[Ask::FsRead],
            Need::Write => &[Ask::FsWrite],
            Need::List => &[Ask::FsList],
            Need::Delete => &[Ask::FsDelete],
            Need::Describe => &[Ask::FsRead, Ask::FsList],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
    List,
    Metadata,
    SetTimes,
    CreateDirectory,
    RemoveFile,
    RemoveDirectory,
    Rename,
    Copy,
}

impl Act {
    /// All of which the path needs, then all of which the second path needs, where there is one.
    pub const fn needs(self) -> (&'static [Need], &'static [Need]) {
        match self {
            Act::Read => (&[Need::Read], &[]),
            Act::Write | Act::SetTimes | Act::CreateDirectory => (&[Need::Write], &[]),
            Act::List => (&[Need::List], &[]),
            Act::Metadata => (&[Need::Describe], &[]),
            Act::RemoveFile | Act::RemoveDirectory => (&[Need::Delete], &[]),
            Act::Rename => (&[Need::Read, Need::Delete], &[Need::Write]),
            Act::Copy => (&[Need::Read], &[Need::Write]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(&str, Act); 10] = [
        ("open to read, `read_all`", Act::Read),
        ("open to write, append, create or truncate, `write_all`", Act::Write),
        ("`list`", Act::List),
        ("`metadata`", Act::Metadata),
        ("`set_times`", Act::SetTimes),
        ("`create_directory`", Act::CreateDirectory),
        ("`remove_file`", Act::RemoveFile),
        ("`remove_directory`", Act::RemoveDirectory),
        ("`rename`", Act::Rename),
        ("`copy`", Act::Copy),
    ];

    fn cell(needs: &[Need]) -> String {
        let name = |need: &Need| match need {
            Need::Read => "`fs.read`",
            Need::Write => "`fs.write`",
            Need::List => "`fs.list`",
            Need::Delete => "`fs.delete`",
            Need::Describe => "`fs.read` or `fs.list`",
        };
        needs.iter().map(name).collect::<Vec<_>>().join(" and ")
    }

    #[test]
    fn the_table_of_the_documentation_is_this_one() {
        let doc = include_str!("../fs.rs");
        for (operation, act) in ROWS {
            let (path, target) = act.needs();
            let row = format!("//! | {operation} | {} | {} |", cell(path), cell(target));
            assert!(doc.contains(&row), "{row}");
        }
        assert_eq!(doc.lines().filter(|line| line.starts_with("//! | ")).count(), ROWS.len() + 1);
    }
}
