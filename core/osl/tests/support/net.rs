//! The network of one actor, on loopback.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Audit, AuditConfig, Capability, CapabilitySet, Decision, Denial, DenialKind, DnsResolver, FixedNames,
    NetError, NetLimits, Network, Operation, Phase, Record, Resolve,
};

use super::dns_stub::DnsStub;

pub struct NetWorld {
    pub audit: Arc<Audit>,
    pub set: CapabilitySet,
    pub network: Network,
}

impl NetWorld {
    /// An actor with these grants, numbered from 1, and no name server.
    pub fn new(grants: &[&str]) -> Self {
        Self::with(grants, Arc::new(FixedNames::new(Default::default(), None)), NetLimits::default())
    }

    pub fn asking(grants: &[&str], stub: &DnsStub) -> Self {
        Self::with(grants, Arc::new(DnsResolver::new(vec![stub.address])), NetLimits::default())
    }

    pub fn limited(grants: &[&str], limits: NetLimits) -> Self {
        Self::with(grants, Arc::new(FixedNames::new(Default::default(), None)), limits)
    }

    pub fn with(grants: &[&str], resolver: Arc<dyn Resolve>, limits: NetLimits) -> Self {
        let audit = Audit::open(AuditConfig::default()).unwrap();
        let set = CapabilitySet::new("default/fetch/0", audit.clone());
        let network = Network::new(set.clone(), resolver, limits);
        let world = Self { audit, set, network };
        grants.iter().enumerate().for_each(|(index, text)| world.grant(index as u64 + 1, text));
        world
    }

    pub fn grant(&self, id: u64, text: &str) {
        let [capability]: [Capability; 1] = Capability::parse(text).unwrap().try_into().unwrap();
        self.set.grant(id, capability, None).unwrap();
    }

    /// Decisions and their texts, oldest first.
    pub fn decisions(&self) -> Vec<(Decision, String)> {
        self.checks().iter().map(|record| (record.decision, record.capability.to_string())).collect()
    }

    /// What was decided: alone, or by the start of an operation.
    pub fn checks(&self) -> Vec<Record> {
        let mut records = self.audit.recent();
        records.retain(|record| record.operation == Operation::Check || record.phase == Some(Phase::Start));
        records
    }

    /// Asserts that the call is denied, with exactly one record that says so.
    #[track_caller]
    pub fn assert_denied<T: std::fmt::Debug>(&self, call: impl FnOnce() -> Result<T, NetError>) -> Denial {
        let denials = |world: &Self| {
            let denied = |record: &Record| record.decision == Decision::Deny;
            world.checks().iter().filter(|record| denied(record)).count()
        };
        let before = denials(self);
        let denial = match call() {
            Err(NetError::Denied(denial)) => denial,
            other => panic!("not denied: {other:?}"),
        };
        assert_eq!(denials(self), before + 1);
        let last = self.checks().pop().unwrap();
        assert_eq!((last.decision, &*last.capability), (Decision::Deny, denial.capability.as_str()));
        denial
    }

    #[track_caller]
    pub fn assert_not_granted<T: std::fmt::Debug>(
        &self,
        call: impl FnOnce() -> Result<T, NetError>,
    ) -> String {
        let denial = self.assert_denied(call);
        assert_eq!(denial.kind, DenialKind::NotGranted, "{denial}");
        denial.capability
    }
}

/// Later than any test takes.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A deadline that has passed: what is allowed then times out without touching the network.
pub fn past() -> Instant {
    Instant::now()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Runs the call on a thread of its own, and the other once that thread sleeps in the system.
pub fn while_asleep<T: Send>(call: impl FnOnce() -> T + Send, then: impl FnOnce()) -> T {
    std::thread::scope(|scope| {
        let (tell, thread) = std::sync::mpsc::channel();
        let running = scope.spawn(move || {
            tell.send(std::fs::read_link("/proc/thread-self").ok()).unwrap();
            call()
        });
        if let Some(thread) = thread.recv().unwrap() {
            let stat = std::path::Path::new("/proc").join(thread).join("stat");
            let is_asleep = || std::fs::read_to_string(&stat).map_or(true, |text| text.contains(") S "));
            while !is_asleep() {
                std::thread::yield_now();
            }
        }
        then();
        running.join().unwrap()
    })
}
