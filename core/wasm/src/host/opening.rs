//! What the flags of `open-at` ask for: a function of them alone.

use airssys_osl::OpenOptions;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Directory {
        follow: bool,
        /// Wanted to be written as well, which no directory can be.
        write: bool,
    },
    File(OpenOptions),
    /// A file, or a directory if that is what is there.
    Either(OpenOptions),
}

/// What is asked for; as in wasmtime's own implementation, what is made or emptied is opened to be written.
pub(super) fn opening(
    path: PathFlags,
    open: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Opening, ErrorCode> {
    let synced = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if flags.intersects(synced) {
        return Err(ErrorCode::Unsupported);
    }
    let making = open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    let follow = path.contains(PathFlags::SYMLINK_FOLLOW);
    if open.contains(OpenFlags::DIRECTORY) {
        let file = making || open.contains(OpenFlags::EXCLUSIVE);
        let write = flags.contains(DescriptorFlags::WRITE);
        return if file { Err(ErrorCode::Invalid) } else { Ok(Opening::Directory { follow, write }) };
    }
    let write = making || flags.contains(DescriptorFlags::WRITE);
    let create = open.contains(OpenFlags::CREATE);
    let exclusive = create && open.contains(OpenFlags::EXCLUSIVE);
    let options = OpenOptions {
        read: !write || flags.contains(DescriptorFlags::READ),
        write,
        append: false,
        create: create && !exclusive,
        create_new: exclusive,
        truncate: open.contains(OpenFlags::TRUNCATE),
        no_follow: !follow,
    };
    Ok(if write { Opening::File(options) } else { Opening::Either(options) })
}

/// The flags of a file that was opened so.
pub(super) fn flags(options: OpenOptions) -> DescriptorFlags {
    match (options.read, options.write) {
        (true, true) => DescriptorFlags::READ | DescriptorFlags::WRITE,
        (false, true) => DescriptorFlags::WRITE,
        _ => DescriptorFlags::READ,
    }
}

/// All that a directory can be opened for. Neither adds a right: each operation asks the live grants.
pub(super) fn directory_flags() -> DescriptorFlags {
    DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;
    const READ: DescriptorFlags = DescriptorFlags::READ;
    const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

    fn none() -> OpenFlags {
        OpenFlags::empty()
    }

    fn file(open: OpenFlags, flags: DescriptorFlags) -> OpenOptions {
        match opening(FOLLOW, open, flags) {
            Ok(Opening::File(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_writes_makes_or_empties_is_a_file_opened_to_be_written() {
        let written = OpenOptions { read: false, write: true, ..OpenOptions::READ };
        assert_eq!(file(none(), WRITE), written);
        assert_eq!(file(none(), READ | WRITE), OpenOptions { read: true, ..written });
        assert_eq!(file(OpenFlags::CREATE, READ), OpenOptions { read: true, create: true, ..written });
        assert_eq!(file(OpenFlags::CREATE | OpenFlags::TRUNCATE, WRITE), OpenOptions::REWRITE);
        let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        assert_eq!(file(exclusive, WRITE), OpenOptions { create_new: true, ..written });
    }

    #[test]
    fn what_only_reads_may_be_a_directory() {
        assert_eq!(opening(FOLLOW, none(), READ), Ok(Opening::Either(OpenOptions::READ)));
        let stays = OpenOptions { no_follow: true, ..OpenOptions::READ };
        assert_eq!(opening(PathFlags::empty(), none(), READ), Ok(Opening::Either(stays)));
        assert_eq!(
            opening(FOLLOW, OpenFlags::DIRECTORY, READ),
            Ok(Opening::Directory { follow: true, write: false })
        );
    }

    #[test]
    fn a_directory_is_neither_made_nor_emptied_by_opening_it() {
        for making in [OpenFlags::CREATE, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE] {
            assert_eq!(opening(FOLLOW, OpenFlags::DIRECTORY | making, READ), Err(ErrorCode::Invalid));
        }
        let synced = READ | DescriptorFlags::DATA_INTEGRITY_SYNC;
        assert_eq!(opening(FOLLOW, none(), synced), Err(ErrorCode::Unsupported));
    }
}
