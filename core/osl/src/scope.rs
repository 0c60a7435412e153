use std::fmt;

use crate::actor_pattern::ActorPattern;
use crate::name::Name;
use crate::path_pattern::PathPattern;
use crate::text;

/// What a capability reaches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    None,
    Path(PathPattern),
    Actor(ActorPattern),
}

impl Scope {
    pub fn parse(name: Name, word: Option<&str>) -> Result<Self, String> {
        let need =
            |example: &str| word.ok_or(format!("it names what it reaches, as in {} {example}", name.text()));
        match name {
            Name::FsRead | Name::FsList => Ok(Scope::Path(PathPattern::parse(need("/data/**")?)?)),
            Name::MessageSend | Name::MessageRequest => {
                Ok(Scope::Actor(ActorPattern::parse(need("tools/*/*")?)?))
            }
            Name::Clock | Name::Random | Name::Stdio if word.is_none() => Ok(Scope::None),
            Name::Clock | Name::Random | Name::Stdio => {
                Err(format!("{0} has no scope: write {0} alone", name.text()))
            }
        }
    }
}

/// The scope as it follows the name: with a space before it, or nothing.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::None => Ok(()),
            Scope::Path(pattern) => write!(f, " {}", text::word(&pattern.to_string())),
            Scope::Actor(pattern) => write!(f, " {pattern}"),
        }
    }
}
