use std::fmt;

const TOPIC_BYTES_MAX: usize = 255;
const TOPIC_PARTS_MAX: usize = 32;

/// Which topics a grant reaches: parts between dots, `*` for one part, a final `**` for one or more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TopicPattern(String);

impl TopicPattern {
    /// Reads a topic, or a pattern of topics; a final `>` is another spelling of `**`.
    pub fn parse(text: &str) -> Result<Self, String> {
        flaw(text).map_or(Ok(()), Err)?;
        let start = text.strip_suffix('>');
        Ok(Self(start.map_or_else(|| text.to_owned(), |start| format!("{start}**"))))
    }

    /// Whether it covers the topic, or all topics of a pattern: what is subscribed to may be one.
    /// Exact, linear in the two lengths, and without allocation.
    pub fn covers(&self, topics: &str) -> bool {
        flaw(topics).is_none()
            && self.meets(topics, |wide, narrow| wide == narrow || (wide == "*" && !is_rest(narrow)))
    }

    /// Whether any topic is covered by both: a ban touches each pattern that could meet it.
    pub fn overlaps(&self, topics: &str) -> bool {
        let mut theirs = topics.split('.');
        if flaw(topics).is_some() {
            return false;
        }
        for own in self.0.split('.') {
            match (own, theirs.next()) {
                (_, None) => return false,
                (own, Some(their)) if is_rest(own) || is_rest(their) => return true,
                (own, Some(their)) if own == their || own == "*" || their == "*" => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    fn meets(&self, topics: &str, part: impl Fn(&str, &str) -> bool) -> bool {
        let mut theirs = topics.split('.');
        for own in self.0.split('.') {
            match theirs.next() {
                Some(_) if is_rest(own) => return true,
                Some(their) if part(own, their) => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    pub fn includes(&self, other: &TopicPattern) -> bool {
        self.covers(&other.0)
    }

    /// The parts before the first wildcard, `depth_max` at most, and how many they are.
    pub fn literal_front(&self, depth_max: u8) -> (u8, &str) {
        let (mut depth, mut end) = (0, 0);
        for part in self.0.split('.').take_while(|part| !part.starts_with('*')).take(depth_max.into()) {
            end += part.len() + usize::from(depth > 0);
            depth += 1;
        }
        (depth, &self.0[..end])
    }

    /// Whether it is one topic.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }
}

/// Whether the text is one topic, without a wildcard.
pub(crate) fn is_topic(text: &str) -> bool {
    flaw(text).is_none() && !text.contains(['*', '>'])
}

fn is_rest(part: &str) -> bool {
    matches!(part, "**" | ">")
}

/// What is wrong with a pattern of topics.
fn flaw(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > TOPIC_BYTES_MAX {
        return Some(format!("a topic has 1 to {TOPIC_BYTES_MAX} bytes"));
    }
    let count = text.split('.').count();
    if count > TOPIC_PARTS_MAX {
        return Some(format!("a topic has at most {TOPIC_PARTS_MAX} parts"));
    }
    text.split('.').enumerate().find_map(|(at, part)| match part {
        "*" => None,
        _ if is_rest(part) && at + 1 == count => None,
        _ if is_rest(part) => Some(format!("`{part}` stands only at the end, as in news.**")),
        "" => Some("no part of a topic is empty: one dot stands between two parts".into()),
        _ if part.contains(['*', '>']) => {
            Some("a wildcard is a whole part of a topic: `*` for one, a final `**` for the rest".into())
        }
        _ if !part.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some("a topic is visible ASCII, without spaces".into())
        }
        _ => None,
    })
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
