//! Wildcards inside one part of a path, of an actor id or of an argument: `*` is any run of
//! characters, `?` one.

use std::fmt;

use crate::sequence;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Char(char),
    One,
    Run,
}

/// What a backslash makes an ordinary character of.
pub(crate) const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// Reads a glob; a backslash before one of [`SPECIAL`] means that character.
pub(crate) fn parse(text: &str) -> Result<Vec<Token>, String> {
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
    Ok(tokens)
}

/// Prints what `parse` reads back.
pub(crate) fn print(tokens: &[Token], f: &mut impl fmt::Write) -> fmt::Result {
    tokens.iter().try_for_each(|token| match token {
        Token::Run => f.write_str("*"),
        Token::One => f.write_str("?"),
        Token::Char(c) if SPECIAL.contains(c) => write!(f, "\\{c}"),
        Token::Char(c) => write!(f, "{c}"),
    })
}

/// The one text that matches, if there is no wildcard.
pub(crate) fn literal(tokens: &[Token]) -> Option<String> {
    tokens.iter().map(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect()
}

/// Whether the whole of `text` matches. Both a leading dot and an empty run match `*`. The steps are
/// at most tokens × characters.
pub(crate) fn matches(tokens: &[Token], text: &str) -> bool {
    sequence::matches(tokens, text.chars(), is_run, |token, c| match token {
        Token::Char(want) => *want == c,
        Token::One => true,
        Token::Run => false,
    })
}

/// Whether `wide` matches all that `narrow` does.
///
/// Never wrongly true. Exact where `wide` has no `?`; with one it may say no although the answer is
/// yes, as for `*?` and `?*`.
pub(crate) fn includes(wide: &[Token], narrow: &[Token]) -> bool {
    sequence::matches(wide, narrow.iter(), is_run, |token, other| match (token, other) {
        (Token::Char(a), Token::Char(b)) => a == b,
        (Token::One, Token::Char(_) | Token::One) => true,
        _ => false,
    })
}

fn is_run(token: &Token) -> bool {
    *token == Token::Run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        let token = |c| match c {
            '*' => Token::Run,
            '?' => Token::One,
            c => Token::Char(c),
        };
        pattern.chars().map(token).collect()
    }

    /// The definition, exponential and obviously right.
    fn model(pattern: &[Token], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((Token::Run, tail)), rest) => {
                model(tail, text) || rest.is_some_and(|(_, rest)| model(pattern, rest))
            }
            (Some((Token::One, tail)), Some((_, rest))) => model(tail, rest),
            (Some((Token::Char(c), tail)), Some((first, rest))) => c == first && model(tail, rest),
            _ => false,
        }
    }

    #[test]
    fn agrees_with_its_definition_on_all_short_words() {
        let words = |alphabet: &[char], length: usize| {
            let mut all = vec![String::new()];
            for _ in 0..length {
                let longer: Vec<String> =
                    all.iter().flat_map(|w| alphabet.iter().map(move |c| format!("{w}{c}"))).collect();
                all.extend(longer);
                all.sort();
                all.dedup();
            }
            all
        };
        for pattern in words(&['a', 'é', '*', '?'], 4) {
            for text in words(&['a', 'é'], 5) {
                let chars: Vec<char> = text.chars().collect();
                let want = model(&tokens(&pattern), &chars);
                assert_eq!(matches(&tokens(&pattern), &text), want, "{pattern} {text}");
            }
        }
    }
}
