//! Host functions: each translates, asks osl or rt, and nothing else.

mod asks;
mod baseline;
mod capability;
mod config;
mod datagrams;
mod descriptor;
mod desk;
mod environment;
mod filesystem;
mod http;
mod http_code;
mod http_io;
pub(crate) mod hub;
pub(crate) mod imports;
mod keyvalue;
mod life;
mod logging;
mod lookup;
mod messaging;
mod network;
mod opening;
mod process;
mod programs;
mod race;
mod regions;
mod serving;
mod sink;
mod state;
mod stdio;
mod stream;
mod tcp;
mod tcp_io;
mod tls;
mod turns;
mod udp;

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::cli::WasiCli;
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem as fs, random, sockets};

pub(crate) use self::asks::Asks;
pub(crate) use self::desk::{Desk, Handing, NotHanded, Ungrantable};
pub(crate) use self::life::{Access, ERRANDS_MAX, Life, Lives, Living};
pub(crate) use self::network::Outside;
pub(crate) use self::programs::{Belongs, KEPT_PROGRAMS_MAX, NotKept, Programs};
pub(crate) use self::race::race;
pub(crate) use self::regions::{COPY_BYTES_MAX, Owner, Region, Regions, Trouble};
pub(crate) use self::serving::{Counted, EXCHANGES_MAX, Serving, Site, tell_failed};
pub(crate) use self::state::{Grounds, Ports, Refusals, State};
pub(crate) use self::tls::Trust;
pub(crate) use self::turns::{Turn, Turns};
use crate::types::error::{Code, Error, Result};

/// Puts every interface that the host implements into a linker. All of them link always and deny at use.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    add_all(linker)
        .map_err(|why| Error::new(Code::Internal, format!("the host interfaces do not link: {why:#}")))
}

fn add_all(l: &mut Linker<State>) -> wasmtime::Result<()> {
    type Ours = HasSelf<State>;
    messaging::bindings::airssys::wasm::messaging::add_to_linker::<State, Ours>(l, State::called)?;
    messaging::bindings::airssys::wasm::capability::add_to_linker::<State, Ours>(l, State::called)?;
    messaging::bindings::airssys::wasm::process::add_to_linker::<State, Ours>(l, State::called)?;
    regions::bindings::airssys::wasm::regions::add_to_linker::<State, Ours>(l, State::called)?;
    fs::types::add_to_linker::<State, Ours>(l, State::called)?;
    fs::preopens::add_to_linker::<State, Ours>(l, State::called)?;
    cli::environment::add_to_linker::<State, Ours>(l, State::called)?;
    clocks::wall_clock::add_to_linker::<State, Ours>(l, State::called)?;
    clocks::monotonic_clock::add_to_linker::<State, Ours>(l, State::called)?;
    random::random::add_to_linker::<State, Ours>(l, State::called)?;
    random::insecure::add_to_linker::<State, Ours>(l, State::called)?;
    random::insecure_seed::add_to_linker::<State, Ours>(l, State::called)?;
    sockets::ip_name_lookup::add_to_linker::<State, Ours>(l, State::called)?;
    sockets::tcp_create_socket::add_to_linker::<State, Ours>(l, State::called)?;
    sockets::udp_create_socket::add_to_linker::<State, Ours>(l, State::called)?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<State, Ours>(l, &options, State::called)?;
    sockets::instance_network::add_to_linker::<State, Ours>(l, State::called)?;
    sockets::tcp::add_to_linker::<State, Ours>(l, State::called)?;
    sockets::udp::add_to_linker::<State, Ours>(l, State::called)?;
    config::add_to_linker(l)?;
    logging::add_to_linker(l)?;
    keyvalue::bindings::wasi::keyvalue::store::add_to_linker::<State, Ours>(l, State::called)?;
    keyvalue::bindings::wasi::keyvalue::atomics::add_to_linker::<State, Ours>(l, State::called)?;
    keyvalue::bindings::wasi::keyvalue::batch::add_to_linker::<State, Ours>(l, State::called)?;
    add_theirs(l)
}

/// What wasmtime-wasi does itself: io and polling, cli, and the types of http up to what is sent.
fn add_theirs(l: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_io::bindings::wasi::io::error::add_to_linker::<State, state::Table>(
        l,
        State::called_table,
    )?;
    wasmtime_wasi_io::bindings::wasi::io::poll::add_to_linker::<State, state::Table>(l, State::called_table)?;
    wasmtime_wasi_io::bindings::wasi::io::streams::add_to_linker::<State, state::Table>(
        l,
        State::called_table,
    )?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::called_cli)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    http_code::add_to_linker(l)
}
