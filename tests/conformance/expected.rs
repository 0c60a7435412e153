//! `expected.tsv` as data: what a program needs, and what becomes of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::asks::Ask;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Passes,
    /// It ends with a trap, as its authors mean it to.
    Traps,
    /// It does not pass; the reason stands there.
    Fails,
    /// It is no program of this world.
    Other,
}

/// One line of the list; a program without one passes with nothing special.
#[derive(Default)]
pub struct Line {
    pub expected: Expected,
    pub setup: Setup,
    /// Text of what it fails with.
    pub seen: String,
}

/// What a program finds when it starts, where that is not what all find.
#[derive(Clone, Default)]
pub struct Setup {
    pub args: Option<Vec<String>>,
    pub env: Option<Vec<(String, String)>>,
    pub files: Vec<(String, String)>,
    /// In place of what all may do.
    pub grants: Option<Vec<String>>,
    /// Besides that.
    pub more: Vec<String>,
    /// Its `config`, as JSON.
    pub config: Option<String>,
    /// Keys and values that are in the namespace `default` of a store; there is no store if absent.
    pub kv: Option<Vec<(String, String)>>,
    pub handles: Option<u64>,
    pub wall_ms: Option<u64>,
    /// How old its files are.
    pub years_before_epoch: Option<u64>,
    /// Whether it asks a server, whose address is then `HTTP_SERVER`.
    pub server: bool,
    /// Whether it asks for names, of which a server of our own knows all.
    pub names: bool,
    /// What it is asked, where it is served; it is told to run if there is nothing.
    pub asks: Vec<Ask>,
    /// All that it writes to its standard output and error, where that is looked at.
    pub stdout: Option<String>,
    pub stderr: Option<String>,
}

/// The lines by program.
pub fn lines() -> BTreeMap<&'static str, Line> {
    let lines =
        include_str!("expected.tsv").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(line).collect()
}

fn line(text: &'static str) -> (&'static str, Line) {
    let fields: Vec<&str> = text.split('\t').collect();
    let [program, expected, setup, seen, _reason] = fields[..] else {
        panic!("a line has five fields: {text}");
    };
    let expected = match expected {
        "passes" => Expected::Passes,
        "traps" => Expected::Traps,
        "fails" => Expected::Fails,
        "other" => Expected::Other,
        other => panic!("{program}: nobody knows what {other} is"),
    };
    let setup = match setup {
        "-" => Setup::default(),
        json => setup_of(&serde_json::from_str(json).expect("a setup is JSON")),
    };
    let seen = if seen == "-" { String::new() } else { seen.to_owned() };
    (program, Line { expected, setup, seen })
}

fn setup_of(json: &Value) -> Setup {
    Setup {
        args: json["args"].is_array().then(|| texts(&json["args"])),
        env: json["env"].is_object().then(|| pairs(&json["env"])),
        files: pairs(&json["files"]),
        grants: json["grants"].is_array().then(|| texts(&json["grants"])),
        more: texts(&json["more"]),
        config: json["config"].is_object().then(|| json["config"].to_string()),
        kv: json["kv"].is_object().then(|| pairs(&json["kv"])),
        handles: json["handles"].as_u64(),
        wall_ms: json["wall_ms"].as_u64(),
        years_before_epoch: json["years_before_epoch"].as_u64(),
        server: json["server"] == true,
        names: json["names"] == true,
        asks: json["asks"].as_array().into_iter().flatten().map(Ask::of).collect(),
        stdout: json["stdout"].as_str().map(str::to_owned),
        stderr: json["stderr"].as_str().map(str::to_owned),
    }
}

/// The texts of an array, none if it is none.
pub fn texts(json: &Value) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pairs(json: &Value) -> Vec<(String, String)> {
    let pairs = json.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}
