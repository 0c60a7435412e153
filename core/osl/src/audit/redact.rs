//! Takes secrets out of a text before it is recorded: by the key before them, and by what they look like.

use std::borrow::Cow;
use std::ops::Range;

use super::record::Record;

/// What stands in the place of a secret.
pub const MARK: &str = "***";

/// Longest text of a record.
const TEXT_BYTES_MAX: usize = 65_536;
const CUT: &str = "[cut]";
const KEY_BYTES_MAX: usize = 64;

/// A key with one of these at its end, without regard to case, `-`, `_` and `.`, has a secret value.
const KEYS: [&str; 21] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "signature",
    "sessionid",
    "clientsecret",
    "jwt",
    "xauth",
    "bearer",
    "pin",
    "otp",
];
/// These are keys of secrets only when nothing stands before them.
const WHOLE_KEYS: [&str; 5] = ["pass", "auth", "sig", "session", "key"];
/// All of the line after these is secret.
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];
/// A word that begins so and goes on for so many letters, digits, `_`, `-` and `.` is a secret.
const SHAPES: [(&str, usize); 16] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("eyJ", 24),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("npm_", 30),
    ("sk-", 16),
    ("sk_live_", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
];
/// The shortest of them.
const SHAPE_BYTES_MIN: usize = 15;

/// The text with `***` in place of each secret: the credentials of a URL, the value after a key such as
/// `token=` or `--password`, headers with credentials, well-known forms of keys, and, in the text of an
/// `env` capability, any value.
pub fn redact(text: &str) -> Cow<'_, str> {
    // In a quoted word of a capability these two are escaped.
    if text.contains('\\') && (text.contains("\\u003a") || text.contains("\\u0023")) {
        let plain = text.replace("\\u003a", ":").replace("\\u0023", "#");
        return match secrets(&plain) {
            found if found.is_empty() => Cow::Borrowed(text),
            found => Cow::Owned(replace(&plain, found)),
        };
    }
    match secrets(text) {
        found if found.is_empty() => Cow::Borrowed(text),
        found => Cow::Owned(replace(text, found)),
    }
}

/// All texts of the record, redacted and of bounded length.
pub(crate) fn record(record: &mut Record) {
    if let Some(changed) = change(&record.capability) {
        record.capability = changed.into();
    }
    if let Some(changed) = record.rule.as_deref().and_then(change) {
        record.rule = Some(changed.into());
    }
    if let Some(changed) = change(&record.actor) {
        record.actor = changed.into();
    }
    if let Some(changed) = change(&record.function) {
        record.function = changed;
    }
    if let Some(changed) = record.outcome.as_deref().and_then(change) {
        record.outcome = Some(changed);
    }
}

fn change(text: &str) -> Option<String> {
    // Cut last, or a secret might be cut off from the key that gives it away.
    let redacted = redact(text);
    if redacted.len() > TEXT_BYTES_MAX {
        let end = redacted.floor_char_boundary(TEXT_BYTES_MAX);
        return Some(format!("{}{CUT}", &redacted[..end]));
    }
    match redacted {
        Cow::Borrowed(_) => None,
        Cow::Owned(changed) => Some(changed),
    }
}

fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if text.starts_with("env ") {
        environment(text, &mut found);
    }
    credentials(text, &mut found);
    keyed(text, &mut found);
    words(text, &mut found);
    // To look for one character first is quicker by far, and nearly always enough.
    let begin = if text.contains('-') { text.find("-----BEGIN ") } else { None };
    if let Some(start) = begin.filter(|at| text[*at..].contains("PRIVATE KEY")) {
        found.push(start..text.len());
    }
    found
}

fn replace(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for range in found {
        if range.start >= end {
            out.push_str(&text[end..range.start]);
            out.push_str(MARK);
        }
        end = end.max(range.end);
    }
    out.push_str(&text[end..]);
    out
}

/// What follows a `=` in the names of an `env` capability; its parameters follow a `;`.
fn environment(text: &str, found: &mut Vec<Range<usize>>) {
    let end = text.find(" ;").unwrap_or(text.len());
    if let Some(equals) = text[..end].find('=') {
        found.push(equals + 1..end);
    }
}

