//! The name that somebody may have meant.

/// Names longer than this are nobody's misspelling.
const NAME_BYTES_MEANT: usize = 128;

/// So many names are looked at.
const NAMES_MAX: usize = 1_000;

/// The most similar of the names, if it is similar at all: a third of its letters may differ.
pub(super) fn to<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = |name: &'a str| {
        let both = name.len().max(wanted.len());
        let distance = (both <= NAME_BYTES_MEANT).then(|| distance(wanted.as_bytes(), name.as_bytes()))?;
        (distance * 3 <= both).then_some((distance, name))
    };
    names.take(NAMES_MAX).filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many bytes must be put in, left out or changed.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, of_b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(of_a != of_b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_found_and_another_name_is_not() {
        let names = ["get-stdout", "get-stderr", "poll"];
        assert_eq!(to("get-stdut", names.into_iter()), Some("get-stdout"));
        assert_eq!(to("pol", names.into_iter()), Some("poll"));
        assert_eq!(to("query", names.into_iter()), None);
        assert_eq!(to(&"poll".repeat(100_000), names.into_iter()), None);
        assert_eq!((distance(b"kitten", b"sitting"), distance(b"", b"ab"), distance(b"ab", b"")), (3, 2, 2));
    }
}
