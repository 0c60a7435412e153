use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::ask::Ask;
use crate::denial::Denial;
use crate::endpoint::{Endpoint, Protocol};
use crate::grant::Guard;
use crate::net::decide::Route;
use crate::net::{Connecting, NetError, Network};
use crate::scope::url::{Host, Scheme, Target};

/// A request of http that grants cover. What it is sent to is what was decided, in the normal form
/// in which it was decided.
pub struct HttpRoute {
    network: Network,
    guards: Vec<Guard>,
    ask: Ask,
    is_https: bool,
    host: Result<IpAddr, String>,
    port: u16,
    path: String,
    function: String,
}

/// One address of its host that the grants permit.
pub struct HttpAddress(Route);

impl Network {
    /// Decides about a request by its method and its whole URL; nobody is asked for the name yet.
    pub fn http(&self, method: &str, url: &str, function: &str) -> Result<HttpRoute, Denial> {
        let ask = Ask::Http { method: method.to_owned(), url: url.to_owned() };
        let guards = self.decider.request(&ask, function)?;
        let target = Target::parse(url).expect("what is no URL is covered by nothing");
        let host = match &target.host {
            Host::Name(name) => Err(name.clone().into_owned()),
            Host::Address(ip) => Ok(*ip),
        };
        Ok(HttpRoute {
            network: self.clone(),
            guards,
            is_https: target.scheme == Scheme::Https,
            host,
            port: target.port,
            path: target.path.into_owned(),
            function: function.to_owned(),
            ask,
        })
    }
}

impl HttpRoute {
    /// Whether its host is an address already, so that nobody has to be asked.
    pub fn is_resolved(&self) -> bool {
        self.host.is_ok()
    }

    /// The addresses of its host that may be reached, each decided alone, by the bans to connect too; at least one.
    /// Blocks while a name is looked up.
    pub fn addresses(&self, deadline: Instant) -> Result<Vec<HttpAddress>, NetError> {
        let addresses = match &self.host {
            Ok(ip) => vec![*ip],
            Err(name) => self.network.look_up(name, &self.guards[0], deadline, &self.function, &mut None)?,
        };
        let decider = &self.network.decider;
        let to = match &self.host {
            Ok(ip) => Endpoint::address(SocketAddr::new(*ip, self.port), Protocol::Tcp),
            Err(name) => Endpoint::named(name, self.port, Protocol::Tcp),
        };
        let now = Instant::now();
        let routes = decider.permitted(&self.ask, &self.guards, &to, &addresses, &self.function, now)?;
        Ok(routes.into_iter().map(HttpAddress).collect())
    }

    /// Begins to connect to one of its addresses; the connection ends with the grant that permits that.
    pub fn begin(&self, to: &HttpAddress) -> Result<Connecting, NetError> {
        self.network.begin(&to.0, &self.function)
    }

    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The name, in lower case without a last dot, or the address.
    pub fn host(&self) -> String {
        match &self.host {
            Ok(ip) => ip.to_string(),
            Err(name) => name.clone(),
        }
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Ok(ip) => crate::endpoint::in_url(*ip),
            Err(name) => name.clone(),
        };
        match self.port == if self.is_https { Scheme::Https.port() } else { Scheme::Http.port() } {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
}
