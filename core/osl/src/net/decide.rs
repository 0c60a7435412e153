//! Which addresses somebody may reach: nothing here touches the network.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::ask::Ask;
use crate::audit::Running;
use crate::denial::{Denial, DenialKind, Refusal};
use crate::endpoint::{Endpoint, Protocol};
use crate::grant::Guard;
use crate::name::Name;
use crate::net::NetError;
use crate::net::pins::Pins;
use crate::scope::address_class;
use crate::scope::url::{Host, Target};
use crate::set::CapabilitySet;

/// Addresses of one name that are looked at.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// An address that was decided, without the dress of another family, and the grant that allows it.
pub(crate) struct Route {
    pub address: SocketAddr,
    pub guard: Guard,
    /// The address as the audit tells of it.
    pub text: String,
}

/// Decides about the addresses of one actor, by its live grants and its pins.
#[derive(Clone)]
pub(crate) struct Decider {
    pub set: CapabilitySet,
    pins: Arc<Mutex<Pins>>,
}

impl Decider {
    pub fn new(set: CapabilitySet) -> Self {
        Self { set, pins: Arc::default() }
    }

    /// A literal address: a grant covers it, or covers a name that led to it lately.
    pub fn literal(
        &self,
        to: SocketAddr,
        protocol: Protocol,
        function: &str,
        now: Instant,
    ) -> Result<Route, Denial> {
        let address = SocketAddr::new(address_class::canonical(to.ip()), to.port());
        let asks = self.connections(address, protocol, now);
        let text = asks[0].capability_text();
        match self.set.covering(&asks) {
            Ok(guards) => Ok(Route { address, guard: first(guards), text }),
            Err(refusal) => Err(self.set.deny(refusal, text, function)),
        }
    }

    /// A connection to a literal address: to itself, and by each name that led to it lately.
    fn connections(&self, address: SocketAddr, protocol: Protocol, now: Instant) -> Vec<Ask> {
        let names = self.pins().names(address.ip(), now);
        let pinned = names.iter().map(|name| Endpoint::resolved(name, address, protocol));
        let literal = Endpoint::address(address, protocol);
        std::iter::once(literal).chain(pinned).map(Ask::NetConnect).collect()
    }

    /// A name that will be resolved and connected to.
    pub fn named(&self, name: &Endpoint, function: &str) -> Result<Guard, Denial> {
        self.covering(Ask::NetConnect(name.clone()), function)
    }

    /// Those of the addresses a name led to that may be reached, each decided alone; denied when none
    /// may. `guard` allowed the name.
    pub fn resolved(
        &self,
        name: &Endpoint,
        addresses: &[IpAddr],
        guard: &Guard,
        function: &str,
    ) -> Result<Vec<Route>, Denial> {
        let mut routes = Vec::new();
        let mut refused = None;
        for ip in addresses {
            let address = SocketAddr::new(address_class::canonical(*ip), name.port());
            let host = name.name().expect("only names are resolved");
            let ask = Ask::NetConnect(Endpoint::resolved(host, address, name.protocol()));
            match self.set.covering(std::slice::from_ref(&ask)) {
                Ok(guards) => {
                    let text = Endpoint::address(address, name.protocol());
                    let text = Ask::NetConnect(text).capability_text();
                    routes.push(Route { address, guard: first(guards), text });
                }
                Err(refusal) => drop(refused.get_or_insert((refusal, ask, address.ip()))),
            }
        }
        match refused {
            Some((refusal, ask, ip)) if routes.is_empty() => {
                // A grant that ended meanwhile is off the list, so only its guard says how.
                let kind = guard.alive().err().unwrap_or(refusal.kind);
                let refusal = match refusal.kind {
                    DenialKind::Forbidden => refusal,
                    _ => Refusal::because(kind, format!("{}: the name leads to {ip}", guard.rule())),
                };
                Err(self.set.deny(refusal, ask.capability_text(), function))
            }
            _ => Ok(routes),
        }
    }

    /// A request of http: the grants that cover it, at least one, and its record.
    pub fn request(&self, ask: &Ask, function: &str) -> Result<Vec<Guard>, Denial> {
        let text = ask.capability_text();
        match self.set.covering(std::slice::from_ref(ask)) {
            Ok(guards) => {
                self.set.allow(&guards[0], text, function);
                Ok(guards)
            }
            Err(refusal) => Err(self.set.deny(refusal, text, function)),
        }
    }

