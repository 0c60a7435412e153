use std::fmt;

const NAME_BYTES_MAX: usize = 255;
const NAMES_MAX: usize = 256;

/// Names of environment variables, sorted, each a whole name or the front of one: `LANG,APP_*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct EnvNames(Vec<EnvPattern>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct EnvPattern {
    front: String,
    open: bool,
}

impl EnvNames {
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut names = list.split(',').map(EnvPattern::parse).collect::<Result<Vec<_>, _>>()?;
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} stands twice: write it once", twice[0]));
        }
        if names.len() > NAMES_MAX {
            return Err(format!("a list has at most {NAMES_MAX} names"));
        }
        Ok(Self(names))
    }

    /// The same for a program: names that would make its loader or its interpreter run other code are
    /// refused, and covered by nothing even where a `*` would match them.
    pub fn parse_for_program(list: &str) -> Result<Self, String> {
        let names = Self::parse(list)?;
        match names.0.iter().find(|name| steers_programs(&name.front)) {
            Some(name) => Err(format!("{name} makes a program run other code: leave it out")),
            None => Ok(names),
        }
    }

    /// Whether one of the names covers this one. At most names × the length of one.
    pub fn covers(&self, name: &str) -> bool {
        is_name(name) && self.0.iter().any(|pattern| pattern.covers(name))
    }

    /// Whether all of these may be given to a program; the same, and nothing that steers it.
    pub fn cover_for_program(&self, names: &[String]) -> bool {
        names.len() <= NAMES_MAX && names.iter().all(|name| self.covers(name) && !steers_programs(name))
    }

    /// Shows each name, or its front where it is open.
    pub fn each(&self, mut show: impl FnMut(&str, bool)) {
        self.0.iter().for_each(|name| show(&name.front, name.open));
    }

    /// Whether each name that the other covers is covered by one of these.
    pub fn includes(&self, other: &EnvNames) -> bool {
        other.0.iter().all(|narrow| self.0.iter().any(|wide| wide.includes(narrow)))
    }

    /// The names, if none has a wildcard.
    pub fn exact(&self) -> Option<Vec<String>> {
        self.0.iter().map(|name| (!name.open).then(|| name.front.clone())).collect()
    }
}

impl EnvPattern {
    fn parse(text: &str) -> Result<Self, String> {
        let front = text.strip_suffix('*').unwrap_or(text);
        let open = front.len() < text.len();
        if (open && front.is_empty()) || is_name(front) {
            return Ok(Self { front: front.to_owned(), open });
        }
        Err(match text {
            "" => "a name is missing in the list: write names with a comma between, as in LANG,TZ".into(),
            _ if front.contains('*') => "`*` stands only at the end of a name, as in APP_*".into(),
            _ => {
                format!("{text:?} is no name of a variable: use letters, digits and `_`, as in LANG or APP_*")
            }
        })
    }

    fn covers(&self, name: &str) -> bool {
        if self.open { name.starts_with(&self.front) } else { name == self.front }
    }

    fn includes(&self, other: &EnvPattern) -> bool {
        self == other || (self.open && other.front.starts_with(&self.front))
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_BYTES_MAX
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Fronts of names that the dynamic loader, libc or an interpreter takes code, paths or options from.
const STEERING_FRONTS: &[&str] = &["LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG"];
const STEERING: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "CLASSPATH",
    "EDITOR",
    "ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GLIBC_TUNABLES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSOPEN",
    "LOCPATH",
    "LUA_INIT",
    "MANPAGER",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NLSPATH",
    "PAGER",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PERLLIB",
    "PHPRC",
    "PROMPT_COMMAND",
    "PS4",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RES_OPTIONS",
    "RUBYLIB",
    "RUBYOPT",
    "SHELLOPTS",
    "TCLLIBPATH",
    "VISUAL",
    "_JAVA_OPTIONS",
];

/// Whether a program that finds the variable in its environment may run other code because of it.
fn steers_programs(name: &str) -> bool {
    STEERING.contains(&name) || STEERING_FRONTS.iter().any(|front| name.starts_with(front))
}

impl fmt::Display for EnvPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.front, if self.open { "*" } else { "" })
    }
}

impl fmt::Display for EnvNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}{name}", if index > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}
