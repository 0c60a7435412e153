//! The Python host of airwasm: PyO3 over the facade, nothing else.
//!
//! Defaults, checks, parsers and texts are the core's. What lives here is how Python waits: without the GIL, with an
//! ear for Ctrl-C, and in asyncio through one wake-up descriptor per loop.

#![deny(unsafe_code)]

mod actor;
mod asker;
mod audit;
mod awaitable;
mod background;
mod component;
mod convert;
mod ending;
mod errors;
mod events;
mod grant;
mod handler;
mod hang;
mod helper;
mod homes;
mod info;
mod limits;
mod loops;
mod message;
mod policy;
mod queue;
mod service;
mod shared;
mod spec;
mod subscription;
mod supervision;
mod supervisor;
mod supervisor_spec;
mod system;
mod timer;
mod turns;
mod wait;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _airwasm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::add(module)?;
    module.add("UNLIMITED", airwasm::UNLIMITED)?;
    module.add("__version__", airwasm::System::version())?;
    // Not among the names that `import *` takes.
    module.setattr("_compile_helper", wrap_pyfunction!(helper::_compile_helper, module)?)?;
    module.add_class::<system::System>()?;
    module.add_class::<component::Component>()?;
    module.add_class::<component::ComponentInfo>()?;
    module.add_class::<actor::Actor>()?;
    module.add_class::<grant::Grant>()?;
    module.add_class::<grant::GrantInfo>()?;
    module.add_class::<grant::Capability>()?;
    module.add_class::<spec::ActorSpec>()?;
    module.add_class::<spec::HostSpec>()?;
    module.add_class::<supervisor::Supervisor>()?;
    module.add_class::<supervisor_spec::SupervisorSpec>()?;
    module.add_class::<supervisor_spec::Backoff>()?;
    module.add_class::<subscription::Subscription>()?;
    module.add_class::<timer::Timer>()?;
    module.add_class::<limits::Limits>()?;
    module.add_class::<limits::Budget>()?;
    module.add_class::<message::Message>()?;
    module.add_class::<events::Events>()?;
    module.add_class::<events::Event>()?;
    module.add_class::<info::ActorStatus>()?;
    module.add_class::<supervision::TreeNode>()?;
    module.add_class::<supervision::Down>()?;
    module.add_class::<supervision::DeadLetter>()?;
    module.add_class::<policy::Explanation>()?;
    module.add_class::<policy::PolicyReport>()?;
    module.add_class::<audit::AuditOptions>()?;
    module.add_class::<audit::AuditReport>()?;
    module.add_class::<info::Stats>()?;
    module.add_class::<info::RegionInfo>()?;
    module.add_class::<info::CloseReport>()
}