    /// Those of the addresses the host of a request, `to`, leads to that one of the grants that cover it permits, and at
    /// which no ban refuses the request or its connection; denied when there is none.
    pub fn permitted(
        &self,
        ask: &Ask,
        guards: &[Guard],
        to: &Endpoint,
        addresses: &[IpAddr],
        function: &str,
        now: Instant,
    ) -> Result<Vec<Route>, Denial> {
        let mut banned = None;
        let mut route = |ip: &IpAddr| {
            let address = SocketAddr::new(address_class::canonical(*ip), to.port());
            let mut asks = match to.name() {
                Some(name) => vec![Ask::NetConnect(Endpoint::resolved(name, address, to.protocol()))],
                None => self.connections(address, to.protocol(), now),
            };
            asks.push(at_address(ask, address.ip()));
            if let Some(refusal) = self.set.ban_of(&asks) {
                banned.get_or_insert(refusal);
                return None;
            }
            let permits = |guard: &&Guard| guard.alive().is_ok() && guard.capability().permits_address(*ip);
            let guard = guards.iter().find(permits)?.clone();
            let text = Ask::NetConnect(Endpoint::address(address, to.protocol())).capability_text();
            Some(Route { address, guard, text })
        };
        let routes: Vec<Route> = addresses.iter().filter_map(&mut route).collect();
        if !routes.is_empty() {
            return Ok(routes);
        }
        let mut text = ask.capability_text();
        if let Some(refusal) = banned {
            return Err(self.set.deny(refusal, text, function));
        }
        let ended: Result<Vec<()>, DenialKind> = guards.iter().map(Guard::alive).collect();
        let refusal = match (ended, addresses.first()) {
            (Ok(_), Some(ip)) => {
                if address_class::class(*ip).is_reachable_by_name(true) {
                    text.push_str(" ; private=yes");
                }
                let rule = format!("{}: the name leads to {ip}", guards[0].rule());
                Refusal::because(DenialKind::NotGranted, rule)
            }
            (ended, _) => ended.err().unwrap_or(DenialKind::NotGranted).into(),
        };
        Err(self.set.deny(refusal, text, function))
    }

    /// A name, or a literal address, whose addresses somebody wants to know.
    pub fn resolve(&self, host: &str, function: &str) -> Result<Guard, Denial> {
        self.covering(Ask::NetResolve(host.to_owned()), function)
    }

    /// Those of the addresses a name led to that may be told, which from `now` on are pinned to it; denied
    /// when none may. `guard` allowed the name.
    pub fn told(
        &self,
        name: &str,
        addresses: &[IpAddr],
        guard: &Guard,
        function: &str,
        now: Instant,
    ) -> Result<Vec<IpAddr>, Denial> {
        let ask = Ask::NetResolve(name.to_owned());
        let guards = self.set.covering(std::slice::from_ref(&ask)).unwrap_or_default();
        let may_be_told = |ip: &IpAddr| guards.iter().any(|guard| tells(guard, *ip));
        let told: Vec<IpAddr> =
            addresses.iter().map(|ip| address_class::canonical(*ip)).filter(may_be_told).collect();
        if let (true, Some(ip)) = (told.is_empty(), addresses.first()) {
            let kind = guard.alive().err().unwrap_or(DenialKind::NotGranted);
            let rule = format!("{}: the name leads to {ip}", guard.rule());
            return Err(self.set.deny(Refusal::because(kind, rule), ask.capability_text(), function));
        }
        self.pins().add(name, &told, now);
        Ok(told)
    }

    /// The destination of a datagram, with its record.
    pub fn datagram(&self, to: SocketAddr, function: &str, now: Instant) -> Result<Route, NetError> {
        if to.port() == 0 {
            return Err(NetError::PortZero);
        }
        let route = self.literal(to, Protocol::Udp, function, now)?;
        self.set.allow(&route.guard, route.text.clone(), function);
        Ok(route)
    }

    /// The first grant that covers the ask; nothing is recorded but a refusal.
    pub fn covering(&self, ask: Ask, function: &str) -> Result<Guard, Denial> {
        let decided = self.set.covering(std::slice::from_ref(&ask));
        decided.map(first).map_err(|refusal| self.set.deny(refusal, ask.capability_text(), function))
    }

    fn pins(&self) -> MutexGuard<'_, Pins> {
        // No code that runs under this lock can leave it half changed.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a grant that covers resolving a name tells that it leads to the address: what may be connected
/// to, and under `net.resolve`, which says nothing of private ones, what is public.
fn tells(guard: &Guard, ip: IpAddr) -> bool {
    match guard.capability().parts().0 {
        Name::NetResolve => address_class::class(ip).is_reachable_by_name(false),
        _ => guard.capability().permits_address(ip),
    }
}

/// The same request by the address that its host leads to.
fn at_address(ask: &Ask, ip: IpAddr) -> Ask {
    match ask {
        Ask::Http { method, url } => {
            let target = Target::parse(url).expect("what is no URL is covered by nothing");
            let url = Target { host: Host::Address(ip), ..target }.to_string();
            Ask::Http { method: method.clone(), url }
        }
        other => other.clone(),
    }
}

fn first(guards: Vec<Guard>) -> Guard {
    guards.into_iter().next().expect("covering gives at least one")
}

/// Something that a guard allows, and how the audit tells of it.
pub(crate) struct Step<'a> {
    pub operation: &'static str,
    pub guard: &'a Guard,
    pub text: &'a str,
    pub function: &'a str,
}

impl Step<'_> {
    /// Records its start.
    pub fn begin(&self, set: &CapabilitySet) -> Running {
        self.guard.count(None);
        set.begin(self.operation, self.guard, self.text, self.function)
    }

    /// Records its start, does it, and records its result.
    pub fn run<T>(
        &self,
        set: &CapabilitySet,
        act: impl FnOnce(&Running) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        let running = self.begin(set);
        let done = act(&running);
        match &done {
            Ok(_) => running.finish(Ok(())),
            Err(error) => running.finish(Err(&error.to_string())),
        }
        done
    }
}
