//! Policies against a model of what they mean, exponential and obviously right: random ones over a small world.
//! `AIRSSYS_CASES` sets how many questions are asked.

use airssys_osl::policy::Policy;

const ACTORS: &[&str] = &["a/x/0", "a/y/0", "b/x/0"];
/// A pattern, and which of the actors it reaches.
const PATTERNS: &[(&str, &[usize])] =
    &[("a/x/0", &[0]), ("a/*/0", &[0, 1]), ("*/x/*", &[0, 2]), ("*/*/*", &[0, 1, 2]), ("b/*x*/0", &[2])];
const ASKS: &[&str] =
    &["fs.read /d", "fs.read /d/1", "fs.read /d/1/2", "fs.list /d", "clock", "message.send a/x/0"];
/// A capability, and which of the asks it covers.
const CAPABILITIES: &[(&str, &[usize])] = &[
    ("fs.read /d", &[0]),
    ("fs.read /d/*", &[1]),
    ("fs.read,list /d/**", &[0, 1, 2, 3]),
    ("fs.read /**", &[0, 1, 2]),
    ("clock", &[4]),
    ("message.send a/*/*", &[5]),
    ("message.send */x/0", &[5]),
    ("random", &[]),
];
const DIGESTS: &[Option<&str>] = &[
    None,
    Some("0000000000000000000000000000000000000000000000000000000000000000"),
    Some("1111111111111111111111111111111111111111111111111111111111111111"),
];

struct Rule {
    actors: Vec<usize>,
    digest: usize,
    overrides: bool,
    allow: Vec<usize>,
    deny: Vec<usize>,
    files: Option<u64>,
}

struct File {
    parents: Vec<usize>,
    rules: Vec<Rule>,
}

struct Asked {
    actor: usize,
    digest: usize,
    ask: usize,
}

impl Rule {
    fn matches(&self, asked: &Asked) -> bool {
        (self.digest == 0 || self.digest == asked.digest) && self.is_for(asked)
    }

    fn is_for(&self, asked: &Asked) -> bool {
        self.actors.iter().any(|pattern| PATTERNS[*pattern].1.contains(&asked.actor))
    }

    /// Another artefact than the rule's gets less, not more.
    fn narrows(&self, asked: &Asked) -> bool {
        !self.overrides && !self.allow.is_empty() && self.is_for(asked)
    }
}

fn cover(capabilities: &[usize], asked: &Asked) -> bool {
    capabilities.iter().any(|capability| CAPABILITIES[*capability].1.contains(&asked.ask))
}

/// The oracle: what the file at `index` allows, with all that it extends.
fn allows(files: &[File], index: usize, asked: &Asked) -> bool {
    let matching = || files[index].rules.iter().filter(|rule| rule.matches(asked));
    let own = matching().any(|rule| cover(&rule.allow, asked));
    let narrowed = files[index].rules.iter().any(|rule| rule.narrows(asked));
    own || (!narrowed && parents_allow(files, index, asked))
}

fn parents_allow(files: &[File], index: usize, asked: &Asked) -> bool {
    files[index].parents.iter().any(|parent| allows(files, *parent, asked))
}

fn reachable(files: &[File], index: usize) -> Vec<usize> {
    let mut all = vec![index];
    files[index].parents.iter().for_each(|parent| all.extend(reachable(files, *parent)));
    all
}

/// Every rule that counts for the last file and is for the one who asks.
fn matching<'a>(files: &'a [File], asked: &'a Asked) -> impl Iterator<Item = &'a Rule> {
    let all = reachable(files, files.len() - 1);
    all.into_iter().flat_map(|index| &files[index].rules).filter(|rule| rule.matches(asked))
}

fn decides(files: &[File], asked: &Asked) -> bool {
    !matching(files, asked).any(|rule| cover(&rule.deny, asked)) && allows(files, files.len() - 1, asked)
}

/// Whether a rule without an override allows what the files that its file extends do not.
fn widens(files: &[File], index: usize, asked: &Asked) -> bool {
    let rules = files[index].rules.iter();
    !files[index].parents.is_empty()
        && rules
            .filter(|rule| rule.narrows(asked) && rule.matches(asked))
            .any(|rule| cover(&rule.allow, asked))
        && !parents_allow(files, index, asked)
}

