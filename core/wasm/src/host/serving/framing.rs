//! Where a request ends, decided once for every program that may look: a head of which two could see two ends is refused.

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes of a body.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// The length of the head that `bytes` begins with, if its end has come.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut begin = 0;
    while let Some(length) = bytes[begin..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[begin..begin + length];
        begin += length + 1;
        if matches!(line, b"" | b"\r") {
            return Some(begin);
        }
    }
    None
}

/// What follows this head; nothing where that is not beyond doubt.
pub(super) fn framing(head: &[u8]) -> Option<Framing> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r"));
    let is_plain = |line: &[u8]| !line.contains(&b'\r') && !line.contains(&0);
    lines.next()?.filter(|line| is_plain(line))?;
    let (mut length, mut chunked) = (None, false);
    for line in lines {
        // Not every program ends a line without `\r`.
        let line = line?;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) || !is_plain(line) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(number(value)?).is_some() {
                return None;
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => None,
        (None, true) => Some(Framing::Chunked),
        (length, false) => Some(Framing::Length(length.unwrap_or(0))),
    }
}

/// Digits alone: neither a sign nor a list.
fn number(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_the_first_empty_line() {
        assert_eq!(head_length(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nmore"), Some(27));
        assert_eq!(head_length(b"GET / HTTP/1.1\r\nhost: a\r\n"), None);
        assert_eq!(head_length(b""), None);
    }

    #[test]
    fn the_end_of_a_body_is_said_once() {
        let of = |lines: &str| framing(format!("POST / HTTP/1.1\r\n{lines}\r\n").as_bytes());
        assert_eq!(of("Host: a\r\n"), Some(Framing::Length(0)));
        assert_eq!(of("Content-Length: 7\r\n"), Some(Framing::Length(7)));
        assert_eq!(of("Transfer-Encoding: Chunked\r\n"), Some(Framing::Chunked));
    }

    #[test]
    fn hostile_e10_a_head_of_which_two_programs_could_see_two_ends_is_none() {
        for lines in [
            "content-length: 7\r\ncontent-length: 7\r\n",
            "content-length: 7\r\ncontent-length: 8\r\n",
            "content-length: 7, 7\r\n",
            "content-length: +7\r\n",
            "content-length: 99999999999999999999\r\n",
            "content-length: 0x7\r\n",
            "content-length:\r\n",
            "content-length : 7\r\n",
            " content-length: 7\r\n",
            "content-length: 7\n",
            "content-length: 7\rx: y\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 7\r\n",
            "content-length: 7\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: identity\r\n",
            "transfer-encoding: xchunked\r\n",
            "host: a\r\n content-length: 7\r\n",
            "no colon\r\n",
        ] {
            assert_eq!(framing(format!("POST / HTTP/1.1\r\n{lines}\r\n").as_bytes()), None, "{lines:?}");
        }
        assert_eq!(framing(b"POST / HTTP/1.1\ncontent-length: 7\r\n\r\n"), None);
    }
}
