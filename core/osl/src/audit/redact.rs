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
const KEYS: [&str; 29] = [
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
    "passcode",
    "subscriptionkey",
    "accountkey",
    "authkey",
    "encryptionkey",
    "masterkey",
    "sessionkey",
    "signingkey",
    "bearer",
    "pin",
    "otp",
];
/// These are keys of secrets only when nothing stands before them.
const WHOLE_KEYS: [&str; 5] = ["pass", "auth", "sig", "session", "key"];
/// All of the line after these is secret.
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];
/// A word that begins so and goes on for so many letters, digits, `_`, `-` and `.` is a secret.
const SHAPES: [(&str, usize); 25] = [
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
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xapp-", 10),
    ("hvs.", 20),
    ("ya29.", 20),
    ("pypi-", 20),
    ("dop_v1_", 20),
    ("whsec_", 16),
];
/// The shortest of them.
const SHAPE_BYTES_MIN: usize = 15;
/// Options whose value is `user:password`: of curl and many like it.
const USER_OPTIONS: [&str; 5] = ["-u", "-U", "--user", "--proxy-user", "--userpwd"];
/// Programs, by how their names begin, with a short option of theirs whose value is a password.
const PROGRAM_OPTIONS: [(&str, &str); 9] = [
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("mongo", "-p"),
    ("sshpass", "-p"),
    ("7z", "-p"),
    ("zip", "-P"),
    ("unzip", "-P"),
    ("redis-cli", "-a"),
    ("ldap", "-w"),
];

