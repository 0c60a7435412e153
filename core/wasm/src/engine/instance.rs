//! One instance in its store, called under its meter.

use std::any::type_name;

use wasmtime::component::{self, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};
use wasmtime::{Store, Trap, UpdateDeadline};

use super::trap::{classify, is_out_of_handles};
use super::{Bounded, Engine, Meter};
use crate::types::error::{Code, Error, Result};
use crate::types::limits::ResolvedLimits;

/// A store and what lives in it. After any failed call it must be dropped: the guest may be half-way through anything.
pub(crate) struct Instance<T: Bounded> {
    store: Store<T>,
    inner: component::Instance,
}

/// An exported function of known type.
pub(crate) struct Function<P, R>(TypedFunc<P, R>);

impl<T: Bounded> Instance<T> {
    /// Instantiates under the meter and limits of `state`.
    pub(crate) async fn new(
        engine: &Engine,
        pre: &InstancePre<T>,
        state: T,
        limits: &ResolvedLimits,
    ) -> Result<Self> {
        let mut store = Store::new(&engine.inner, state);
        store.limiter(|state| state.limiter());
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            let meter = context.data().meter();
            if let Ok(left) = context.get_fuel() {
                meter.fuel_left(left);
            }
            meter.check()?;
            // One that waited in a host call while the deadline passed has its turn before it.
            Ok(if meter.began_this_tick() { UpdateDeadline::Continue(1) } else { UpdateDeadline::Yield(1) })
        });
        // What one call may carry into or out of the guest, beyond the payload a little for the rest of a message.
        let carried = limits.payload_bytes.saturating_mul(4).saturating_add(1 << 20);
        store.set_hostcall_fuel(usize::try_from(carried).unwrap_or(usize::MAX));
        let handles = store.data_mut().limiter().handles_max();
        store.set_max_component_handles(handles);
        store.data_mut().table().set_max_capacity(handles);
        let meter = store.data().meter().clone();
        let making = async {
            refuel(&mut store);
            let made = pre.instantiate_async(&mut store).await;
            tell_fuel(&store);
            made
        };
        let made = meter.run(making).await;
        match made {
            Err(over) => Err(over),
            Ok(Err(why)) => {
                let refusal = refusal(&mut store, &why);
                Err(refusal.unwrap_or_else(|| exhausted(&why).unwrap_or_else(|| stopped(&meter, &why))))
            }
            Ok(Ok(inner)) => meter.check().map(|()| Self { store, inner }),
        }
    }

    pub(crate) fn data(&self) -> &T {
        self.store.data()
    }

    pub(crate) fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// The function `name` of the exported `interface`; `None` if there is no such interface, an error if the type differs.
    pub(crate) fn function<P, R>(&mut self, interface: &str, name: &str) -> Result<Option<Function<P, R>>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let Some(outer) = self.inner.get_export_index(&mut self.store, None, interface) else {
            return Ok(None);
        };
        let mismatch = |why: String| {
            Error::new(Code::TypeMismatch, format!("export {interface} {name}: {why}"))
                .with("path", format!("{interface}#{name}"))
                .with("type", type_name::<(P, R)>())
        };
        let Some(index) = self.inner.get_export_index(&mut self.store, Some(&outer), name) else {
            return Err(mismatch("the function is missing".to_owned()));
        };
        let found = self.inner.get_typed_func::<P, R>(&mut self.store, index);
        found.map(|function| Some(Function(function))).map_err(|why| mismatch(format!("{why:#}")))
    }

    /// Calls under the budget, which begins now. After an error drop the instance.
    pub(crate) async fn call<P, R>(&mut self, function: &Function<P, R>, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let meter = self.store.data().meter().clone();
        // The tick under way may end at once: with two a guest has at least a whole one before it yields.
        self.store.set_epoch_deadline(2);
        let store = &mut self.store;
        let calling = async {
            refuel(store);
            let answer = function.0.call_async(&mut *store, params).await;
            tell_fuel(store);
            answer
        };
        let answer = meter.run(calling).await?;
        match answer {
            Ok(answer) => {
                self.store.data_mut().limiter().take_refusal();
                meter.check().map(|()| answer)
            }
            Err(why) => Err(self.failed(&why)),
        }
    }

    fn failed(&mut self, why: &wasmtime::Error) -> Error {
        let refusal = refusal(&mut self.store, why);
        let error = stopped(self.store.data().meter(), why);
        match refusal {
            Some(refusal) if error.code == Code::Trapped => {
                refusal.with("kind", error.text("kind")).with("backtrace", error.detail["backtrace"].clone())
            }
            _ => error,
        }
    }
}

/// The limit that the guest of a failed call has died of, if it was one.
fn refusal<T: Bounded>(store: &mut Store<T>, why: &wasmtime::Error) -> Option<Error> {
    let limiter = store.data_mut().limiter();
    if is_out_of_handles(why) {
        limiter.refused_handle();
    }
    limiter.take_refusal()
}

/// Gives the store the fuel of the budget. It is an error, and no matter, where none is counted.
fn refuel<T: Bounded>(store: &mut Store<T>) {
    let fuel = store.data().meter().fuel_max();
    let _ = store.set_fuel(fuel);
}

/// Tells the meter what is left.
fn tell_fuel<T: Bounded>(store: &Store<T>) {
    if let Ok(left) = store.get_fuel() {
        store.data().meter().fuel_left(left);
    }
}

/// The error behind a call that failed: the budget's, where that was fuel.
fn stopped(meter: &Meter, why: &wasmtime::Error) -> Error {
    match why.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => meter.out_of_fuel(),
        _ => classify(why),
    }
}

fn exhausted(why: &wasmtime::Error) -> Option<Error> {
    why.is::<wasmtime::PoolConcurrencyLimitError>()
        .then(|| Error::new(Code::PoolExhausted, "as many instances live as the pool holds"))
}
