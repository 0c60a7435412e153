//! The arguments, variables and texts of a spec, checked before a guest is made.

use std::collections::HashSet;
use std::sync::Arc;

use airssys_osl::Ask;
use serde_json::Value;

use crate::types::error::{Error, Result};

const ARGS_MAX: usize = 1_024;
const VARIABLES_MAX: usize = 256;
/// Bytes of all arguments, and of all names and values.
const BYTES_MAX: usize = 64 << 10;

type Args = Arc<[String]>;
type Env = Arc<[(String, String)]>;

/// What a guest can be given, or which of it not.
pub(super) fn checked(args: &[String], env: &[(String, String)]) -> Result<(Args, Env)> {
    bounded("args", args.len(), ARGS_MAX, args.iter().map(String::len).sum())?;
    bounded("env", env.len(), VARIABLES_MAX, env.iter().map(|(name, value)| name.len() + value.len()).sum())?;
    if args.iter().any(|arg| arg.contains('\0')) {
        return Err(Error::argument("args", "an argument contains a NUL"));
    }
    let mut names = HashSet::new();
    for (name, value) in env {
        check_variable(name, value)?;
        if !names.insert(name) {
            return Err(Error::argument("env", format!("{name} stands twice")));
        }
    }
    Ok((args.into(), env.into()))
}

/// The texts of a config that is a JSON object, by name: what else it holds is for `pre-start` alone.
pub(super) fn texts(config: &str) -> Arc<[(String, String)]> {
    let Ok(Value::Object(members)) = serde_json::from_str(config) else { return Arc::default() };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    };
    members.into_iter().filter_map(text).collect()
}

fn bounded(which: &str, count: usize, count_max: usize, bytes: usize) -> Result<()> {
    if count > count_max {
        return Err(Error::argument(which, format!("{count} are more than {count_max}")));
    }
    if bytes > BYTES_MAX {
        return Err(Error::argument(which, format!("{bytes} bytes are more than {BYTES_MAX}")));
    }
    Ok(())
}

/// A name that no grant could ever cover is refused here, where it can be told.
fn check_variable(name: &str, value: &str) -> Result<()> {
    let ask = Ask::parse(&format!("env {name}"));
    if !ask.is_ok_and(|ask| matches!(&ask, Ask::Env(read) if read == name)) {
        return Err(Error::argument("env", format!("{name:?} is no name of a variable")));
    }
    match value.contains('\0') {
        true => Err(Error::argument("env", format!("the value of {name} contains a NUL"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_no_program_could_be_given_is_refused_by_name() {
        let long = "x".repeat(BYTES_MAX + 1);
        let refused_args = [vec!["a\0b".to_owned()], vec![long.clone()], vec![String::new(); ARGS_MAX + 1]];
        for args in refused_args {
            assert_eq!(checked(&args, &[]).expect_err("refused").text("which"), "args");
        }
        let refused_env: [&[(&str, &str)]; 8] = [
            &[("", "")],
            &[("A=B", "")],
            &[("A*", "")],
            &[("A,B", "")],
            &[("A ; ttl=1s", "")],
            &[("A", "b\0")],
            &[("A", "1"), ("A", "2")],
            &[("A", &long)],
        ];
        for pairs in refused_env {
            assert_eq!(checked(&[], &env(pairs)).expect_err("refused").text("which"), "env", "{pairs:?}");
        }
        checked(&[String::new(), "--".to_owned()], &env(&[("A", ""), ("_b2", "=")])).expect("fine");
    }

    #[test]
    fn of_a_config_the_texts_are_read_by_name() {
        let read = texts(r#"{"b":"2","n":1,"o":{"c":"3"},"a":"","b":"4","z":null}"#);
        assert_eq!(*read, *env(&[("a", ""), ("b", "4")]));
        assert!(["[]", "\"a\"", "1", "{}"].iter().all(|config| texts(config).is_empty()));
    }
}
