//! Declarations of children: what a scenario says of them before anything starts.

use std::collections::HashMap;

use airwasm::{ActorSpec, ChildSpec, HostExecutor, SupervisorSpec};

use crate::behaviours::{self, Place};

/// One child; a spec can be made of it as often as needed.
pub enum Declaration {
    Guest(ActorSpec),
    Host(ActorSpec, String),
    Supervisor(Box<Top>),
}

/// A supervisor and the aliases of its children.
pub struct Top {
    pub spec: SupervisorSpec,
    pub children: Vec<String>,
}

/// Declarations by their aliases.
#[derive(Default)]
pub struct Declarations(HashMap<String, Declaration>);

impl Declarations {
    pub fn add(&mut self, alias: String, declaration: Declaration) {
        self.0.insert(alias, declaration);
    }

    fn get(&self, alias: &str) -> &Declaration {
        self.0.get(alias).unwrap_or_else(|| panic!("no child {alias} is declared"))
    }

    pub fn child(&self, alias: &str, place: &Place) -> ChildSpec {
        match self.get(alias) {
            Declaration::Guest(spec) => spec.clone().into(),
            Declaration::Host(spec, behaviour) => {
                let handler = behaviours::handler(behaviour.clone(), place.clone());
                ChildSpec::Host(spec.clone(), HostExecutor::Callback, handler)
            }
            Declaration::Supervisor(top) => self.supervisor(top, place).into(),
        }
    }

    pub fn supervisor(&self, top: &Top, place: &Place) -> SupervisorSpec {
        let Top { spec, children } = top;
        let SupervisorSpec { strategy, intensity, period, backoff, give_up, auto_shutdown, restart, .. } =
            *spec;
        let children = children.iter().map(|alias| self.child(alias, place)).collect();
        let name = spec.name.clone();
        SupervisorSpec {
            name,
            strategy,
            intensity,
            period,
            backoff,
            give_up,
            auto_shutdown,
            restart,
            children,
        }
    }

    /// The alias and the name of a child and of all below it.
    pub fn names(&self, alias: &str) -> Vec<(String, String)> {
        let (name, below) = match self.get(alias) {
            Declaration::Guest(spec) | Declaration::Host(spec, _) => (spec.name.clone(), &[][..]),
            Declaration::Supervisor(top) => (Some(top.spec.name.clone()), &top.children[..]),
        };
        let own = (alias.to_owned(), name.expect("a child has a name"));
        std::iter::once(own).chain(below.iter().flat_map(|alias| self.names(alias))).collect()
    }
}
