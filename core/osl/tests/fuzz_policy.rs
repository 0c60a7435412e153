//! Whatever bytes a policy is made of, it is read or refused with a place: a committed corpus, and seeded mutations of
//! it. `AIRSSYS_FUZZ` sets how many.

use std::path::Path;

use airssys_osl::policy::Policy;

/// What holds for all bytes.
fn fuzz_policy(bytes: &[u8]) {
    let read =
        |_: &str| Ok(b"version: 1\nrules: [{ actors: [\"*/*/*\"], allow: [fs.read /srv/**] }]\n".to_vec());
    match Policy::parse_with(bytes, "p.yaml", read) {
        Ok(policy) => {
            assert_eq!(Policy::parse_with(bytes, "p.yaml", read).as_ref(), Ok(&policy), "the same again");
            let report = policy.test();
            assert_eq!(report.to_string().lines().count(), report.failed.len() + 1, "{report}");
            for actor in ["tools/fetch/0", "a", "no id", ""] {
                let resolved = policy.resolve(actor, None);
                let explanation = policy.explain(actor, None, "fs.read /srv/docs/x").unwrap();
                assert!(!explanation.allowed || !resolved.allow.is_empty());
                assert_eq!(explanation.to_string().lines().count(), 1, "{explanation}");
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.lines().count() == 1 && !shown.chars().any(char::is_control), "{shown:?}");
            let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u32 + 1;
            assert!(
                error.line <= lines + 1 && (error.line == 0) == (error.column == 0),
                "{shown} of {lines}"
            );
        }
    }
}

struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// A few cuts, copies, swaps with another text, and odd bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        const PIECES: &[&[u8]] = &[
            b"*",
            b"&a ",
            b"!!x ",
            b"<<: ",
            b"---\n",
            b"\t",
            b"\r",
            b"\0",
            b"\xff",
            b"{",
            b"[",
            b"]",
            b"}",
            b": ",
            b"- ",
            b"\"",
            b"'",
            b"#",
            b"|\n",
            b">\n",
            b"? ",
            b"\xe2\x80\xa8",
            b"\xef\xbb\xbf",
            b"%",
            b",",
            b"\n",
            b" ",
            b"0",
            b"\\",
        ];
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            let to = (at + self.below(20)).min(bytes.len());
            match self.below(4) {
                0 => drop(bytes.drain(at..to)),
                1 => bytes.splice(at..at, PIECES[self.below(PIECES.len())].iter().copied()).for_each(drop),
                2 => {
                    let copy = bytes[at..to].to_vec();
                    let into = self.below(bytes.len() + 1);
                    bytes.splice(into..into, copy).for_each(drop);
                }
                _ => {
                    let from = self.below(other.len() + 1);
                    let end = (from + self.below(60)).min(other.len());
                    bytes.splice(at..to, other[from..end].iter().copied()).for_each(drop);
                }
            }
        }
    }
}

#[test]
fn hostile_m6_any_bytes_are_read_or_refused_with_a_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/policy");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(corpus.len() >= 10, "{}", folder.display());
    corpus.iter().for_each(|bytes| fuzz_policy(bytes));
    let rounds: u64 = std::env::var("AIRSSYS_FUZZ").map_or(5_000, |rounds| rounds.parse().unwrap());
    let mut seeded = Seeded(31);
    for _ in 0..rounds {
        let mut bytes = corpus[seeded.below(corpus.len())].clone();
        let other = &corpus[seeded.below(corpus.len())];
        seeded.mutate(&mut bytes, other);
        fuzz_policy(&bytes);
    }
}