/// The text with `***` in place of each secret: the credentials of a URL, the value after a key such as
/// `token=` or `--password`, headers with credentials, the value of `-u` where it is `user:password`, the
/// password options of well-known programs (`mysql -pX`), well-known forms of keys, and, in the text of an
/// `env` capability, any value.
///
/// Where a value ends is not always to be told: one without quotes goes on to the next blank or double quote,
/// in the query of a URL to the next `&`, whatever else is hidden by that. What nothing gives away stays: a
/// password as a bare argument, the one of `-p` of a program that is not known, or `user:password@host`
/// without a scheme.
pub fn redact(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    // In a quoted word of a capability these two are escaped.
    if text.contains("\\u003a") || text.contains("\\u0023") {
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

/// Whether there cannot be a secret in it, by a quick look: nearly every text of a record.
fn is_plain(text: &str) -> bool {
    let is_odd = |byte: u8| matches!(byte, b'=' | b':' | b'-' | b'%' | b'\\' | b'"' | b'\'');
    if text.bytes().fold(false, |odd, byte| odd | is_odd(byte)) {
        return false;
    }
    let (mut run, mut longest, mut words) = (0, 0, false);
    for byte in text.bytes() {
        run = if is_key(char::from(byte)) { run + 1 } else { 0 };
        longest = longest.max(run);
        words |= !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'`' | b',');
    }
    longest < SHAPE_BYTES_MIN && !(words && text.split(is_end).any(is_scheme))
}

fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if text.starts_with("env ") {
        environment(text, &mut found);
    }
    credentials(text, &mut found);
    keyed(text, &mut found);
    words(text, &mut found);
    if let Some(start) = text.find("-----BEGIN ").filter(|at| text[*at..].contains("PRIVATE KEY")) {
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

/// `user:password@` of a URL, be it percent-encoded in another's query.
fn credentials(text: &str, found: &mut Vec<Range<usize>>) {
    // Up to here there is no `@`.
    let mut without = 0;
    for (at, separator) in text.match_indices("://") {
        let start = at + separator.len();
        let rest = &text[start..];
        // A comma and an apostrophe may stand in a password.
        let is_end = |c: char| is_end(c) && !matches!(c, ',' | '\'');
        let mut end = rest.find(|c| is_end(c) || matches!(c, '/' | '?' | '#')).unwrap_or(rest.len());
        // So may what ends an authority: then what stands before it is no host with its port.
        if !is_host_with_port(&rest[..end]) && start >= without {
            end = rest.find(is_end).unwrap_or(rest.len());
            without = start + end;
        }
        if let Some(at) = rest[..end].rfind('@') {
            found.push(start..start + at);
        }
    }
    for (at, separator) in matches_any_case(text, "%3A%2F%2F") {
        let start = at + separator.len();
        let is_over = |(at, c): &(usize, char)| {
            is_end(*c) || matches!(c, '/' | '&') || starts_any_case(&text[start + at..], "%2F")
        };
        let end = text[start..].char_indices().find(is_over).map_or(text.len(), |(at, _)| start + at);
        if let Some((user_end, _)) = matches_any_case(&text[start..end], "%40").last() {
            found.push(start..start + user_end);
        }
    }
}

fn is_host_with_port(authority: &str) -> bool {
    authority.contains('@')
        || authority.starts_with('[')
        || authority.split_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Where the ASCII text stands in this one, without regard to case.
fn matches_any_case<'a>(text: &'a str, wanted: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let places = text.match_indices(&wanted[..1]).map(|(at, _)| at);
    places.filter(|at| starts_any_case(&text[*at..], wanted)).map(move |at| (at, wanted))
}

fn starts_any_case(text: &str, wanted: &str) -> bool {
    text.as_bytes().get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// What follows the `=` or `:` after a key, be the key quoted or not, and either percent-encoded or not.
fn keyed(text: &str, found: &mut Vec<Range<usize>>) {
    let encoded = ["%3D", "%3A"].into_iter().flat_map(|separator| matches_any_case(text, separator));
    let (mut hidden, mut in_header) = (0..0, false);
    for (at, separator) in text.match_indices(['=', ':']).chain(encoded) {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let key = key_at_end(before);
        let kind = kind(key);
        if matches!(kind, Key::Other) {
            continue;
        }
        let start = at + separator.len();
        let after = &text[start..];
        let value = start + after.len() - after.trim_start_matches(['"', '\'', '\\', ' ', '=']).len();
        // What is hidden already ends where this would, but for a header that is not in one.
        let header = matches!(kind, Key::Header);
        if hidden.contains(&value) && (in_header || !header) {
            continue;
        }
        in_header = header;
        let in_query = before[..before.len() - key.len()].ends_with(['?', '&']);
        let end = match kind {
            Key::Header => header_end(text, value),
            _ if in_query => value_end(text, value, is_query_end),
            _ => value_end(text, value, is_value_end),
        };
        hidden = value..end;
        found.push(hidden.clone());
    }
    found.retain(|range| !range.is_empty());
}

/// What a word says of the one after it.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Nothing,
    /// It is a secret.
    Secret,
    /// If there is a colon in it, it is one.
    User,
    /// If it is quoted as the word before was, it is one.
    Header,
}

/// What follows the option of a secret, or the name of a scheme, as a word of its own; and secrets that
/// are known by their form.
fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let option = program_option(text);
    let mut next = Next::Nothing;
    let mut start = 0;
    // Words between two blanks share the end of their value.
    let (mut block_end, mut last_colon) = (0, 0);
    for word in text.split(is_end) {
        let range = start..start + word.len();
        start = range.end + text[range.end..].chars().next().map_or(0, char::len_utf8);
        let quoted = text[..range.start].ends_with(['"', '\'']);
        // A backslash belongs to the quote after it, unless a value begins with that.
        if word.is_empty() || (word == "\\" && !(quoted && next == Next::Secret)) {
            continue;
        }
        if range.start >= block_end {
            block_end =
                range.start + text[range.start..].find(is_value_end).unwrap_or(text.len() - range.start);
            last_colon = text[range.start..block_end].rfind(':').map_or(0, |at| range.start + at);
        }
        let end = || if quoted { value_end(text, range.start, is_value_end) } else { block_end };
        match next {
            Next::Secret if !word.starts_with("--") => found.push(range.start..end()),
            Next::User if quoted && text[range.start..end()].contains(':') => found.push(range.start..end()),
            Next::User if !quoted && last_colon >= range.start => found.push(range.start..end()),
            Next::Header if quoted && !matches!(word, ":" | "=") => found.push(range.start..end()),
            _ => {}
        }
        if let Some(rest) = attached(word, option, last_colon >= range.start) {
            found.push(range.end - rest.len()..end());
        }
        next = after(word.trim_end_matches('\\'), option, quoted);
        shapes(word, range.start, found);
    }
}

/// The value that stands with its option in one word, or the beginning of it.
fn attached<'a>(word: &'a str, program_option: Option<&str>, colon: bool) -> Option<&'a str> {
    let of_program =
        program_option.and_then(|option| word.strip_prefix(option)).filter(|rest| !rest.is_empty());
    let of_user = |option: &&str| {
        let rest = word.strip_prefix(option)?;
        let rest = if option.starts_with("--") { rest.strip_prefix('=') } else { Some(rest) };
        rest.filter(|rest| colon && !rest.is_empty())
    };
    of_program.or_else(|| USER_OPTIONS.iter().find_map(of_user))
}

fn after(word: &str, program_option: Option<&str>, quoted: bool) -> Next {
    let option = word.starts_with('-');
    match kind(key_at_end(word)) {
        _ if is_scheme(word) || Some(word) == program_option => Next::Secret,
        _ if USER_OPTIONS.contains(&word) => Next::User,
        Key::Value | Key::Header if option => Next::Secret,
        Key::Header if quoted => Next::Header,
        _ => Next::Nothing,
    }
}

