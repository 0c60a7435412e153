//! Wildcards inside one part of a path or of an actor id: `*` is any run of characters, `?` one.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Char(char),
    One,
    Run,
}

/// Whether the whole of `text` matches. Both a leading dot and an empty run match `*`.
///
/// Only the last `*` is ever retried, so the steps are at most tokens × characters.
pub(crate) fn matches(tokens: &[Token], text: &str) -> bool {
    let mut rest = text;
    let mut at = 0;
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let mut chars = rest.chars();
        match (tokens.get(at), chars.next()) {
            (Some(Token::Run), _) => {
                at += 1;
                retry = Some((at, rest));
                continue;
            }
            (None, None) => return true,
            (Some(Token::One), Some(_)) => {}
            (Some(Token::Char(want)), Some(got)) if *want == got => {}
            _ => {
                let Some((after_run, from)) = retry else { return false };
                let mut later = from.chars();
                if later.next().is_none() {
                    return false;
                }
                at = after_run;
                rest = later.as_str();
                retry = Some((at, rest));
                continue;
            }
        }
        at += 1;
        rest = chars.as_str();
    }
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