/// `user:password@` of a URL.
fn credentials(text: &str, found: &mut Vec<Range<usize>>) {
    if !text.contains('@') {
        return;
    }
    for (at, separator) in text.match_indices("://") {
        let start = at + separator.len();
        let rest = &text[start..];
        // A comma and an apostrophe may stand in a password.
        let end =
            rest.find(|c: char| (is_end(c) && !matches!(c, ',' | '\'')) || matches!(c, '/' | '?' | '#'));
        let end = end.unwrap_or(rest.len());
        if let Some(at) = rest[..end].rfind('@') {
            found.push(start..start + at);
        }
    }
}

/// What follows the `=` or `:` after a key, be the key quoted or not.
fn keyed(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, separator) in text.match_indices(['=', ':']) {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let start = at + separator.len();
        let after = &text[start..];
        let value = start + after.len() - after.trim_start_matches(['"', '\'', '\\', ' ', '=']).len();
        match kind(key_at_end(before)) {
            Key::Value => {
                found.push(value..value_end(text, value, is_value_end));
            }
            Key::Header => {
                if found.last().is_none_or(|range| range.end <= at) {
                    found.push(value..header_end(text, value));
                }
            }
            Key::Other => {}
        }
    }
    found.retain(|range| !range.is_empty());
}

/// What follows the option of a secret, or the name of a scheme, as a word of its own; and secrets that
/// are known by their form.
fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let mut secret_next = false;
    let mut start = 0;
    for word in text.split(is_end) {
        let range = start..start + word.len();
        start = range.end + text[range.end..].chars().next().map_or(0, char::len_utf8);
        if word.is_empty() || word == "\\" {
            continue;
        }
        if secret_next && !word.starts_with('-') {
            found.push(range.start..value_end(text, range.start, is_end));
        }
        let option = word.starts_with('-') && matches!(kind(key_at_end(word)), Key::Value | Key::Header);
        secret_next = option || word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        shapes(word, range.start, found);
    }
}

/// Where the value ends that starts here: at its quote, if one stands before it.
fn value_end(text: &str, start: usize, is_end: fn(char) -> bool) -> usize {
    let rest = &text[start..];
    match text[..start].chars().next_back().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => quoted_end(text, start, quote, backslashes(&text[..start - 1])),
        None => start + rest.find(is_end).unwrap_or(rest.len()),
    }
}

/// Where the line of a header ends, or the quoted word that it stands in.
fn header_end(text: &str, start: usize) -> usize {
    let before = text[..start].chars().next_back();
    if before.is_some_and(|c| matches!(c, '"' | '\'')) {
        return value_end(text, start, is_end);
    }
    let open = |quote: char| {
        let all = text[..start].match_indices(quote);
        all.filter(|(at, _)| backslashes(&text[..*at]) == 0).count() % 2 == 1
    };
    let end = text[start..].find(['\n', '\r']).map_or(text.len(), |end| start + end);
    if open('"') { quoted_end(text, start, '"', 0).min(end) } else { end }
}

/// Where a string ends whose first quote had so many backslashes before it: none, or one as a string in a string.
/// The end stands before the backslash that belongs to the last quote.
fn quoted_end(text: &str, start: usize, quote: char, depth: usize) -> usize {
    let ends = |run: usize| match depth {
        0 => run.is_multiple_of(2),
        // Of the string inside each backslash is two.
        1 => run.is_multiple_of(2) || ((run - 1) / 2).is_multiple_of(2),
        _ => run <= depth,
    };
    let mut run = 0;
    for (at, c) in text[start..].char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && ends(run) => return start + at - run.min(depth),
            _ => run = 0,
        }
    }
    text.len()
}

/// How many of them the text ends with.
fn backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

fn shapes(word: &str, start: usize, found: &mut Vec<Range<usize>>) {
    if word.len() < SHAPE_BYTES_MIN {
        return;
    }
    let begins = |at: &usize| *at == 0 || !word.as_bytes()[at - 1].is_ascii_alphanumeric();
    for at in (0..=word.len() - SHAPE_BYTES_MIN).filter(begins).filter(|at| word.is_char_boundary(*at)) {
        for (prefix, rest_min) in SHAPES {
            let Some(rest) = word[at..].strip_prefix(prefix) else { continue };
            let end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
            if end >= rest_min {
                found.push(start + at..start + at + prefix.len() + end);
            }
        }
    }
}

