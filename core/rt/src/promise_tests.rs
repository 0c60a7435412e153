use super::*;

fn pair() -> (Resolver<u8, Error>, Pending<u8, Error>) {
    promise()
}

#[test]
fn an_answer_that_is_there_is_taken_without_waiting() {
    let (resolver, mut pending) = pair();
    assert!(pending.try_take().is_none());
    assert!(resolver.settle(Ok(1)));
    assert!(matches!(pending.try_take(), Some(Ok(1))));
}

#[test]
fn a_thread_waits_for_an_answer_of_another() {
    let (resolver, pending) = pair();
    let other = std::thread::spawn(move || resolver.settle(Ok(2)));
    assert!(matches!(pending.wait(), Ok(2)));
    assert!(other.join().expect("no panic"));
}

#[test]
fn a_dropped_resolver_breaks_the_promise() {
    let (resolver, pending) = pair();
    drop(resolver);
    assert!(matches!(pending.wait(), Err(Error::NoReply)));
}

#[test]
fn a_dropped_pending_is_seen_by_the_resolver() {
    let (resolver, pending) = pair();
    assert!(!resolver.is_abandoned());
    drop(pending);
    assert!(resolver.is_abandoned());
    assert!(!resolver.settle(Ok(3)));
}

#[test]
fn a_callback_is_called_once_and_never_for_an_answer_that_is_there() {
    let (resolver, pending) = pair();
    let (tell, told) = std::sync::mpsc::channel();
    let canceller = pending.on_ready(Box::new(move |answer| tell.send(answer).expect("open"))).ok();
    assert!(resolver.settle(Ok(4)));
    assert!(matches!(told.recv(), Ok(Ok(4))));
    assert!(!canceller.expect("pending").cancel());

    let (resolver, pending) = pair();
    resolver.settle(Ok(5));
    let early = pending.on_ready(Box::new(|_| panic!("called for an answer that was there")));
    assert!(matches!(early, Err(Ok(5))));
}
