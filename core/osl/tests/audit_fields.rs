//! Whatever stands in the fields of a record, it is one line that reads back.

mod support;

use std::fs;
use std::path::Path;

use airssys_osl::{Ask, Audit, AuditConfig, Level, UNLIMITED, redact, verify};
use support::log::{LogWorld, actor};

const ROUNDS: u64 = 300;

/// A small generator (xorshift), so that each run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// One of the corpus, with a few bytes of it changed, cut out or taken from another.
    fn text(&mut self, corpus: &[Vec<u8>]) -> String {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, *b"\n\"\\=:@ \0"[self.below(8)..].first().unwrap()),
                _ => {
                    let other = &corpus[self.below(corpus.len())];
                    bytes.splice(at..at, other[..self.below(other.len() + 1)].iter().copied());
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/audit");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn rounds() -> u64 {
    std::env::var("AIRSSYS_FUZZ").map_or(ROUNDS, |rounds| rounds.parse().expect("AIRSSYS_FUZZ is a number"))
}

#[test]
fn each_record_is_one_line_that_reads_back() {
    let world = LogWorld::new();
    let config = AuditConfig { level: Level::All, denials_per_second_max: UNLIMITED, ..world.config() };
    let audit = Audit::open(config).unwrap();
    let corpus = corpus();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut want = Vec::new();
    for _ in 0..rounds() {
        let [id, function, capability, outcome] = [(); 4].map(|()| random.text(&corpus));
        let set = actor(&audit, &id, &["clock"]);
        let guard = set.check(&Ask::Clock, &function).unwrap();
        set.begin("connect", &guard, &capability, &function).finish(Err(&outcome));
        set.check(&Ask::FsRead(capability.clone()), &function).unwrap_err();
        want.push([id, function, capability, outcome].map(|text| redact(&text).into_owned()));
    }
    audit.close().unwrap();
    let text = fs::read_to_string(&world.path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .split_terminator('\n')
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
        .filter(|line: &serde_json::Value| line["phase"] == "result")
        .collect();
    assert_eq!(lines.len(), want.len());
    for (line, want) in lines.iter().zip(&want) {
        let seen = ["actor", "function", "capability", "outcome"].map(|key| line[key].as_str().unwrap());
        assert_eq!(seen, [&want[0], &want[1], &want[2], &want[3]].map(String::as_str));
    }
    let hidden = |c: char| c != '\n' && c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    assert_eq!(text.find(hidden), None);
    assert!(verify(&world.path).unwrap().is_good());
}

#[test]
fn a_secret_after_its_key_is_redacted_wherever_it_stands() {
    let corpus = corpus();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let planted = [
        " token=Zq7Zq7Zq7 ",
        " https://u:Zq7Zq7Zq7@h/ ",
        " https://u:Zq7/Zq7?Zq7@h/ ",
        " https://h/?a=b&sig=Zq7;Zq7,Zq7 ",
        " https://h/?to=https%3A%2F%2Fh%2F%3Fa%26token%3DZq7 ",
        " https://h/?to=https%3A%2F%2Fu%3AZq7%40h ",
        " --password Zq7Zq7Zq7 ",
        " --password Zq7;Zq7,Zq7&Zq7)Zq7'Zq7 ",
        " --secret -Zq7 ",
        " --api-key=Zq7;Zq7,Zq7&Zq7)Zq7'Zq7]Zq7 ",
        " Password=Zq7;Zq7}Zq7 ",
        " -u me:Zq7;Zq7 ",
        " --user me:Zq7,Zq7 ",
        " -ume:Zq7 ",
        " --proxy-user=me:Zq7 ",
        r#" "-u","me:Zq7 Zq7" "#,
        " mysql -pZq7,Zq7 ",
        " sshpass -p Zq7 ",
        " Bearer Zq7Zq7Zq7 ",
        " Basic Zq7/Zq7+Zq7== ",
        " Authorization: Basic Zq7 Zq7",
        " cookie: a=Zq7; b=Zq7",
        r#" {"password":"Zq7 Zq7"} "#,
        " ghp_Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7 ",
    ];
    for round in 0..rounds() as usize * 10 {
        let [before, after] = [(); 2].map(|()| random.text(&corpus));
        let text = format!("{before}{}{after}", planted[round % planted.len()]);
        assert!(!redact(&text).contains("Zq7"), "{text:?}: {:?}", redact(&text));
    }
}
