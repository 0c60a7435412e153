//! The definitions of the wildcards, exponential and obviously right.

/// `*` is any run of characters, `?` one.
pub fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', tail)) => glob(tail, text) || (!text.is_empty() && glob(pattern, &text[1..])),
        Some(('?', tail)) => !text.is_empty() && glob(tail, &text[1..]),
        Some((c, tail)) => text.first() == Some(c) && glob(tail, &text[1..]),
    }
}

pub fn word(pattern: &str, text: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    glob(&chars(pattern), &chars(text))
}

/// `**` is any number of names, anything else one name that is not empty or is written the same.
pub fn names(pattern: &[String], path: &[String]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((part, tail)) if part == "**" => {
            names(tail, path) || (!path.is_empty() && names(pattern, &path[1..]))
        }
        Some((part, tail)) => match path.split_first() {
            Some((name, rest)) => {
                (part == name || (!name.is_empty() && word(part, name))) && names(tail, rest)
            }
            None => false,
        },
    }
}

/// A final `**` is one or more parts, `*` one.
pub fn topic(pattern: &[String], topic: &[String]) -> bool {
    match (pattern.split_first(), topic.split_first()) {
        (None, None) => true,
        (Some((part, [])), Some(_)) if part == "**" => true,
        (Some((part, tail)), Some((name, rest))) => {
            (part == name || (part == "*" && name != "**")) && self::topic(tail, rest)
        }
        _ => false,
    }
}
