use std::fmt;

use crate::glob::{self, Token};
use crate::path_pattern::PathPattern;
use crate::text::{self, Word};

/// A program and its arguments, one pattern for each.
///
/// `*` alone is any one argument, a final `**` the rest, `*` and `?` inside a word stay in that
/// argument. No shell ever sees them. A wildcard also matches an argument that starts with `-`, so
/// whoever must not give options writes `--` before it, for a program that heeds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProgramPattern {
    program: String,
    args: Vec<Vec<Token>>,
    /// Whether more arguments may follow.
    rest: bool,
}

pub(crate) const ARGS_MAX: usize = 1_024;
pub(crate) const ARGS_BYTES_MAX: usize = 131_072;
/// Of an argument that meets a pattern with a wildcard and more: times `GLOB_CHARS_MAX` the steps of
/// the worst match.
const GLOB_ARG_BYTES_MAX: usize = 4_096;
const GLOB_CHARS_MAX: usize = 100;

impl ProgramPattern {
    pub fn parse(words: &[Word]) -> Result<Self, String> {
        let (program, args) = words.split_first().ok_or("a program is named by its absolute path")?;
        let path = PathPattern::parse(&program.text)
            .map_err(|why| format!("the program {}: {why}", text::one_line(&program.text)))?;
        let exact = path.exact().ok_or("the program is one exact path, without wildcards")?;
        let (rest, args) = match args.split_last() {
            Some((last, before)) if last.text == "**" => (true, before),
            _ => (false, args),
        };
        if args.iter().any(|arg| arg.text == "**") {
            return Err("`**` stands only at the end: it is all further arguments".into());
        }
        let args = args.iter().map(|arg| glob::parse(&arg.text)).collect::<Result<Vec<_>, _>>()?;
        if args.len() > ARGS_MAX {
            return Err(format!("a program has at most {ARGS_MAX} arguments here"));
        }
        if args.iter().filter(|arg| is_partial(arg)).map(Vec::len).sum::<usize>() > GLOB_CHARS_MAX {
            return Err(format!(
                "the arguments with a wildcard have at most {GLOB_CHARS_MAX} characters together"
            ));
        }
        Ok(Self { program: exact, args, rest })
    }

    pub fn program(&self) -> &str {
        &self.program
    }

    /// The first argument, if it is without a wildcard.
    pub fn first_arg(&self) -> Option<String> {
        glob::literal(self.args.first()?)
    }

    /// The same of another program.
    pub fn of(&self, program: String) -> Self {
        Self { program, ..self.clone() }
    }

    /// Whether it covers the program with these arguments. Arguments with a NUL, and more of them than
    /// [`ARGS_MAX`] or [`ARGS_BYTES_MAX`], are covered by nothing. Each pattern meets one argument.
    pub fn covers(&self, program: &str, args: &[String]) -> bool {
        are_bounded(args) && self.meets(program, args, arg_matches)
    }

    /// Whether a ban of it touches the program with these arguments: one too long to be looked at is
    /// held for a match.
    pub fn touches(&self, program: &str, args: &[String]) -> bool {
        self.meets(program, args, |pattern, arg| is_too_long(pattern, arg) || arg_matches(pattern, arg))
    }

    fn meets(&self, program: &str, args: &[String], arg_meets: impl Fn(&[Token], &str) -> bool) -> bool {
        self.program == program
            && (args.len() == self.args.len() || (self.rest && args.len() > self.args.len()))
            && self.args.iter().zip(args).all(|(pattern, arg)| arg_meets(pattern, arg))
    }

    /// Whether it covers all that the other covers: never wrongly true, and exact where it has no `?`.
    pub fn includes(&self, other: &ProgramPattern) -> bool {
        let count = self.args.len();
        self.program == other.program
            && if self.rest { other.args.len() >= count } else { other.args.len() == count && !other.rest }
            && self.args.iter().zip(&other.args).all(|(wide, narrow)| match glob::literal(narrow) {
                Some(arg) => arg_matches(wide, &arg),
                None => glob::includes(wide, narrow),
            })
    }

    /// Program and arguments, if no wildcard is in them.
    pub fn exact(&self) -> Option<(String, Vec<String>)> {
        let args = self.args.iter().map(|arg| glob::literal(arg)).collect::<Option<_>>()?;
        (!self.rest).then(|| (self.program.clone(), args))
    }
}

fn are_bounded(args: &[String]) -> bool {
    args.len() <= ARGS_MAX
        && args.iter().map(String::len).sum::<usize>() <= ARGS_BYTES_MAX
        && !args.iter().any(|arg| arg.contains('\0'))
}

fn arg_matches(pattern: &[Token], arg: &str) -> bool {
    is_whole(pattern) || (!is_too_long(pattern, arg) && glob::matches(pattern, arg))
}

fn is_too_long(pattern: &[Token], arg: &str) -> bool {
    is_partial(pattern) && arg.len() > GLOB_ARG_BYTES_MAX
}

/// Whether it is `*` alone.
fn is_whole(pattern: &[Token]) -> bool {
    pattern == [Token::Run]
}

/// Whether it has a wildcard and something else.
fn is_partial(pattern: &[Token]) -> bool {
    !is_whole(pattern) && pattern.iter().any(|token| !matches!(token, Token::Char(_)))
}

impl fmt::Display for ProgramPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::word(&text::escape(&self.program, glob::SPECIAL)))?;
        for arg in &self.args {
            let mut printed = String::new();
            glob::print(arg, &mut printed)?;
            write!(f, " {}", text::word(&printed))?;
        }
        f.write_str(if self.rest { " **" } else { "" })
    }
}
