//! `hostile_i12`: a forked child cannot use its parent's system, and can open its own.

#![allow(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, ChildSpec, Code, Config, Down, Error, Event, Events, GrantHandle, Operation,
    RequestHandle, RequestOptions, Result, SendOptions, Started, SubscriptionHandle, SupervisorSpec, System,
    TimerHandle,
};
use airwasm_tests::guest;

const HOUR: Duration = Duration::from_secs(3_600);

/// What a parent has open when it forks.
struct World {
    system: System,
    component: airwasm::ComponentHandle,
    actor: ActorHandle,
    top: ActorHandle,
    child: ActorHandle,
    grant: GrantHandle,
    subscription: SubscriptionHandle,
    watching: SubscriptionHandle,
    timer: TimerHandle,
    request: RequestHandle,
    events: Events,
    monitors: Vec<Operation<Down>>,
    event: Operation<Option<Event>>,
}

fn child() -> ChildSpec {
    ChildSpec::host(ActorSpec::host("child"), Box::new(|_| Ok(Vec::new())))
}

fn world() -> Result<World> {
    let system = System::open(Config::default())?;
    let component = system.load(&guest("hello"))?;
    let actor = system.spawn(ActorSpec::new(component).name("a"))?;
    let top = system.supervisor(SupervisorSpec::new("top").child(child()))?;
    let Started::Pending(request) = system.monitor_async(actor).start(Box::new(|_| ())) else {
        return Err(Error::new(Code::Internal, "nothing is waited for"));
    };
    let events = system.events("*")?;
    Ok(World {
        component,
        actor,
        top,
        child: system.lookup("child")?,
        grant: system.grant(actor, "message.send x", None)?,
        subscription: system.subscribe(actor, "t")?,
        watching: system.events_subscribe("actor.*", Box::new(|_| ()))?,
        timer: system.send_after(actor, b"x", HOUR, &SendOptions::default())?,
        request,
        monitors: (0..3).map(|_| system.monitor_async(actor)).collect(),
        event: system.events("supervisor.*")?.next_async(),
        events,
        system,
    })
}

/// What became of something, whatever its value would have been.
fn code<T>(outcome: Result<T>) -> Option<Code> {
    outcome.err().map(|error| error.code)
}

