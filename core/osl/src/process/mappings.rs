//! The memory of this process, read without allocating any.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};

/// A line is longer only by the name of a file, and those are not looked for.
const LINE_BYTES: usize = 256;

/// Calls with start and end of each private mapping that has no file, as far as `/proc` tells.
pub(super) fn each_private(mut found: impl FnMut(usize, usize)) {
    let Ok(file) = open(c"/proc/self/maps", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return };
    let (mut chunk, mut line, mut length) = ([0; 4_096], [0; LINE_BYTES], 0);
    loop {
        let count = match read(&file, &mut chunk) {
            Ok(0) => return,
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        for byte in chunk[..count].iter().copied() {
            if byte != b'\n' {
                if let Some(place) = line.get_mut(length) {
                    *place = byte;
                    length += 1;
                }
                continue;
            }
            if let Some((start, end)) = private(&line[..length]) {
                found(start, end);
            }
            length = 0;
        }
    }
}

/// `7f00-7f10 rw-p 00000000 00:00 0`, or the same with `[heap]`.
fn private(line: &[u8]) -> Option<(usize, usize)> {
    let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let is_private = words.next()?.ends_with('p');
    let inode = words.nth(2)?;
    let is_heap = words.next().is_none_or(|name| name == "[heap]" || name.starts_with("[anon:"));
    let hex = |text| usize::from_str_radix(text, 16).ok();
    (is_private && inode == "0" && is_heap).then_some((hex(start)?, hex(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_memory_without_a_file_is_told() {
        let table = [
            ("7f00-7f10 rw-p 00000000 00:00 0 ", Some((0x7f00, 0x7f10))),
            ("5500-5600 rw-p 00000000 00:00 0          [heap]", Some((0x5500, 0x5600))),
            ("7f00-7f10 rw-s 00000000 00:05 0 ", None),
            ("7f00-7f10 rw-p 00001000 fd:00 77 /usr/lib/libc.so.6", None),
            ("7ffd-7fff rw-p 00000000 00:00 0 [stack]", None),
            ("7ffd-7fff rw-p 00000000 00:00 0 [anon:an arena]", Some((0x7ffd, 0x7fff))),
            ("", None),
        ];
        for (line, want) in table {
            assert_eq!(private(line.as_bytes()), want, "{line}");
        }
        let mut count = 0;
        each_private(|start, end| count += usize::from(start < end));
        assert!(count > 0);
    }
}