fn yaml(file: &File) -> String {
    let list = |all: &[usize], table: &[(&str, &[usize])]| {
        all.iter().map(|index| format!("{:?}", table[*index].0)).collect::<Vec<_>>().join(", ")
    };
    let parents: Vec<String> = file.parents.iter().map(|parent| format!("f{parent}")).collect();
    let mut text = format!("version: 1\nextends: [{}]\nrules:\n", parents.join(", "));
    for rule in &file.rules {
        text +=
            &format!("  - actors: [{}]\n    override: {}\n", list(&rule.actors, PATTERNS), rule.overrides);
        if let Some(digest) = DIGESTS[rule.digest] {
            text += &format!("    component: sha256:{digest}\n");
        }
        if let Some(files) = rule.files {
            text += &format!("    limits: {{ files: {files} }}\n");
        }
        text += &format!("    allow: [{}]\n", list(&rule.allow, CAPABILITIES));
        text += &format!("    deny: [{}]\n", list(&rule.deny, CAPABILITIES));
    }
    if file.rules.is_empty() { text.replace("rules:\n", "") } else { text }
}

/// A small seeded generator: the same policies in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn some_of(&mut self, table: usize, least: usize, most: usize) -> Vec<usize> {
        (0..least + self.below(most - least + 1)).map(|_| self.below(table)).collect()
    }

    fn rule(&mut self) -> Rule {
        Rule {
            actors: self.some_of(PATTERNS.len(), 1, 2),
            digest: self.below(2 * DIGESTS.len()).saturating_sub(DIGESTS.len()),
            overrides: self.below(4) == 0,
            allow: self.some_of(CAPABILITIES.len(), 0, 2),
            deny: if self.below(3) == 0 { self.some_of(CAPABILITIES.len(), 0, 2) } else { Vec::new() },
            files: (self.below(2) == 0).then(|| 1 + self.below(9) as u64),
        }
    }

    /// One to four files, each extending some of those before it; the first tends to allow much.
    fn files(&mut self) -> Vec<File> {
        let count = 1 + self.below(4);
        let mut files: Vec<File> = Vec::new();
        for index in 0..count {
            let mut parents: Vec<usize> = (0..index).filter(|_| self.below(2) == 0).collect();
            if index + 1 == count && index > 0 && !parents.contains(&(index - 1)) {
                parents.push(index - 1);
            }
            let most = if parents.is_empty() { 4 } else { 2 };
            let rules = (0..self.below(most + 1)).map(|_| self.rule()).collect();
            files.push(File { parents, rules });
        }
        files
    }

    fn asked(&mut self) -> Asked {
        Asked {
            actor: self.below(ACTORS.len()),
            digest: self.below(DIGESTS.len()),
            ask: self.below(ASKS.len()),
        }
    }
}

fn every_ask() -> impl Iterator<Item = Asked> {
    let digests = || 0..DIGESTS.len();
    (0..ACTORS.len()).flat_map(move |actor| {
        digests().flat_map(move |digest| (0..ASKS.len()).map(move |ask| Asked { actor, digest, ask }))
    })
}

#[test]
fn a_policy_decides_as_its_model_does() {
    let cases: u64 = std::env::var("AIRSSYS_CASES").map_or(100_000, |cases| cases.parse().unwrap());
    let (mut seeded, mut asked_in_all, mut loaded, mut refused, mut allowed) =
        (Seeded(29), 0, 0_u64, 0_u64, 0_u64);
    while asked_in_all < cases {
        let files = seeded.files();
        let last = files.len() - 1;
        let read = |name: &str| Ok(yaml(&files[name[1..].parse::<usize>().unwrap()]).into_bytes());
        let policy = match Policy::parse_with(yaml(&files[last]), &format!("f{last}"), read) {
            Ok(policy) => policy,
            Err(error) => {
                assert!(error.message.contains("override: true"), "{error}");
                refused += 1;
                continue;
            }
        };
        loaded += 1;
        for index in reachable(&files, last) {
            let widened = every_ask().any(|asked| widens(&files, index, &asked));
            assert!(!widened, "f{index} widens: {}", files.iter().map(yaml).collect::<String>());
        }
        for _ in 0..20 {
            let asked = seeded.asked();
            let (actor, digest, ask) = (ACTORS[asked.actor], DIGESTS[asked.digest], ASKS[asked.ask]);
            let explanation = policy.explain(actor, digest, ask).unwrap();
            let want = decides(&files, &asked);
            let shown = || files.iter().map(yaml).collect::<String>();
            assert_eq!(explanation.allowed, want, "{actor} {digest:?} {ask}: {explanation}\n{}", shown());
            let bound = matching(&files, &asked).filter_map(|rule| rule.files).min();
            assert_eq!(policy.resolve(actor, digest).limits.files, bound, "{}", shown());
            allowed += u64::from(want);
            asked_in_all += 1;
        }
    }
    println!("{asked_in_all} asked of {loaded} policies, {allowed} allowed; {refused} policies refused");
    assert!(loaded > refused / 4 && allowed > asked_in_all / 20, "{loaded} {refused} {allowed}");
}