type Outcomes = Vec<(&'static str, Option<Code>)>;

fn actors(world: &World) -> Outcomes {
    let World { system, actor, component, .. } = world;
    let (request, spec) = (RequestOptions::default(), || ActorSpec::new(*component).name("new"));
    vec![
        ("load", code(system.load(&guest("hello")))),
        ("load_bytes", code(system.load_bytes(Vec::new()))),
        ("inspect", code(system.inspect(*component))),
        ("types", code(system.types(*component, "wit"))),
        ("unload", code(system.unload(*component))),
        ("spawn", code(system.spawn(spec()))),
        ("spawn_async", code(system.spawn_async(spec()).wait())),
        ("spawn_host", code(system.spawn_host(ActorSpec::host("new"), Box::new(|_| Ok(Vec::new()))))),
        ("stop", code(system.stop(*actor, None))),
        ("kill", code(system.kill(*actor))),
        ("lookup", code(system.lookup("a"))),
        ("id", code(system.id(*actor))),
        ("status", code(system.status(*actor))),
        ("list", code(system.list(None))),
        ("send", code(system.send(*actor, b"x", &SendOptions::default()))),
        ("send_async", code(system.send_async(*actor, b"x", &SendOptions::default()).wait())),
        ("request", code(system.request(*actor, b"x", &request))),
        ("request_async", code(system.request_async(*actor, b"x", &request).wait())),
        ("cancel", code(system.cancel(world.request))),
        ("grant", code(system.grant(*actor, "message.send x", None))),
        ("grants", code(system.grants(*actor))),
        ("revoke", code(system.revoke(world.grant))),
        ("stats", code(system.stats())),
        ("close", code(system.close(None))),
    ]
}

fn supervision(world: &World) -> Outcomes {
    let World { system, actor, top, child: kept, .. } = world;
    let (options, second) = (SendOptions::default(), Duration::from_secs(1));
    vec![
        ("supervisor", code(system.supervisor(SupervisorSpec::new("new")))),
        ("children", code(system.children(*top))),
        ("start_child", code(system.start_child(*top, child()))),
        ("terminate_child", code(system.terminate_child(*top, *kept))),
        ("restart_child", code(system.restart_child(*top, *kept))),
        ("delete_child", code(system.delete_child(*top, *kept))),
        ("tree", code(system.tree())),
        ("monitor", code(system.monitor(*actor))),
        ("link", code(system.link(*actor, *kept))),
        ("unlink", code(system.unlink(*actor, *kept))),
        ("subscribe", code(system.subscribe(*actor, "t"))),
        ("publish", code(system.publish("t", b"x", &options))),
        ("join", code(system.join(*actor, "g"))),
        ("leave", code(system.leave(*actor, "g"))),
        ("members", code(system.members("g"))),
        ("broadcast", code(system.broadcast("g", b"x", &options))),
        ("dead_letters", code(system.dead_letters())),
        ("send_after", code(system.send_after(*actor, b"x", second, &options))),
        ("send_every", code(system.send_every(*actor, b"x", second, &options))),
        ("cancel_timer", code(system.cancel_timer(world.timer))),
        ("events", code(system.events("*"))),
        ("events_subscribe", code(system.events_subscribe("*", Box::new(|_| ())))),
        ("unsubscribe from topics", code(system.unsubscribe(world.subscription))),
        ("unsubscribe from events", code(system.unsubscribe(world.watching))),
        ("an event to come", code(world.events.next_async().wait())),
    ]
}

type Way = fn(Operation<Down>) -> Result<Down>;

/// What was begun before the fork and will never be answered here.
fn pending(monitors: Vec<Operation<Down>>, event: Operation<Option<Event>>) -> Outcomes {
    let ways: [(_, Way); 3] = [
        ("a monitor that is waited for", Operation::wait),
        ("a monitor that is waited for a while", |mut monitor| {
            monitor.wait_for(HOUR).unwrap_or_else(|| Err(Error::new(Code::Timeout, "an hour")))
        }),
        ("a monitor that is given a completion", |monitor| match monitor.start(Box::new(|_| ())) {
            Started::Ready(outcome) => outcome,
            Started::Pending(_) => Err(Error::new(Code::Timeout, "never")),
        }),
    ];
    let waited = ways.into_iter().zip(monitors).map(|((what, way), monitor)| (what, code(way(monitor))));
    waited.chain([("an event that was waited for", code(event.wait()))]).collect()
}

fn answers(system: &System, name: &str) -> bool {
    let component = system.load(&guest("hello")).expect("loads");
    let actor = system.spawn(ActorSpec::new(component).name(name)).expect("starts");
    system.request(actor, b"x", &RequestOptions::default()).expect("answers") == b"hello x"
}

fn in_child(world: World) -> bool {
    let mut outcomes = [actors(&world), supervision(&world)].concat();
    let World { system, mut events, monitors, event, .. } = world;
    outcomes.extend(pending(monitors, event));
    let mut good = system.is_closed() && events.next().is_none();
    for (what, got) in outcomes.into_iter().filter(|(_, got)| *got != Some(Code::Forked)) {
        println!("after a fork {what} is {got:?} instead of FORKED");
        good = false;
    }
    system.abandon();
    // Its threads are the parent's: this must not wait for them.
    drop((events, system));
    good && answers(&System::open(Config::default()).expect("a system"), "c")
}

/// Nothing that the child asked for has reached its parent.
fn is_as_before(world: &World) -> bool {
    let ids: Vec<_> = world.system.list(None).expect("open").into_iter().map(|status| status.id).collect();
    ids == ["default/a/0", "default/child/0", "default/top/0"]
        && world.system.cancel_timer(world.timer).expect("open")
        && answers(&world.system, "b")
}

fn main() -> ExitCode {
    let world = world().expect("a world");
    // SAFETY: the child only uses what the library promises to work after a fork, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child if it waits for what never comes.
        unsafe { libc::alarm(60) };
        let good = in_child(world);
        // SAFETY: ends the child without the parent's destructors.
        unsafe { libc::_exit(if good { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    unsafe { libc::waitpid(child, &mut status, 0) };
    let passed = status == 0 && is_as_before(&world);
    println!("hostile_i12_fork: {} passed, {} failed", u8::from(passed), u8::from(!passed));
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
