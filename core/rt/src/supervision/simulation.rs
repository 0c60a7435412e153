//! Random trees of supervisors over virtual time, each step checked; one number makes a run.
//!
//! `AIRSSYS_SEED=<n>` runs one and prints it, `AIRSSYS_SEEDS=<count>` runs that many.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::script::text;
use super::{ChildKey, ChildRules, Fate, Input, Output, Restart, Rules, Ticket};
use crate::exit::Exit;
use dice::Dice;
use kid::{Kid, Life, Profile};
use node::{Node, Request};

mod dice;
mod kid;
mod node;

const DEPTH_MAX: usize = 4;
const NODES_MAX: usize = 16;
const EVENTS_MAX: usize = 200_000;

/// What happens at some time.
#[derive(Clone, Debug)]
enum Event {
    /// A supervisor is told something.
    Tell(usize, Input),
    /// The start of this life of a leaf is over.
    Starts(usize, ChildKey, u32),
    /// This life of a leaf ends by itself.
    Ends(usize, ChildKey, u32),
    /// This life of a leaf has done what it does when it is told to stop.
    Obeys(usize, ChildKey, u32),
    /// Somebody asks something of some supervisor, or tells it nonsense.
    Meddle,
    /// The root is told to stop.
    StopRoot,
}

/// One tree and its time.
struct World {
    seed: u64,
    dice: Dice,
    is_traced: bool,
    base: Instant,
    now_us: u64,
    /// From then on nothing goes wrong any more.
    calm_us: u64,
    /// By time, then by chance.
    events: BTreeMap<(u64, u64), Event>,
    nodes: Vec<Node>,
    tickets: u64,
    begins_left: u32,
    tally: Tally,
}

/// How often each thing was said, by its first words: a simulation in which nothing happens finds nothing.
type Tally = BTreeMap<&'static str, u64>;

fn kind(output: &Output) -> &'static str {
    match output {
        Output::Begin(_) => "begin",
        Output::End(_) => "end",
        Output::Settle(_, Fate::Again { .. }) => "again",
        Output::Settle(_, Fate::Kept(_)) => "kept",
        Output::Settle(_, Fate::Gone(_)) => "gone",
        Output::Wait(..) => "wait",
        Output::Up => "up",
        Output::GaveUp { .. } => "gave up",
        Output::Done(_, Ok(())) => "done",
        Output::Done(_, Err(_)) => "refused",
        Output::Down(_) => "down",
    }
}

fn run(seed: u64, is_traced: bool) -> Tally {
    let mut dice = Dice::new(seed);
    let calm_us = dice.below(300_000) + 1_000;
    let begins_left = dice.below(20) as u32;
    let mut world = World {
        seed,
        dice,
        is_traced,
        base: Instant::now(),
        now_us: 0,
        calm_us,
        events: BTreeMap::new(),
        nodes: Vec::new(),
        tickets: 0,
        begins_left,
        tally: Tally::new(),
    };
    world.grow(None, 1);
    world.at(0, Event::Tell(0, Input::Begin));
    for _ in 0..world.dice.below(60) {
        let at = world.dice.below(calm_us);
        world.at(at, Event::Meddle);
    }
    if world.dice.chance(30) {
        let at = world.dice.below(calm_us * 2);
        world.at(at, Event::StopRoot);
    }
    let mut events = 0;
    while let Some(((at, _), event)) = world.events.pop_first() {
        events += 1;
        world.check(events < EVENTS_MAX, || "it does not come to rest".to_owned());
        world.now_us = at;
        world.happen(event);
    }
    world.check_rest();
    world.tally
}

