use std::fmt;

use super::label_pattern::label;

const ACTIONS_MAX: usize = 64;

/// A capability of the host's own: its name, with `custom.` before it, and what it allows, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CustomActions {
    pub name: String,
    actions: Vec<String>,
}

impl CustomActions {
    /// Reads `custom.billing` and `charge,refund`.
    pub fn parse(name: &str, list: &str) -> Result<Self, String> {
        label(name.strip_prefix("custom.").unwrap_or(name))?;
        let mut actions = list.split(',').map(label).collect::<Result<Vec<_>, _>>()?;
        actions.sort();
        if let Some(twice) = actions.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} stands twice: write it once", twice[0]));
        }
        if actions.len() > ACTIONS_MAX {
            return Err(format!("a custom capability has at most {ACTIONS_MAX} actions"));
        }
        Ok(Self { name: name.to_owned(), actions })
    }

    pub fn covers(&self, name: &str, action: &str) -> bool {
        self.name.strip_prefix("custom.") == Some(name) && self.actions.iter().any(|own| own == action)
    }

    pub fn includes(&self, other: &CustomActions) -> bool {
        self.name == other.name && other.actions.iter().all(|action| self.actions.contains(action))
    }

    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// The action, if there is one alone.
    pub fn exact(&self) -> Option<&str> {
        if let [action] = self.actions.as_slice() { Some(action) } else { None }
    }
}

impl fmt::Display for CustomActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.actions.join(","))
    }
}
