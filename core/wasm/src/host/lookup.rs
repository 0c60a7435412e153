//! `wasi:sockets/ip-name-lookup` over osl: a name is resolved by the host, and what it leads to is checked.

use std::net::{IpAddr, Ipv6Addr};

use airssys_osl::{Capability, NetError};
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, HostResolveAddressStream, ResolveAddressStream as Theirs,
};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, poll_noop, spawn};

use super::descriptor::{Handle, push};
use super::network::code;
use super::state::State;

/// The addresses of a name, once they are known.
enum Lookup {
    Asking(AbortOnDropJoinHandle<Result<Vec<IpAddr>, NetError>>),
    /// Not told to anybody yet.
    Answered(Result<Vec<IpAddr>, NetError>),
    Found(std::vec::IntoIter<IpAddr>),
    Failed(ErrorCode),
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Lookup::Asking(task) = self {
            *self = Lookup::Answered(task.await);
        }
    }
}

impl ip_name_lookup::Host for State {
    fn resolve_addresses(&mut self, _: Resource<Network>, name: String) -> SocketResult<Resource<Theirs>> {
        let task = self.grounds.net.clone().look_up(move |network, deadline| {
            network.resolve(unbracketed(&name), deadline, "wasi:sockets/ip-name-lookup#resolve-addresses")
        });
        Ok(push(&mut self.table, Lookup::Asking(spawn(task)))?)
    }
}

impl HostResolveAddressStream for State {
    fn resolve_next_address(&mut self, stream: Resource<Theirs>) -> SocketResult<Option<IpAddress>> {
        let lookup = self.table.get_mut::<Lookup>(&stream.ours())?;
        if let Lookup::Asking(task) = lookup {
            let Some(answer) = poll_noop(std::pin::Pin::new(task)) else {
                return Err(ErrorCode::WouldBlock.into());
            };
            *lookup = Lookup::Answered(answer);
        }
        if let Lookup::Answered(answer) = lookup {
            match std::mem::replace(answer, Ok(Vec::new())) {
                Ok(addresses) => *lookup = Lookup::Found(addresses.into_iter()),
                Err(error) => {
                    *lookup = Lookup::Failed(failure(&error));
                    self.refusals.note_of(&error);
                }
            }
        }
        match self.table.get_mut::<Lookup>(&stream.ours())? {
            Lookup::Found(addresses) => Ok(addresses.next().map(IpAddress::from)),
            Lookup::Failed(code) => Err((*code).into()),
            Lookup::Asking(_) | Lookup::Answered(_) => Err(ErrorCode::WouldBlock.into()),
        }
    }

    fn subscribe(&mut self, stream: Resource<Theirs>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(&mut self.table, stream.ours::<Lookup>())
    }

    fn drop(&mut self, stream: Resource<Theirs>) -> wasmtime::Result<()> {
        self.table.delete::<Lookup>(stream.ours())?;
        Ok(())
    }
}

/// An address of IPv6 may come as URLs have it.
fn unbracketed(name: &str) -> &str {
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()).unwrap_or(name)
}

/// A lookup that took too long may do better the next time; what no capability can name is no name.
fn failure(error: &NetError) -> ErrorCode {
    match error {
        NetError::Timeout => ErrorCode::TemporaryResolverFailure,
        NetError::Denied(denial) if Capability::parse(&denial.capability).is_err() => {
            ErrorCode::InvalidArgument
        }
        error => code(error),
    }
}
