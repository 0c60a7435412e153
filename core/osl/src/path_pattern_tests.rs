use super::*;

const YES: bool = true;
const NO: bool = false;

/// Pattern, path, whether it is covered.
const EDGES: &[(&str, &str, bool)] = &[
    ("/data", "/data", YES),
    ("/data", "/database", NO),
    ("/data", "/data/a", NO),
    ("/data", "/dat", NO),
    ("/data", "/", NO),
    ("/data", "/DATA", NO),
    ("/data", "data", NO),
    ("/data", "/data/", NO),
    ("/data", "//data", NO),
    ("/data", "/./data", NO),
    ("/data", "/x/../data", NO),
    ("/data", "", NO),
    ("/data/*", "/data", NO),
    ("/data/*", "/data/a", YES),
    ("/data/*", "/data/.a", YES),
    ("/data/*", "/data/a/b", NO),
    ("/data/*", "/data/", NO),
    ("/data/*", "/data/..", NO),
    ("/data/*", "/data/.", NO),
    ("/data/*", "/database/a", NO),
    ("/data/**", "/data", YES),
    ("/data/**", "/data/a", YES),
    ("/data/**", "/data/a/b/c", YES),
    ("/data/**", "/data/.git/config", YES),
    ("/data/**", "/database", NO),
    ("/data/**", "/data/../etc", NO),
    ("/data/**", "/data//a", NO),
    ("/data/**", "/data/a/", NO),
    ("/data/**", "/", NO),
    ("/data/*.txt", "/data/.txt", YES),
    ("/data/*.txt", "/data/a.txt", YES),
    ("/data/*.txt", "/data/a.txt.exe", NO),
    ("/data/*.txt", "/data/atxt", NO),
    ("/data/*.txt", "/data/d/a.txt", NO),
    ("/data/a*b*c", "/data/abc", YES),
    ("/data/a*b*c", "/data/aXbXc", YES),
    ("/data/a*b*c", "/data/aXc", NO),
    ("/data/?", "/data/a", YES),
    ("/data/?", "/data/.", NO),
    ("/data/?", "/data/é", YES),
    ("/data/?", "/data/ab", NO),
    ("/data/?", "/data", NO),
    ("/data/**/a", "/data/a", YES),
    ("/data/**/a", "/data/x/a", YES),
    ("/data/**/a", "/data/x/y/a", YES),
    ("/data/**/a", "/data/x/ab", NO),
    ("/data/**/a", "/data/a/x", NO),
    ("/data/**/a", "/data", NO),
    ("/data/**/*.c", "/data/x/y.c", YES),
    ("/**/a/**/b", "/x/a/y/b", YES),
    ("/**/a/**/b", "/a/b", YES),
    ("/**/a/**/b", "/b/a", NO),
    ("/**/a/b/c", "/a/b/a/b/c", YES),
    ("/", "/", YES),
    ("/", "/a", NO),
    ("/*", "/", NO),
    ("/*", "/a", YES),
    ("/**", "/", YES),
    ("/**", "/a/b", YES),
    ("/data/\\*", "/data/*", YES),
    ("/data/\\*", "/data/a", NO),
    ("/data/\\[id\\]", "/data/[id]", YES),
    ("/data/\\[id\\]", "/data/i", NO),
    ("/data/\\{a,b\\}", "/data/{a,b}", YES),
    ("/data/\\{a,b\\}", "/data/a", NO),
    ("/data/\\\\", "/data/\\", YES),
    ("/data/a,b", "/data/a,b", YES),
    ("/data/...", "/data/...", YES),
];

/// Pattern, and a word of the advice its refusal gives.
const REFUSED: &[(&str, &str)] = &[
    ("", "absolute"),
    ("data", "absolute"),
    ("C:\\data", "absolute"),
    ("/data/", "leave out"),
    ("/data//a", "//"),
    ("//", "leave out"),
    ("/data/../etc", ".."),
    ("/data/.", "leads to"),
    ("/data/[ab]", "\\["),
    ("/data/[", "\\["),
    ("/data/]", "\\]"),
    ("/data/{a,b}", "\\{"),
    ("/data/{a", "\\{"),
    ("/data/a}", "\\}"),
    ("/data\\a", "backslash"),
    ("/data/a\\", "backslash"),
    ("/data/a**", "whole part"),
    ("/data/***", "whole part"),
    ("/a\0b", "NUL"),
];

#[test]
fn hostile_d12_pattern_edges() {
    for (pattern, path, want) in EDGES {
        let parsed = PathPattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        assert_eq!(parsed.matches(path), *want, "{pattern} {path}");
        assert_eq!(PathPattern::parse(&parsed.to_string()), Ok(parsed), "{pattern}");
    }
    for (pattern, advice) in REFUSED {
        let reason = PathPattern::parse(pattern).expect_err(pattern);
        assert!(reason.contains(advice), "{pattern}: {reason}");
    }
    assert!(PathPattern::parse(&format!("/{}", "a".repeat(256))).is_err());
    assert!(PathPattern::parse(&"/a".repeat(2_049)).is_err());
    assert!(PathPattern::parse(&"/*".repeat(33)).is_err());
    assert!(PathPattern::parse(&format!("/*{}", "a".repeat(254)).repeat(3)).is_err());
}

/// The definition on lists of parts, exponential and obviously right.
fn model(pattern: &[Part], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((Part::AnyParts, tail)) => model(tail, path) || (!path.is_empty() && model(pattern, &path[1..])),
        Some((part, tail)) => {
            path.split_first().is_some_and(|(name, rest)| part.matches(name) && model(tail, rest))
        }
    }
}

#[test]
fn hostile_d12_agrees_with_its_definition() {
    let parts = ["a", "*", "**", "a*"];
    let names = ["a", "ab", "b"];
    let lists = |alphabet: &[&str], max: u32| {
        let base = alphabet.len();
        let mut all = Vec::new();
        for length in 1..=max {
            for mut number in 0..base.pow(length) {
                let mut text = String::new();
                for _ in 0..length {
                    text = format!("{text}/{}", alphabet[number % base]);
                    number /= base;
                }
                all.push(text);
            }
        }
        all
    };
    let paths = lists(&names, 4);
    for pattern in lists(&parts, 4) {
        let pattern = PathPattern::parse(&pattern).unwrap();
        for path in &paths {
            let split: Vec<&str> = path[1..].split('/').collect();
            assert_eq!(pattern.matches(path), model(&pattern.0, &split), "{pattern} {path}");
        }
    }
}

#[test]
fn hostile_a12_globs_take_linear_time() {
    // An exponential matcher would need longer than the age of the universe for the first of these.
    let hogs = [
        format!("{}/b", "/**/a".repeat(15)),
        format!("{}/b", "/**".repeat(20)),
        format!("/{}b", "*a".repeat(30)),
        format!("/**/{}b/**/c", "a*".repeat(28)),
        format!("/**{}/c", format!("/*{}b", "a".repeat(45)).repeat(4)),
    ];
    let paths = [
        "/a".repeat(2_048),
        format!("/{}", "a".repeat(255)),
        format!("/{}", "a".repeat(255)).repeat(16),
        format!("/{}b", "a".repeat(254)).repeat(16),
    ];
    for hog in &hogs {
        let pattern = PathPattern::parse(hog).unwrap();
        for path in &paths {
            assert!(!pattern.matches(path), "{hog}");
        }
    }
}
