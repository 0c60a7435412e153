//! One message to many: topics, groups, lists.

mod common;

use airssys_rt::Caller::Waits;
use airssys_rt::{Actor, ActorRef, Cause, Child, Context, Error, Exit, Message, Spec, Topic, TopicPattern};
use common::{Log, World, answer, begun, id, soon};

#[derive(Clone, Debug)]
struct News(u64);

impl Message for News {
    type Reply = ();
    type Error = Error;
}

struct Reader {
    name: String,
    log: Log,
}

impl Child for Reader {}

impl Actor for Reader {
    type Message = News;

    async fn handle(&mut self, News(number): News, context: &mut Context<'_, News>) -> Result<(), Exit> {
        self.log.note(format!("{} {number}", self.name));
        context.reply(Ok(()));
        Ok(())
    }
}

fn reader(world: &World, name: &str) -> ActorRef<News> {
    let (log, own) = (world.log.clone(), name.to_owned());
    let start = move || {
        let reader = Reader { name: own.clone(), log: log.clone() };
        async move { Ok::<_, Cause>(reader) }
    };
    let (actor, up) = world.runtime.spawn(Spec::new(id(name)), start).expect("free");
    answer(up).expect("starts");
    actor
}

fn topic(text: &str) -> Topic {
    text.parse().expect("a topic")
}

fn pattern(text: &str) -> TopicPattern {
    text.parse().expect("a pattern")
}

fn read(world: &World, actors: &[&ActorRef<News>]) -> Vec<String> {
    for actor in actors {
        answer(actor.request(News(0), soon(), Waits)).expect("answer");
    }
    let mut lines: Vec<_> = world.log.take().into_iter().filter(|line| !line.ends_with(" 0")).collect();
    lines.sort();
    lines
}

#[test]
fn what_is_published_reaches_each_subscription_that_matches() {
    let world = World::new();
    let (a, b, c) = (reader(&world, "a"), reader(&world, "b"), reader(&world, "c"));
    let topics = world.runtime.topics::<News>();
    topics.subscribe(pattern("sport.tennis"), &a).expect("room");
    let b_all = topics.subscribe(pattern("sport.*"), &b).expect("room");
    topics.subscribe(pattern("sport.>"), &c).expect("room");
    topics.subscribe(pattern(">"), &c).expect("room");
    assert_eq!(topics.publish(&topic("sport.tennis"), &News(1)), 4);
    assert_eq!(read(&world, &[&a, &b, &c]), ["a 1", "b 1", "c 1", "c 1"]);
    assert_eq!(topics.publish(&topic("sport.ball.foot"), &News(2)), 2);
    assert_eq!(read(&world, &[&a, &b, &c]), ["c 2", "c 2"]);
    assert_eq!(topics.publish(&topic("weather"), &News(3)), 1);
    assert!(topics.unsubscribe(b_all) && !topics.unsubscribe(b_all));
    assert_eq!(world.runtime.topics::<News>().publish(&topic("sport.golf"), &News(4)), 2, "the same topics");
    assert_eq!(read(&world, &[&a, &b, &c]), ["c 3", "c 4", "c 4"]);
}

#[test]
fn who_has_ended_is_no_subscriber_any_more() {
    let world = World::new();
    let (a, b) = (reader(&world, "a"), reader(&world, "b"));
    let topics = world.runtime.topics::<News>();
    let ended = topics.subscribe(pattern("x"), &a).expect("room");
    topics.subscribe(pattern("x"), &b).expect("room");
    answer(a.stop(common::LONG)).expect("stops");
    assert_eq!(topics.publish(&topic("x"), &News(1)), 1);
    assert!(!topics.unsubscribe(ended), "undone with the first message it could not take");
    assert_eq!(topics.publish(&topic("x"), &News(2)), 1);
    begun(&b, 2);
    world.counts();
}

#[test]
fn a_broadcast_reaches_each_of_a_list_and_counts_the_takers() {
    let world = World::new();
    let readers: Vec<_> = (0..100).map(|number| reader(&world, &format!("r-{number}"))).collect();
    answer(readers[7].stop(common::LONG)).expect("stops");
    assert_eq!(world.runtime.broadcast(&readers, &News(1)), 99);
    for (number, reader) in readers.iter().enumerate().filter(|(number, _)| *number != 7) {
        begun(reader, 1);
        assert!(world.is_there(&format!("r-{number}")));
    }
    let counts = world.counts();
    assert_eq!((counts.sent, counts.delivered, counts.rejected), (100, 99, 1));
}

#[test]
fn members_of_a_group_leave_it_when_they_end() {
    let world = World::new();
    let (a, b, c) = (reader(&world, "a"), reader(&world, "b"), reader(&world, "c"));
    for actor in [&b, &a, &c, &a] {
        world.runtime.join("team", actor.handle()).expect("room");
    }
    world.runtime.join("other", a.handle()).expect("room");
    assert_eq!(
        world.runtime.members("team"),
        [b.handle(), a.handle(), c.handle()],
        "in the order of joining"
    );
    assert!(world.runtime.leave("team", c.handle()) && !world.runtime.leave("team", c.handle()));
    answer(a.stop(common::LONG)).expect("stops");
    assert_eq!(world.runtime.members("team"), [b.handle()]);
    let groups: Vec<_> = world.runtime.groups().iter().map(|name| name.to_string()).collect();
    assert_eq!(groups, ["team"], "a group without members is none");
    assert!(matches!(world.runtime.join("team", a.handle()), Err(Error::NotFound)));
    b.kill();
    common::eventually("nobody is left", || world.runtime.groups().is_empty());
}

#[test]
fn a_member_of_a_group_stays_in_it_over_a_restart() {
    let world = World::new();
    let actor = world.spawn("one", airssys_rt::Restart::Permanent, airssys_rt::Bounds::default());
    world.runtime.join("team", actor.handle()).expect("room");
    common::crash(&actor);
    assert_eq!(common::echo(&actor, 1).expect("its second life"), 1_001);
    assert_eq!(world.runtime.members("team"), [actor.handle()]);
}
