"""Topics, groups, timers, and letters that nobody read."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import airwasm


class Listener:
    """A function that keeps what it was sent."""

    def __init__(self, system: airwasm.System, name: str, **options: object) -> None:
        self.messages: list[airwasm.Message] = []
        self.actor = system.spawn_host(self.messages.append, name, **options)  # type: ignore[arg-type]

    def heard(self, count: int) -> list[bytes]:
        """What it was sent, once that is so much."""
        until = time.monotonic() + 10
        while len(self.messages) < count and time.monotonic() < until:
            time.sleep(0.005)
        return [message.payload for message in self.messages]


def test_a_topic_reaches_who_subscribed(system: airwasm.System) -> None:
    one, two = Listener(system, "one"), Listener(system, "two")
    subscription = one.actor.subscribe("news.*")
    assert system.subscribe(two.actor, "news.>") != subscription
    assert system.publish("news.tech", b"1", content_type="text/plain") == 2
    assert system.publish("news.tech.rust", bytearray(b"2")) == 1
    assert two.heard(2) == [b"1", b"2"] and one.heard(1) == [b"1"]
    (message,) = one.messages
    assert (message.topic, message.content_type, message.sender) == ("news.tech", "text/plain", "")
    subscription.unsubscribe()
    system.unsubscribe(subscription)
    assert system.publish("news.tech", b"3") == 1
    one.actor.send(b"4")
    assert one.heard(2) == [b"1", b"4"] and one.messages[1].topic is None


def test_an_async_function_subscribes_too(system: airwasm.System) -> None:
    topics: list[str | None] = []

    async def main() -> None:
        heard = asyncio.Event()

        async def handler(message: airwasm.Message) -> None:
            topics.append(message.topic)
            heard.set()

        system.spawn_host(handler, "listener").subscribe(">")
        assert system.publish("a.b", b"") == 1
        await asyncio.wait_for(heard.wait(), 10)

    asyncio.run(main())
    assert topics == ["a.b"]


def test_a_group_is_told_together(system: airwasm.System) -> None:
    one, two = Listener(system, "one"), Listener(system, "two")
    one.actor.join("workers")
    system.join(two.actor, "workers")
    assert system.members("workers") == [one.actor, two.actor]
    assert system.broadcast("workers", memoryview(b"x"), content_type="text/plain") == 2
    assert one.heard(1) == two.heard(1) == [b"x"]
    assert one.actor.leave("workers") is True and system.leave(one.actor, "workers") is False
    assert system.members("workers") == [two.actor] and system.members("none") == []
    assert system.broadcast("none", b"x") == 0
    with pytest.raises(airwasm.InvalidHandle):
        system.supervisor("top").join("workers")


def test_messages_come_later_and_again(system: airwasm.System) -> None:
    listener = Listener(system, "listener")
    began = time.monotonic()
    once = listener.actor.send_after(b"once", 0.05)
    again = system.send_every(listener.actor, b"again", timedelta(milliseconds=10), content_type="text/plain")
    heard = listener.heard(12)
    assert b"once" in heard and heard.count(b"again") >= 3 and time.monotonic() - began >= 0.05
    assert {message.content_type for message in listener.messages} == {None, "text/plain"}
    assert again.cancel() is True and system.cancel_timer(again) is False and once.cancel() is False
    never = system.send_after(listener.actor, b"never", delay=float("inf"))
    assert never.cancel() is True
    listener.actor.send_after(b"now", timedelta(0))
    count = len(listener.messages) + 1
    assert listener.heard(count)[-1] == b"now"


def test_a_timer_ends_with_its_actor(system: airwasm.System) -> None:
    listener = Listener(system, "listener")
    timer = listener.actor.send_every(b"x", period=0.005)
    assert listener.heard(2)[0] == b"x"
    listener.actor.stop()
    assert timer.cancel() is False
    with pytest.raises(airwasm.ActorStopped):
        listener.actor.send_after(b"x", 1)


def test_a_subscription_ends_with_its_actor(system: airwasm.System) -> None:
    listener = Listener(system, "listener")
    subscription = listener.actor.subscribe("a.*")
    assert system.publish("a.b", b"") == 1
    listener.actor.stop()
    assert system.publish("a.b", b"") == 0
    with pytest.raises(airwasm.AirwasmError):
        subscription.unsubscribe()


def test_a_system_that_published_lets_go_of_all() -> None:
    with airwasm.System() as system:
        listener = Listener(system, "listener")
        listener.actor.subscribe("a.*")
        assert system.publish("a.b", b"") == 1 and listener.heard(1) == [b""]
    gone: list[weakref.ref[Any]] = [weakref.ref(system), weakref.ref(listener)]
    del system, listener
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_letters_that_nobody_read_are_kept(system: airwasm.System) -> None:
    go = threading.Event()

    def hold(message: airwasm.Message) -> None:
        go.wait(20)

    holder = system.spawn_host(hold, "holder")
    holder.send(b"first")
    while holder.status().handled < 1:
        time.sleep(0.005)
    holder.send(b"second", content_type="text/plain")
    holder.kill()
    go.set()
    until, letters = time.monotonic() + 10, system.dead_letters()
    while not letters and time.monotonic() < until:
        letters = system.dead_letters()
    (letter,) = letters
    assert (letter.to, letter.sender, letter.payload) == ("default/holder/0", "", b"second")
    assert (letter.content_type, letter.reason) == ("text/plain", "killed")
    assert "default/holder/0" in repr(letter) and weakref.ref(letter)() is letter
    assert system.dead_letters() == []


def test_a_full_mailbox_does_what_its_actor_says(system: airwasm.System) -> None:
    go, one = threading.Event(), airwasm.Limits(mailbox_messages=1)

    def hold(message: airwasm.Message) -> bytes:
        go.wait(20)
        return message.payload

    actors = {word: system.spawn_host(hold, word, limits=one, overflow=word) for word in ("reject", "drop_oldest")}
    for word, actor in actors.items():
        actor.send(b"1")
        while actor.status().handled < 1:
            time.sleep(0.005)
        actor.send(b"2")
        if word == "reject":
            with pytest.raises(airwasm.MailboxFull):
                actor.send(b"3")
        else:
            actor.send(b"3")
    go.set()


def test_errors_count(system: airwasm.System) -> None:
    def refuse(message: airwasm.Message) -> bytes:
        raise airwasm.Failure("refused", "again")

    actor = system.spawn_host(refuse, "refuses", errors_max=1, error_period_ms=60_000)
    for _ in range(2):
        with pytest.raises(airwasm.Failure):
            actor.request(b"")
    until = time.monotonic() + 10
    while actor.status().state != "stopped" and time.monotonic() < until:
        time.sleep(0.005)
    assert actor.status().state == "stopped"


def test_list_takes_a_pattern(system: airwasm.System) -> None:
    for name in ("tools/a/0", "tools/b/0", "other/a/0"):
        system.spawn_host(lambda message: None, name)
    assert [actor.id for actor in system.list("tools/*/*")] == ["tools/a/0", "tools/b/0"]
    assert len(system.list()) == len(system.list(None)) == 3
    with pytest.raises(airwasm.InvalidArgument):
        system.list("")
    with pytest.raises(TypeError):
        system.list(5)  # type: ignore[arg-type]


def test_timers_and_subscriptions_are_names(system: airwasm.System) -> None:
    actor = Listener(system, "listener").actor
    one, two = actor.send_after(b"", 60), actor.send_after(b"", 60)
    first, second = actor.subscribe("a"), actor.subscribe("a")
    for this, that in ((one, two), (first, second)):
        assert this == this and this != that and this != 5 and len({this, that, this}) == 2
        assert "airwasm." in repr(this) and weakref.ref(this)() is this
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(this)
    with airwasm.System() as other:
        with pytest.raises(airwasm.InvalidHandle, match="the timer belongs to another system"):
            other.cancel_timer(one)
        with pytest.raises(airwasm.InvalidHandle, match="the subscription belongs to another system"):
            other.unsubscribe(first)


Wrong = Callable[[airwasm.System, airwasm.Actor], object]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda system, actor: system.publish("t", "text"), TypeError),
        (lambda system, actor: system.publish(b"t", b"x"), TypeError),
        (lambda system, actor: system.publish("t"), TypeError),
        (lambda system, actor: system.publish("a.*", b""), airwasm.InvalidArgument),
        (lambda system, actor: system.publish("t", bytes(5 << 20)), airwasm.PayloadTooLarge),
        (lambda system, actor: system.broadcast("g", 5), TypeError),
        (lambda system, actor: system.broadcast("g", b"", content_type="x" * 300), airwasm.InvalidArgument),
        (lambda system, actor: actor.subscribe(None), TypeError),
        (lambda system, actor: actor.subscribe("a..b"), airwasm.InvalidArgument),
        (lambda system, actor: system.subscribe("a", "b"), TypeError),
        (lambda system, actor: system.unsubscribe(actor.send_after(b"", 60)), TypeError),
        (lambda system, actor: system.cancel_timer(actor.subscribe("a")), TypeError),
        (lambda system, actor: actor.join(""), airwasm.InvalidArgument),
        (lambda system, actor: actor.join(5), TypeError),
        (lambda system, actor: actor.send_after(b""), TypeError),
        (lambda system, actor: actor.send_after(b"", None), TypeError),
        (lambda system, actor: actor.send_after(b"", "1"), TypeError),
        (lambda system, actor: actor.send_after("", 1), TypeError),
        (lambda system, actor: actor.send_after(b"", -1), airwasm.InvalidArgument),
        (lambda system, actor: actor.send_after(b"", float("nan")), airwasm.InvalidArgument),
        (lambda system, actor: actor.send_every(b"", 0), airwasm.InvalidArgument),
        (lambda system, actor: actor.send_every(b"", 0.0001), airwasm.InvalidArgument),
        (lambda system, actor: airwasm.Timer(), TypeError),
        (lambda system, actor: airwasm.Subscription(), TypeError),
    ],
)
def test_what_is_wrong_says_so(system: airwasm.System, wrong: Wrong, error: type[Exception]) -> None:
    actor = Listener(system, "listener").actor
    with pytest.raises(error):
        wrong(system, actor)
    assert actor.status().handled == 0
    assert actor.request(b"x") == b""


def test_a_closed_system_has_none_of_it() -> None:
    with airwasm.System() as system:
        actor = Listener(system, "listener").actor
        timer, subscription = actor.send_every(b"x", 60), actor.subscribe("a")
    wrong: list[Callable[[], object]] = [
        timer.cancel,
        subscription.unsubscribe,
        system.dead_letters,
        lambda: system.publish("a", b""),
        lambda: system.broadcast("g", b""),
        lambda: system.members("g"),
        lambda: actor.join("g"),
        lambda: actor.send_after(b"", 1),
    ]
    for call in wrong:
        with pytest.raises(airwasm.Closed):
            call()


def test_threads_publish_at_once(system: airwasm.System) -> None:
    listener = Listener(system, "listener", limits=airwasm.Limits(mailbox_messages=10_000))
    listener.actor.subscribe("t.*")

    def work(number: int) -> None:
        for turn in range(100):
            assert system.publish(f"t.{number}", b"%d" % turn) == 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(listener.heard(800)) == 800
    for number in range(8):
        turns = [int(message.payload) for message in listener.messages if message.topic == f"t.{number}"]
        assert turns == list(range(100))
