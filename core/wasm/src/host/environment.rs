//! Arguments and environment of a guest: what its spec says, and nothing of the host process.

use std::sync::Arc;

use airssys_osl::{Ask, Guard};
use wasmtime_wasi::p2::bindings::cli::environment;

use super::state::{Refusals, State};

const FUNCTION: &str = "wasi:cli/environment#get-environment";

/// The variables of one life, each shown while a live grant covers its name.
pub(crate) struct Environment {
    refusals: Arc<Refusals>,
    variables: Arc<[(String, String)]>,
    shown: Vec<Shown>,
}

/// What was decided about a variable, kept so that a guest that reads its environment over and over leaves one record.
#[derive(Clone)]
enum Shown {
    Unasked,
    Under(Guard),
    Hidden,
}

impl Environment {
    pub(crate) fn new(variables: Arc<[(String, String)]>, refusals: Arc<Refusals>) -> Self {
        let shown = vec![Shown::Unasked; variables.len()];
        Self { refusals, variables, shown }
    }

    fn granted(&mut self) -> Vec<(String, String)> {
        let Self { refusals, variables, shown } = self;
        let mut granted = Vec::new();
        for (variable, shown) in variables.iter().zip(shown) {
            *shown = decide(refusals, &variable.0, std::mem::replace(shown, Shown::Unasked));
            if matches!(shown, Shown::Under(_)) {
                granted.push(variable.clone());
            }
        }
        granted
    }
}

fn decide(refusals: &Refusals, name: &str, before: Shown) -> Shown {
    let ask = Ask::Env(name.to_owned());
    match before {
        Shown::Under(guard) if guard.alive().is_ok() => Shown::Under(guard),
        Shown::Hidden if !refusals.covers(&ask) => Shown::Hidden,
        _ => refusals.check_optional(&ask, FUNCTION).map_or(Shown::Hidden, Shown::Under),
    }
}

impl environment::Host for State {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.environment.granted())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.grounds.args.to_vec())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}
