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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use airssys_rt::Ticks;
    use wasmtime::component::{Component, Linker, ResourceTable};

    use super::*;
    use crate::engine::{Limiter, Profile, Settings};
    use crate::types::limits::{Budget, Limits, ResolvedBudget, UNLIMITED};

    /// A guest that only asks the host for the next tick, for ever:
    ///
    /// ```wat
    /// (component
    ///   (import "tick" (func))
    ///   (core func (canon lower (func 0)))
    ///   (core module
    ///     (import "" "t" (func))
    ///     (func (export "r") (loop (call 0) (br 0))))
    ///   (core instance (export "t" (func 0)))
    ///   (core instance (instantiate 0 (with "" (instance 0))))
    ///   (alias core export 1 "r" (core func))
    ///   (func (canon lift (core func 1)))
    ///   (instance (export "loops") (export "run" (func 1))))
    /// ```
    const LOOPS: &[u8] = b"\
        \x00asm\x0d\x00\x01\x00\x07\x05\x01@\x00\x01\x00\x0a\x09\x01\x00\x04tick\x01\x00\x08\x05\x01\x01\
        \x00\x00\x00\x01.\x00asm\x01\x00\x00\x00\x01\x04\x01`\x00\x00\x02\x06\x01\x00\x01t\x00\x00\x03\
        \x02\x01\x00\x07\x05\x01\x01r\x00\x01\x0a\x0b\x01\x09\x00\x03@\x10\x00\x0c\x00\x0b\x0b\x02\x0d\
        \x02\x01\x01\x01t\x00\x00\x00\x00\x01\x00\x12\x00\x06\x07\x01\x00\x00\x01\x01\x01r\x07\x05\x01@\
        \x00\x01\x00\x08\x06\x01\x00\x00\x01\x00\x01\x05\x0a\x01\x01\x01\x00\x03run\x01\x01\x0b\x0b\x01\
        \x00\x05loops\x05\x00\x00";

    struct Bounds {
        limiter: Limiter,
        meter: Arc<Meter>,
        table: ResourceTable,
    }

    impl Bounded for Bounds {
        fn limiter(&mut self) -> &mut Limiter {
            &mut self.limiter
        }

        fn meter(&self) -> &Arc<Meter> {
            &self.meter
        }

        fn table(&mut self) -> &mut ResourceTable {
            &mut self.table
        }
    }

    /// At which tick a guest that loops was stopped, and why. Its call begins at tick `began`, and each turn of its loop
    /// takes one.
    fn stopped_at(began: u64, cpu_ms: u64) -> (u64, Error) {
        let engine = Engine::new(Settings { profile: Profile::Hardened, fuel: false }, None, None);
        let engine = engine.expect("an engine");
        let now = Arc::new(AtomicU64::new(began));
        let (tick, counted) = (engine.tick(), now.clone());
        // As the ticker does it.
        let pass = std::sync::Mutex::new(move || {
            counted.fetch_add(1, Relaxed);
            tick();
        });
        let component = Component::from_binary(&engine.inner, LOOPS).expect("valid");
        let mut linker = Linker::<Bounds>::new(&engine.inner);
        let pass = move |_: wasmtime::StoreContextMut<'_, Bounds>, (): ()| {
            pass.lock().expect("test lock")();
            Ok(())
        };
        linker.root().func_wrap("tick", pass).expect("links");
        let pre = linker.instantiate_pre(&component).expect("fits");
        let limits = Limits::default().resolve().expect("valid");
        // The one bound is that of computing.
        let budget = Budget { wall: Some(std::time::Duration::MAX), ..Budget::default() };
        let budget = ResolvedBudget { cpu_ms, ..budget.resolve().expect("valid") };
        assert_eq!(budget.wall_ms, UNLIMITED);
        let meter = Arc::new(Meter::new(Ticks::from(now.clone()), budget, None));
        let state = Bounds { limiter: Limiter::new(&limits), meter, table: ResourceTable::new() };
        let calling = async {
            let mut instance = Instance::new(&engine, &pre, state, &limits).await?;
            let run = instance.function::<(), ()>("loops", "run")?.expect("it is exported");
            instance.call(&run, ()).await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let error = runtime.block_on(calling).expect_err("it loops");
        (now.load(Relaxed), error)
    }

    #[test]
    fn hostile_a1_an_endless_loop_is_stopped_at_most_two_ticks_after_its_deadline() {
        for (began, cpu_ms) in [(0, 1), (0, 2), (7, 3), (0, 500), (1_000_000, 500)] {
            let (at, error) = stopped_at(began, cpu_ms);
            assert_eq!((error.code, error.text("which")), (Code::BudgetExceeded, "cpu_ms"), "{error}");
            let due = began + cpu_ms;
            assert!((due..=due + 2).contains(&at), "due at tick {due}, stopped at {at}");
            assert_eq!(error.number("used"), at - began, "what is told is what it has used");
        }
    }
}