impl World {
    fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        assert!(holds, "AIRSSYS_SEED={}: {}", self.seed, what());
    }

    fn at(&mut self, at_us: u64, event: Event) {
        let mut key = (at_us.max(self.now_us), self.dice.next());
        while self.events.contains_key(&key) {
            key.1 = self.dice.next();
        }
        self.events.insert(key, event);
    }

    fn soon(&mut self, event: Event) {
        let delay = if self.dice.chance(10) { self.dice.below(5_000) } else { self.dice.below(50) };
        self.at(self.now_us + delay, event);
    }

    /// What the child tells its supervisor: soon, but never before what it told it last.
    fn report(&mut self, node: usize, key: ChildKey, input: Input) {
        let delay = if self.dice.chance(10) { self.dice.below(3_000) } else { self.dice.below(20) };
        let kid = self.nodes[node].kids.get_mut(&key).expect("a child that reports is there");
        kid.reported_us = (self.now_us + delay).max(kid.reported_us + 1);
        let at = kid.reported_us;
        self.at(at, Event::Tell(node, input));
    }

    /// What a supervisor tells another one that is its child, in order.
    fn order(&mut self, node: usize, input: Input) {
        let delay = self.dice.below(20);
        let child = &mut self.nodes[node];
        child.ordered_us = (self.now_us + delay).max(child.ordered_us + 1);
        let at = child.ordered_us;
        self.at(at, Event::Tell(node, input));
    }

    /// A random supervisor with random static children.
    fn grow(&mut self, parent: Option<(usize, ChildKey)>, depth: usize) -> usize {
        let rules = self.dice.rules();
        let index = self.nodes.len();
        self.nodes.push(Node::new(rules, parent, depth));
        for _ in 0..1 + self.dice.below(5) {
            let child = self.dice.child_rules(rules.auto_shutdown, false);
            let key = self.nodes[index].next_key();
            if self.nodes[index].machine.add_static(key, child).is_ok() {
                self.adopt(index, key, child);
            }
        }
        index
    }

    /// The body of a child: a supervisor or a leaf.
    fn adopt(&mut self, node: usize, key: ChildKey, rules: ChildRules) {
        let depth = self.nodes[node].depth;
        let is_supervisor = depth < DEPTH_MAX && self.nodes.len() < NODES_MAX && self.dice.chance(35);
        let profile = Profile::new(&mut self.dice);
        self.nodes[node].kids.insert(key, Kid::new(rules, profile));
        if is_supervisor {
            let inner = self.grow(Some((node, key)), depth + 1);
            self.nodes[node].kids.get_mut(&key).expect("just put there").node = Some(inner);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tell(node, input) => self.tell(node, input),
            Event::Starts(node, key, life) => self.leaf_starts(node, key, life),
            Event::Ends(node, key, life) => self.leaf_ends(node, key, life),
            Event::Obeys(node, key, life) => self.leaf_obeys(node, key, life),
            Event::Meddle => self.meddle(),
            Event::StopRoot => self.tell(0, Input::Stop(Exit::Shutdown)),
        }
    }

    fn tell(&mut self, index: usize, input: Input) {
        if self.is_traced {
            println!("{:>8} us  node {index} <- {input:?}", self.now_us);
        }
        let now_us = self.now_us;
        let random = self.dice.share();
        let now = self.base + Duration::from_micros(now_us);
        let node = &mut self.nodes[index];
        let mut outputs = Vec::new();
        let result = node.take_in(&input);
        self.check(result.is_ok(), || format!("node {index}: {result:?}"));
        self.nodes[index].machine.step(input, now, random, &mut outputs);
        for output in &outputs {
            *self.tally.entry(kind(output)).or_default() += 1;
            if self.is_traced {
                println!("{:>8} us  node {index} -> {}", self.now_us, text(output));
            }
            let result = self.nodes[index].judge(output, now_us);
            self.check(result.is_ok(), || format!("node {index}: {}: {result:?}", text(output)));
            self.carry_out(index, output);
        }
        self.nodes[index].gave_up_on = None;
    }

    fn carry_out(&mut self, index: usize, output: &Output) {
        match output {
            Output::Begin(key) => self.begin(index, *key),
            Output::End(key) => self.end(index, *key),
            Output::Wait(token, after) => {
                let at = self.now_us + after.as_micros() as u64;
                self.at(at, Event::Tell(index, Input::Due(*token)));
                if self.dice.chance(10) {
                    let late = at + self.dice.below(20_000);
                    self.at(late, Event::Tell(index, Input::Due(*token)));
                }
            }
            Output::Up => self.report_up(index),
            Output::Down(exit) => self.report_down(index, exit),
            Output::Settle(..) | Output::GaveUp { .. } | Output::Done(..) => {}
        }
    }

    fn report_up(&mut self, index: usize) {
        if let Some((parent, key)) = self.nodes[index].parent {
            let kid = self.nodes[parent].kids.get_mut(&key).expect("a supervisor that runs has a parent");
            kid.life = Life::Up;
            self.report(parent, key, Input::Started(key));
        }
    }

    fn report_down(&mut self, index: usize, exit: &Exit) {
        let Some((parent, key)) = self.nodes[index].parent else {
            if self.begins_left > 0 {
                self.begins_left -= 1;
                self.soon(Event::Tell(0, Input::Begin));
            }
            return;
        };
        let kid = self.nodes[parent].kids.get_mut(&key).expect("a supervisor that runs has a parent");
        let was_up = kid.life == Life::Up;
        kid.end_with(exit.clone(), was_up);
        let input = if was_up { Input::Exited(key, exit.clone()) } else { Input::Failed(key, exit.clone()) };
        self.report(parent, key, input);
    }

    fn begin(&mut self, index: usize, key: ChildKey) {
        let kid = self.nodes[index].kids.get_mut(&key).expect("judged before");
        kid.begin();
        let (life, inner, is_slow) = (kid.number, kid.node, kid.profile.is_slow);
        if let Some(inner) = inner {
            return self.order(inner, Input::Begin);
        }
        let delay = if is_slow { self.dice.below(10_000) } else { self.dice.below(100) };
        self.at(self.now_us + delay, Event::Starts(index, key, life));
    }

    fn end(&mut self, index: usize, key: ChildKey) {
        let kid = self.nodes[index].kids.get_mut(&key).expect("judged before");
        kid.is_told = true;
        let (life, inner, is_slow) = (kid.number, kid.node, kid.profile.is_slow);
        if let Some(inner) = inner {
            return self.order(inner, Input::Stop(Exit::Shutdown));
        }
        let delay = if is_slow { self.dice.below(8_000) } else { self.dice.below(100) };
        self.at(self.now_us + delay, Event::Obeys(index, key, life));
    }

    fn leaf(&mut self, node: usize, key: ChildKey, number: u32) -> Option<&mut Kid> {
        let kid = self.nodes[node].kids.get_mut(&key)?;
        (kid.number == number && matches!(kid.life, Life::Starting | Life::Up)).then_some(kid)
    }

    fn leaf_starts(&mut self, node: usize, key: ChildKey, number: u32) {
        let is_calm = self.now_us >= self.calm_us;
        let (roll, exit, is_unlucky) = (self.dice.below(100), self.dice.exit(), self.dice.chance(10));
        let Some(kid) = self.leaf(node, key, number) else { return };
        if kid.is_told {
            return; // it stops instead
        }
        let profile = kid.profile;
        let may_fail = kid.number > 1 || is_unlucky; // or few trees would ever come up
        if !is_calm && may_fail && roll < profile.fails_percent {
            kid.end_with(exit.clone(), false);
            return self.report(node, key, Input::Failed(key, exit));
        }
        if !is_calm && roll == 99 {
            kid.ignore();
            return self.report(node, key, Input::Ignored(key));
        }
        kid.life = Life::Up;
        self.report(node, key, Input::Started(key));
        if let Some(lives_us) = profile.lives_us {
            let at = self.now_us + self.dice.below(2 * lives_us + 1);
            self.at(at, Event::Ends(node, key, number));
        }
    }

    fn leaf_ends(&mut self, node: usize, key: ChildKey, number: u32) {
        let exit = self.dice.exit();
        if self.now_us >= self.calm_us {
            return;
        }
        let Some(kid) = self.leaf(node, key, number) else { return };
        kid.end_with(exit.clone(), true);
        self.report(node, key, Input::Exited(key, exit));
    }

    fn leaf_obeys(&mut self, node: usize, key: ChildKey, number: u32) {
        let exit = if self.dice.chance(70) { Exit::Shutdown } else { self.dice.exit() };
        let is_late = self.dice.chance(30);
        let Some(kid) = self.leaf(node, key, number) else { return };
        let was_starting = kid.life == Life::Starting;
        kid.end_with(exit.clone(), true);
        if was_starting && is_late {
            self.report(node, key, Input::Started(key));
        }
        let input =
            if was_starting && !is_late { Input::Failed(key, exit) } else { Input::Exited(key, exit) };
        self.report(node, key, input);
    }

    fn meddle(&mut self) {
        let mut index = self.dice.below(self.nodes.len() as u64) as usize;
        for _ in 0..3 {
            if !self.nodes[index].is_up {
                index = self.dice.below(self.nodes.len() as u64) as usize;
            }
        }
        if self.dice.chance(10) {
            return self.tell_nonsense(index);
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let keys: Vec<ChildKey> = self.nodes[index].kids.keys().copied().collect();
        if keys.is_empty() || self.dice.chance(40) {
            return self.add(index, ticket);
        }
        let key = keys[self.dice.below(keys.len() as u64) as usize];
        let (request, input) = match self.dice.below(4) {
            0 | 1 => (Request::Terminate(key), Input::Terminate(ticket, key)),
            2 => (Request::Restart(key), Input::Restart(ticket, key)),
            _ => (Request::Delete(key), Input::Delete(ticket, key)),
        };
        self.nodes[index].requests.insert(ticket, request);
        self.tell(index, input);
    }

    fn add(&mut self, index: usize, ticket: Ticket) {
        let rules = self.dice.child_rules(self.nodes[index].rules.auto_shutdown, true);
        let key = self.nodes[index].next_key();
        self.adopt(index, key, rules);
        self.nodes[index].requests.insert(ticket, Request::Add(key));
        self.tell(index, Input::Add(ticket, key, rules));
    }

    fn tell_nonsense(&mut self, index: usize) {
        let key = ChildKey(1_000_000 + self.dice.below(3));
        let input = match self.dice.below(4) {
            0 => Input::Started(key),
            1 => Input::Exited(key, self.dice.exit()),
            2 => Input::Failed(key, self.dice.exit()),
            _ => Input::Ignored(key),
        };
        self.tell(index, input);
    }

    /// Nothing is under way any more: no restart is lost, no request unanswered.
    fn check_rest(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let result = node.check_rest();
            self.check(result.is_ok(), || format!("node {index} at rest: {result:?}"));
            let is_due = node.parent.is_some_and(|(parent, key)| {
                self.nodes[parent].kids.get(&key).is_some_and(|kid| kid.life == Life::Up)
            });
            let is_up = node.is_begun && node.is_up;
            self.check(node.parent.is_none() || is_up == is_due, || {
                format!("node {index} is not as its parent has it")
            });
        }
    }
}

fn seeds() -> u64 {
    std::env::var("AIRSSYS_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000)
}

#[test]
fn hostile_h5_random_trees_keep_every_rule() {
    if let Some(seed) = std::env::var("AIRSSYS_SEED").ok().and_then(|seed| seed.parse().ok()) {
        println!("{:?}", run(seed, true));
        return;
    }
    for seed in 1..=seeds() {
        run(seed, false);
    }
}

#[test]
fn random_trees_see_all_that_a_supervisor_can_say() {
    let mut tally = Tally::new();
    for seed in 1..=500 {
        for (said, count) in run(seed, false) {
            *tally.entry(said).or_default() += count;
        }
    }
    println!("{tally:?}");
    assert_eq!(tally.len(), 11);
    assert!(tally.values().all(|count| *count >= 500), "{tally:?}");
}

#[test]
fn one_number_makes_one_run() {
    let restart_types = |seed| {
        let mut dice = Dice::new(seed);
        [(); 20].map(|()| dice.child_rules(Rules::default().auto_shutdown, false).restart)
    };
    assert_eq!(restart_types(7), restart_types(7));
    assert_ne!(restart_types(7), restart_types(8));
    assert!(restart_types(7).contains(&Restart::Permanent));
}