enum Key {
    Value,
    Header,
    Other,
}

fn kind(key: &str) -> Key {
    let plain: String =
        key.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    if HEADERS.contains(&plain.as_str()) {
        Key::Header
    } else if WHOLE_KEYS.contains(&plain.as_str()) || KEYS.iter().any(|end| plain.ends_with(end)) {
        Key::Value
    } else {
        Key::Other
    }
}

fn key_at_end(text: &str) -> &str {
    let from = text.len().saturating_sub(KEY_BYTES_MAX);
    let bytes = text.as_bytes();
    let mut start = text.len();
    while start > from && is_key(bytes[start - 1] as char) {
        start -= 1;
    }
    &text[start..]
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ',')
}

fn is_value_end(c: char) -> bool {
    is_end(c) || matches!(c, '&' | ';' | ')' | '}' | ']' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_l4_secrets_are_found_by_key_and_by_form() {
        let table = [
            ("http GET https://u:pw@a.example/x", "http GET https://***@a.example/x"),
            ("postgres://u:p%40w@db:5432/x", "postgres://***@db:5432/x"),
            (r#"http GET "https\u003a//u\u003ap@a.example/""#, r#"http GET "https://***@a.example/""#),
            ("https://a/?a=1&access_token=xyz&b=2", "https://a/?a=1&access_token=***&b=2"),
            ("https://a/?X-Amz-Signature=abc#f", "https://a/?X-Amz-Signature=***"),
            ("process.run /bin/x --password hunter2 -v", "process.run /bin/x --password *** -v"),
            ("process.run /bin/x --api-key=abc y", "process.run /bin/x --api-key=*** y"),
            (r#"run ["--token","abc"]"#, r#"run ["--token","***"]"#),
            ("Authorization: Basic dTpw", "Authorization: ***"),
            ("cookie: a=b; c=d", "cookie: ***"),
            ("sent Bearer abc.def to it", "sent Bearer *** to it"),
            (r#"{"password": "a b", "n": 1}"#, r#"{"password": "***", "n": 1}"#),
            (r#"process.run /x --secret "a b" c"#, r#"process.run /x --secret "***" c"#),
            (r#"run "{\"token\": \"a b\"}""#, r#"run "{\"token\": \"***\"}""#),
            ("token = 'it is' me", "token = '***' me"),
            ("env HOME=/root,X=y ; ttl=60s", "env HOME=*** ; ttl=60s"),
            (r#"env "PW=a b""#, r#"env "PW=***"#),
            ("DB_PASSWORD=x PATH=/bin", "DB_PASSWORD=*** PATH=/bin"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("x=ghp_0123456789012345678901234567", "x=***"),
            (r#"process.run /x --secret "a\\b c" d"#, r#"process.run /x --secret "***" d"#),
            (r#"{"token": "a\"b, c", "n": 1}"#, r#"{"token": "***", "n": 1}"#),
            (r#"run "{\"token\": \"a\\\"b\", \"n\": 1}" c"#, r#"run "{\"token\": \"***\", \"n\": 1}" c"#),
            ("postgres://u:a,b'c@db/x", "postgres://***@db/x"),
            (r#"run -H "Authorization: Digest u=\"x\", r=\"y\"" z"#, r#"run -H "Authorization: ***" z"#),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII", "***"),
        ];
        for (text, want) in table {
            assert_eq!(redact(text), want);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "fs.read /srv/docs/**",
            "env LANG,TZ ; ttl=60s",
            "net.connect [::1]:443",
            "https://registry.example/@scope/pkg",
            "https://a.example/?page=2&author=me",
            "message.request default/tokens/0",
            "process.run /usr/bin/git log --oneline ** ; env=LANG,TZ",
            r#"fs.read "/a\u003a b""#,
            "fs.read /sk-1/eyJ/ghp_",
            "",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}: {}", redact(text));
        }
    }
}
