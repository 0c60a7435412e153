//! What a host keeps open under a grant besides files, sockets and programs: a part of its own memory, say.

use crate::ask::Ask;
use crate::cut::Cut;
use crate::denial::{Denial, DenialKind, Refusal};
use crate::grant::{Guard, Lease};
use crate::set::CapabilitySet;

/// Something of the host's own that counts as open under a grant until it is dropped or the grant ends.
pub struct Opened {
    set: CapabilitySet,
    ask: Ask,
    lease: Lease<OnEnd>,
}

/// What the host does when the grant ends.
struct OnEnd(Box<dyn Fn() + Send + Sync>);

impl Cut for OnEnd {
    fn cut(&self) {
        (self.0)();
    }
}

impl CapabilitySet {
    /// Ties what was opened to the grant that `check` found for the ask; refused when it has ended meanwhile. `on_end` is
    /// called once, with no lock held, when the grant ends before this is dropped; to take and give back the lock under
    /// which `alive` is asked makes the end wait for uses that are under way.
    pub fn open(
        &self,
        guard: &Guard,
        ask: Ask,
        function: &str,
        on_end: impl Fn() + Send + Sync + 'static,
    ) -> Result<Opened, Denial> {
        match guard.tie(OnEnd(Box::new(on_end)).into()) {
            Ok(lease) => Ok(Opened { set: self.clone(), ask, lease }),
            Err(kind) => Err(self.deny(ended(kind, guard), ask.capability_text(), function)),
        }
    }
}

impl Opened {
    /// To be asked at each use. Takes no lock, and reads the clock only for a grant with a ttl.
    pub fn alive(&self) -> Result<(), DenialKind> {
        self.lease.guard().alive()
    }

    /// Records a use that `alive` refused.
    pub fn refuse(&self, kind: DenialKind, function: &str) -> Denial {
        self.set.deny(ended(kind, self.lease.guard()), self.ask.capability_text(), function)
    }
}

/// The rule of the grant that has ended goes into the record.
fn ended(kind: DenialKind, guard: &Guard) -> Refusal {
    Refusal::because(kind, guard.rule().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;
    use crate::audit::{Audit, AuditConfig};
    use crate::capability::Capability;

    fn granted(text: &str) -> CapabilitySet {
        let set = CapabilitySet::new("default/a/0", Audit::open(AuditConfig::default()).expect("an audit"));
        let capability = Capability::parse(text).expect("valid").remove(0);
        set.grant(1, capability, None).expect("granted");
        set
    }

    #[test]
    fn what_is_open_is_counted_cut_once_and_refused_from_then_on() {
        let (set, cuts) = (granted("region.read r"), Arc::new(AtomicUsize::new(0)));
        let count = || {
            let cuts = cuts.clone();
            move || {
                cuts.fetch_add(1, SeqCst);
            }
        };
        let ask = Ask::RegionRead("r".to_owned());
        let guard = set.check(&ask, "test").expect("granted");
        let open = || set.open(&guard, ask.clone(), "test", count());
        let (kept, dropped) = (open().expect("granted"), open().expect("granted"));
        assert_eq!(set.grants()[0].open, 2);
        drop(dropped);
        assert_eq!(set.grants()[0].open, 1);
        kept.alive().expect("granted");
        assert_eq!((set.revoke(1), cuts.load(SeqCst)), (Some(1), 1));
        let kind = kept.alive().expect_err("revoked");
        assert_eq!(kept.refuse(kind, "test").kind, DenialKind::Revoked);
        assert_eq!(open().err().map(|denial| denial.kind), Some(DenialKind::Revoked));
    }
}
