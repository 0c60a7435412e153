//! Numbers that name things: a kind and a counter that never repeats, so that a stale one is never confused.

use super::error::{Code, Error, Result};

/// What a handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A loaded component.
    Component = 1,
    /// An actor, a guest's or the host's, or a supervisor.
    Actor = 2,
    /// A grant of one actor.
    Grant = 3,
    /// A request whose completion is still to come.
    Request = 4,
    /// A subscription to events or to topics.
    Subscription = 5,
    /// A message to come.
    Timer = 6,
}

const KIND_SHIFT: u32 = 56;

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Component => "component",
            Kind::Actor => "actor",
            Kind::Grant => "grant",
            Kind::Request => "request",
            Kind::Subscription => "subscription",
            Kind::Timer => "timer",
        }
    }

    fn of(raw: u64) -> Option<Kind> {
        let kinds =
            [Kind::Component, Kind::Actor, Kind::Grant, Kind::Request, Kind::Subscription, Kind::Timer];
        kinds.into_iter().find(|kind| *kind as u64 == raw >> KIND_SHIFT)
    }

    /// The handle of this kind with this serial number.
    pub(crate) const fn tag(self, serial: u64) -> u64 {
        ((self as u64) << KIND_SHIFT) | serial
    }

    fn check(self, raw: u64) -> Result<u64> {
        match Kind::of(raw) {
            Some(kind) if kind == self => Ok(raw),
            Some(kind) => Err(Error::new(
                Code::InvalidHandle,
                format!("the handle is of kind {}, and one of kind {} is needed", kind.name(), self.name()),
            )),
            None => Err(Error::new(Code::InvalidHandle, format!("{raw:#x} is no handle"))),
        }
    }
}

macro_rules! handles {
    ($($name:ident, $kind:ident, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The number as C sees it; 0 is never one.
            pub const fn raw(self) -> u64 {
                self.0
            }

            /// The handle behind a number; `INVALID_HANDLE` if the number names another kind of thing.
            pub fn from_raw(raw: u64) -> Result<Self> {
                Kind::$kind.check(raw).map(Self)
            }
        }
    )*};
}

handles! {
    ComponentHandle, Component, "Names a loaded component; owns nothing.";
    ActorHandle, Actor, "Names an actor or supervisor over all its restarts; owns nothing.";
    GrantHandle, Grant, "Names one grant of one actor; owns nothing.";
    RequestHandle, Request, "Names a pending request, to cancel it.";
    SubscriptionHandle, Subscription, "Names a subscription to events or topics.";
    TimerHandle, Timer, "Names a message to come.";
}