/// What stands before credentials in a header.
fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

/// The option for a password of the program that the text names, if it is a known one.
fn program_option(text: &str) -> Option<&'static str> {
    let option = |word: &str| PROGRAM_OPTIONS.iter().find(|(program, _)| word.starts_with(program));
    let mut names = text.split(is_end).filter_map(|word| word.rsplit('/').next());
    names.find_map(option).map(|(_, option)| *option)
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
        return value_end(text, start, is_value_end);
    }
    let line = &text[text[..start].rfind(['\n', '\r']).unwrap_or(0)..start];
    let open = |quote: char| {
        let all = line.match_indices(quote);
        all.filter(|(at, _)| backslashes(&line[..*at]) == 0).count() % 2 == 1
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
    for (prefix, rest_min) in SHAPES {
        // Behind the first in a run of such characters the rest is shorter.
        let mut run_end = 0;
        for (at, _) in word.match_indices(prefix) {
            if at < run_end || word[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                continue;
            }
            let rest = &word[at + prefix.len()..];
            let end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
            run_end = at + prefix.len() + end;
            if end >= rest_min {
                found.push(start + at..start + run_end);
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
    // Of `%3Fsig` the key is `sig`.
    let encoded = text[..start].ends_with('%') && text.len() - start > 2;
    &text[if encoded { start + 2 } else { start }..]
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ',')
}

/// What ends a value without quotes. Commas, semicolons, brackets and the like may stand in it.
fn is_value_end(c: char) -> bool {
    c.is_whitespace() || c == '"'
}

fn is_query_end(c: char) -> bool {
    is_value_end(c) || c == '&'
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
            ("bearer>abc.def", "bearer>***"),
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
            ("process.run /usr/bin/curl -u me:pw https://h/", "process.run /usr/bin/curl -u *** https://h/"),
            ("curl -ume:pw --proxy-user=me:pw -v", "curl -u*** --proxy-user=*** -v"),
            (r#"run ["--user","me:p w","-v"]"#, r#"run ["--user","***","-v"]"#),
            (r#"curl --user "me\u003ap w" -v"#, r#"curl --user "***" -v"#),
            ("/usr/bin/mysqldump -phunter2 db", "/usr/bin/mysqldump -p*** db"),
            ("sshpass -p hunter2 ssh h", "sshpass -p *** ssh h"),
            ("--password a,b;c&d)e -v", "--password *** -v"),
            ("--password=a,b;c&d)e'f -v", "--password=*** -v"),
            ("--password -hunter2 -v", "--password *** -v"),
            ("Server=h;Password=a;b", "Server=h;Password=***"),
            ("https://h/?sig=a%2Bb&x=1&token=c;d&y=2", "https://h/?sig=***&x=1&token=***&y=2"),
            ("https://h/?to=https%3A%2F%2Fi%2F%3Fsig%3Dabc", "https://h/?to=https%3A%2F%2Fi%2F%3Fsig%3D***"),
            ("https://h/?to=https%3a%2f%2fu%3ap%40i", "https://h/?to=https%3a%2f%2f***%40i"),
            ("https://u:p/w?x@h/y", "https://***@h/y"),
            (r#"["Authorization","Token abc", "x"]"#, r#"["Authorization","***", "x"]"#),
            ("proxy-authorization=Basic dTpw", "proxy-authorization=***"),
            (r#"run "[\"--token\",\"abc\"]" x"#, r#"run "[\"--token\",\"***\"]" x"#),
            (r#"run --secret "\"a\" b" x"#, r#"run --secret "***" x"#),
            ("token= cookie: a=b; c=d", "token= *** ***"),
            ("token= password= x y", "token= *** *** y"),
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
            "process.run /usr/bin/docker run -p 8080:80 -u root",
            "https://h.example:443/@scope/pkg https://[::1]:8/@x",
            "authorization failed for me",
            "",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}: {}", redact(text));
        }
    }
    #[test]
    fn hostile_a12_no_text_takes_more_than_its_length() {
        // The square of that would be minutes.
        for unit in [
            "token=",
            "= ",
            "key= ",
            "cookie:\n",
            "cookie:x",
            "\"cookie:x\r",
            "://a:b",
            "%3A%2F%2F",
            "https%3A%2F%2F%40",
            "-u,",
            "'a",
            "\\'a",
            "\"a\\\"",
            "--token,",
            "x:\"",
            "mysql -p",
            "a%3D",
            "\"cookie\",",
            "eyJ",
            "-eyJ",
        ] {
            let text = unit.repeat((1 << 17) / unit.len());
            assert!(redact(&text).len() <= 2 * text.len(), "{unit}");
        }
    }
}
