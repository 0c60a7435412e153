use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::anchor::{self, Told};
use super::chain::{self, Head, Link, Unsealed};
use super::disk;
use super::log::{LINE_BYTES_MAX, numbered};

/// What an audit log turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they were written: the file itself comes last.
    pub files: Vec<PathBuf>,
    /// Records that were found good.
    pub records: u64,
    /// The numbers of the first and the last of them; a first one over 1 follows a file that is gone.
    pub first_seq: u64,
    pub last_seq: u64,
    /// The hash of the last of them: kept elsewhere, it is an anchor.
    pub last_hash: String,
    /// Anchors beside the log that agree with it.
    pub anchors: u64,
    /// Unfinished lines of which the log itself tells: a process was killed or a disk was full.
    pub torn_lines: u64,
    /// The log ends with the first part of the record that would come next: a process was killed, or is writing
    /// now. With anything else at its end the log is bad.
    pub partial_tail: bool,
    /// The first line that is not as it was written; nothing after it was looked at.
    pub bad: Option<BadLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    pub file: PathBuf,
    /// From 1.
    pub line: u64,
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no record, and no record says that it was left unfinished.
    NoRecord,
    /// Its hash is not that of its content: it was changed.
    Changed,
    /// It does not follow the line before: a line was removed, added or moved there.
    OutOfPlace,
    /// The log begins with it, but it begins neither a chain nor a file of one: lines before were removed.
    NoBeginning,
    /// An anchor told another hash of the line with this number.
    NotAnchored,
    /// The log ends before it, and an anchor tells of the line with this number: the end was cut off.
    CutOff { anchor_seq: u64 },
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.bad.is_none()
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file.display(), self.line)?;
        match self.fault {
            Fault::NoRecord => f.write_str("this is no record"),
            Fault::Changed => f.write_str("the line was changed"),
            Fault::OutOfPlace => f.write_str("a line was removed, added or moved before this one"),
            Fault::NoBeginning => f.write_str("the lines before this one were removed"),
            Fault::NotAnchored => f.write_str("the line is not the one that an anchor tells of"),
            Fault::CutOff { anchor_seq } => {
                write!(f, "the end was cut off: an anchor tells of record {anchor_seq}")
            }
        }
    }
}

/// Follows the chain through the log at `path` and the files it was renamed to (`.1`, `.2`…), and
/// compares it with the anchors in the file beside it. Edited, removed, added and moved lines are found,
/// and an end that was cut off up to the last anchor. What no chain can tell: that lines after the last
/// anchor are gone, that the oldest files are gone, and that somebody who can write to both the log and
/// the anchors made both anew.
pub fn verify(path: &Path) -> io::Result<Report> {
    verify_with(path, &[])
}

/// As [`verify`], with anchors that were kept elsewhere: the number of a record and its hash.
pub fn verify_with(path: &Path, kept: &[(u64, String)]) -> io::Result<Report> {
    let mut anchors = anchor::read(path)?;
    anchors.extend(kept.iter().map(|(seq, hash)| Told { seq: *seq, hash: hash.clone() }));
    let mut walk = Walk::new(anchors);
    for file in files(path)? {
        walk.file(&file)?;
        if walk.report.bad.is_some() {
            return Ok(walk.report);
        }
    }
    walk.end();
    Ok(walk.report)
}

/// The files of the log, oldest first.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let prefix = path.file_name().map(|name| format!("{}.", name.to_string_lossy())).unwrap_or_default();
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        numbers.extend(name.to_string_lossy().strip_prefix(&prefix).and_then(number));
    }
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let mut files: Vec<PathBuf> = numbers.into_iter().map(|number| numbered(path, number)).collect();
    // Between the renaming of a file and the first line of the next there is none.
    if files.is_empty() || path.exists() {
        files.push(path.to_owned());
    }
    Ok(files)
}

fn number(end: &str) -> Option<u32> {
    end.parse().ok().filter(|number: &u32| number.to_string() == end)
}

struct Walk {
    report: Report,
    /// By number; more than one may be told of the same.
    anchors: HashMap<u64, Vec<String>>,
    head: Option<Head>,
    place: (PathBuf, u64),
    torn: Option<Torn>,
}

/// Lines that are no records, since the last that is.
struct Torn {
    place: (PathBuf, u64),
    lines: u64,
    bytes: u64,
    /// The first of them that cannot be a part of the next record.
    odd: Option<(PathBuf, u64)>,
}

impl Walk {
    fn new(told: Vec<Told>) -> Self {
        let mut anchors: HashMap<u64, Vec<String>> = HashMap::new();
        told.into_iter().for_each(|Told { seq, hash }| anchors.entry(seq).or_default().push(hash));
        Self { report: Report::default(), anchors, head: None, place: (PathBuf::new(), 0), torn: None }
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        self.report.files.push(path.to_owned());
        self.place = (path.to_owned(), 0);
        let mut reader = BufReader::new(disk::open_regular(path)?);
        let mut line = Vec::new();
        while self.report.bad.is_none() {
            line.clear();
            (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                break;
            }
            self.place.1 += 1;
            self.line(line.strip_suffix(b"\n").unwrap_or(&line));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) {
        match Link::read(line) {
            Ok(link) => self.link(&link),
            Err(Unsealed::WrongHash) => self.bad(Fault::Changed),
            Err(Unsealed::NoRecord) => {
                let torn = Torn { place: self.place.clone(), lines: 0, bytes: 0, odd: None };
                let torn = self.torn.get_or_insert(torn);
                torn.lines += 1;
                torn.bytes += line.len() as u64;
                // A killed process may have been torn as well when it went on after another.
                if torn.odd.is_none() && !chain::is_beginning(line, self.head.as_ref()) {
                    torn.odd = Some(self.place.clone());
                }
            }
        }
    }

    fn link(&mut self, link: &Link) {
        if let Some(Torn { place, lines, bytes, .. }) = self.torn.take() {
            let told = matches!(link.operation.as_str(), "torn" | "rotate")
                && link.counts.get("lines") == Some(&lines)
                && link.counts.get("bytes") == Some(&bytes);
            if !told {
                self.place = place;
                return self.bad(Fault::NoRecord);
            }
            self.report.torn_lines += lines;
        }
        let begins = link.follows(&Head::default()) || link.operation == "rotate";
        match &self.head {
            None if !begins => return self.bad(Fault::NoBeginning),
            Some(head) if !link.follows(head) => return self.bad(Fault::OutOfPlace),
            _ => {}
        }
        if let Some(told) = self.anchors.get(&link.seq) {
            if told.iter().any(|hash| *hash != link.hash) {
                return self.bad(Fault::NotAnchored);
            }
            self.report.anchors += told.len() as u64;
        }
        if self.head.is_none() {
            self.report.first_seq = link.seq;
        }
        self.report.records += 1;
        self.report.last_seq = link.seq;
        self.report.last_hash.clone_from(&link.hash);
        self.head = Some(link.head());
    }

    fn end(&mut self) {
        if let Some(Torn { odd, .. }) = self.torn.take() {
            if let Some(place) = odd {
                self.place = place;
                return self.bad(Fault::NoRecord);
            }
            self.report.partial_tail = true;
        }
        let last = self.report.last_seq;
        if let Some(anchor_seq) = self.anchors.keys().copied().filter(|seq| *seq > last).max() {
            self.place.1 += 1;
            self.bad(Fault::CutOff { anchor_seq });
        }
    }

    fn bad(&mut self, fault: Fault) {
        let (file, line) = self.place.clone();
        self.report.bad = Some(BadLine { file, line, fault });
    }
}
