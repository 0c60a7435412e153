// Monitors, links, topics, groups, timers, and letters that nobody read.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'
import { AirwasmError, Subscription, Timer } from '@airssys/wasm'
import { argument, nextEvent, open, refused, spawnGuest } from './helper.mjs'

const upper = ({ payload }) => String(payload).toUpperCase()
const ids = (all) => all.map(({ id }) => id)
const foreign = { code: 'AIRWASM_INVALID_HANDLE', number: 11 }
const stopped = { code: 'AIRWASM_ACTOR_STOPPED' }

/** An actor that keeps the messages it is given. */
async function collector(system, name) {
  const seen = []
  return [await system.spawnHost((message) => void seen.push(message), { name }), seen]
}

test('a monitor tells how a life ended', async (t) => {
  const system = await open(t)
  const handler = () => {
    throw new RangeError('out of it')
  }
  const supervisor = await system.supervisor({ name: 's', backoff: { initialMs: 0 }, children: [{ handler, name: 'a' }] })
  const actor = await system.lookup('a')
  const [down, same, top] = [actor.monitor(), system.monitor(actor), supervisor.monitor()]
  await assert.rejects(actor.request('?'), { code: 'AIRWASM_HANDLER_RAISED' })
  const { error, reason, ...rest } = await down
  assert.deepEqual(rest, { id: 'default/a/0', restarting: true })
  assert.match(reason, /RangeError: out of it/)
  assert.ok(error instanceof AirwasmError)
  assert.deepEqual([error.code, error.detail.type], ['AIRWASM_HANDLER_RAISED', 'RangeError'])
  assert.equal((await same).reason, reason)
  await supervisor.stop()
  assert.deepEqual(await top, { id: 'default/s/0', reason: 'shutdown', restarting: false })
  await assert.rejects(actor.monitor(), stopped)
})

test('a monitor is settled by a stop, a kill and a close', async (t) => {
  const system = await open(t)
  const actors = await Promise.all(['a', 'b', 'c'].map((name) => system.spawnHost(upper, { name })))
  const downs = actors.map((actor) => actor.monitor())
  await actors[0].stop()
  await actors[1].kill()
  await system.close()
  assert.deepEqual((await Promise.all(downs)).map(({ reason }) => reason), ['shutdown', 'killed', 'shutdown'])
  await assert.rejects(actors[0].monitor(), { code: 'AIRWASM_CLOSED' })
})

test('hostile_k7_a_monitor_is_given_up_by_its_signal', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(upper)
  const aborted = { name: 'AbortError', code: 'AIRWASM_CANCELLED', cause: 'enough' }
  await assert.rejects(actor.monitor({ signal: AbortSignal.abort('enough') }), aborted)
  const abort = new AbortController()
  const downs = Array.from({ length: 100 }, () => actor.monitor({ signal: abort.signal }))
  const all = Promise.allSettled(downs)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1)
  abort.abort('enough')
  for (const { reason } of await all) assert.deepEqual([reason.name, reason.cause], ['AbortError', 'enough'])
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
  await assert.rejects(actor.monitor({ signal: AbortSignal.timeout(20) }), (error) => error.cause.name === 'TimeoutError')
  assert.equal(String(await actor.request('x')), 'X')
  await refused('timeout', () => actor.monitor({ timeout: 5 }))
  await refused('signal', () => actor.monitor({ signal: 7 }))
})

test('what is linked ends badly together', async (t) => {
  const system = await open(t)
  const actors = await Promise.all(['a', 'b', 'c'].map((name) => system.spawnHost(upper, { name })))
  const [a, b, c] = actors
  await a.link(b)
  await system.link(b, c)
  await b.unlink(c)
  await system.unlink(c, b)
  const down = b.monitor()
  await a.kill()
  const { reason, error } = await down
  assert.match(reason, /default\/a\/0/)
  assert.ok(error instanceof AirwasmError)
  assert.equal(String(await c.request('x')), 'X')
  await assert.rejects(c.link(a), stopped)
  await refused('other', () => c.link())
  await refused('other', () => c.unlink({}))
})

test('a topic reaches its subscribers, who are told which', async (t) => {
  const system = await open(t)
  const [actor, seen] = await collector(system, 'a')
  const subscription = await actor.subscribe('news.*')
  assert.ok(subscription instanceof Subscription)
  const other = await system.subscribe(actor, 'sport.>')
  assert.equal(await system.publish('news.tech', 'text', { contentType: 'text/plain' }), 1)
  assert.equal(await system.publish('sport.a.b', Uint8Array.of(0, 255)), 1)
  assert.equal(await system.publish('weather', 'x'), 0)
  await actor.request('asked')
  const [sender, to] = ['', 'default/a/0']
  assert.deepEqual(seen, [
    { sender, to, payload: Buffer.from('text'), contentType: 'text/plain', topic: 'news.tech' },
    { sender, to, payload: Buffer.of(0, 255), topic: 'sport.a.b' },
    { sender, to, payload: Buffer.from('asked') },
  ])
  await subscription.unsubscribe()
  await system.unsubscribe(other)
  assert.equal(await system.publish('news.tech', 'x'), 0)
  assert.equal(await system.publish('sport.a', 'x'), 0)
  await refused('pattern', () => actor.subscribe(7))
  await assert.rejects(actor.subscribe(''), argument('pattern'))
  await refused('topic', () => system.publish(7, 'x'))
  await refused('payload', () => system.publish('news', 7))
  await refused('timeoutMs', () => system.publish('news', 'x', { timeoutMs: 5 }))
})

test('a group has its members in order', async (t) => {
  const system = await open(t)
  const [[a, ofA], [b, ofB]] = [await collector(system, 'a'), await collector(system, 'b')]
  await b.join('g')
  await system.join(a, 'g')
  assert.deepEqual(ids(await system.members('g')), ['default/b/0', 'default/a/0'])
  assert.equal(await system.broadcast('g', 'all', { contentType: 'text/plain' }), 2)
  for (const actor of await system.members('g')) await actor.request('one')
  for (const seen of [ofA, ofB]) assert.deepEqual(seen.map(({ payload }) => String(payload)), ['all', 'one'])
  assert.equal(await b.leave('g'), true)
  assert.equal(await system.leave(b, 'g'), false)
  assert.equal(await system.broadcast('g', 'x'), 1)
  assert.deepEqual(await system.members('nobody'), [])
  for (const call of [() => a.join(7), () => a.leave(7), () => system.members(7), () => system.broadcast(7, 'x')]) {
    await refused('group', call)
  }
  await refused('payload', () => system.broadcast('g', 7))
})

test('a timer sends once, or again and again', async (t) => {
  const system = await open(t)
  const awake = setInterval(() => {}, 1_000) // For a timer of a system keeps no process alive.
  t.after(() => clearInterval(awake))
  let heard
  const seen = []
  const actor = await system.spawnHost(({ payload, contentType }) => void (seen.push([String(payload), contentType]), heard()))
  const enough = (count) => new Promise((resolve) => (heard = () => seen.length >= count && resolve()))
  const once = enough(1)
  const after = await actor.sendAfter('late', 10, { contentType: 'text/plain' })
  assert.ok(after instanceof Timer)
  await once
  const often = enough(4)
  const every = await system.sendEvery(actor, Buffer.from('tick'), 5)
  await often
  assert.equal(await every.cancel(), true)
  assert.equal(await every.cancel(), false)
  assert.deepEqual(seen.slice(0, 4), [['late', 'text/plain'], ...Array(3).fill(['tick', undefined])])
  for (const forever of [3_600_000, Infinity]) {
    assert.equal(await system.cancelTimer(await system.sendAfter(actor, 'never', forever)), true)
    assert.equal(await system.cancelTimer(await system.sendEvery(actor, 'never', forever)), true)
  }
  for (const value of [undefined, null, '5', -1, NaN]) {
    await refused('delayMs', () => actor.sendAfter('x', value))
    await refused('periodMs', () => actor.sendEvery('x', value))
  }
  await assert.rejects(actor.sendEvery('x', 0), argument('period_ms'))
  await refused('payload', () => actor.sendAfter(7, 5))
})

test('what nobody read is told once', async (t) => {
  const system = await open(t)
  const events = system.events('message.dead_letter')
  const actor = await system.spawnHost(() => new Promise(() => {}), { name: 'a' })
  await actor.send('in hand')
  while ((await actor.status()).handled === 0) await new Promise((resolve) => setImmediate(resolve))
  await actor.send(Uint8Array.of(255), { contentType: 'text/plain' })
  await actor.send('second')
  await actor.kill()
  await nextEvent(events, (event) => event.actor === actor.id)
  await nextEvent(events, (event) => event.actor === actor.id)
  const [to, sender, reason] = ['default/a/0', '', 'killed']
  assert.deepEqual(await system.deadLetters(), [
    { to, sender, payload: Buffer.of(255), contentType: 'text/plain', reason },
    { to, sender, payload: Buffer.from('second'), reason },
  ])
  assert.deepEqual(await system.deadLetters(), [])
})

test('a list may be of those that match', async (t) => {
  const system = await open(t)
  for (const name of ['tools/b/0', 'tools/a/0', 'other']) await system.spawnHost(upper, { name })
  assert.deepEqual(ids(await system.list('tools/*/*')).sort(), ['tools/a/0', 'tools/b/0'])
  assert.equal((await system.list()).length, 3)
  assert.equal((await system.list(undefined)).length, 3)
  for (const value of [null, 7, {}]) await refused('pattern', () => system.list(value))
})

test('an object of another kind or system is refused', async (t) => {
  const [one, two] = [await open(t), await open(t)]
  const [actor, there] = [await one.spawnHost(upper, { name: 'a' }), await two.spawnHost(upper, { name: 'a' })]
  const [subscription, timer] = [await actor.subscribe('t'), await actor.sendAfter('x', 60_000)]
  const grant = await actor.grant('fs.read /a')
  await assert.rejects(two.unsubscribe(subscription), foreign)
  await assert.rejects(two.cancelTimer(timer), foreign)
  await assert.rejects(two.monitor(actor), foreign)
  await assert.rejects(two.subscribe(actor, 't'), foreign)
  await assert.rejects(two.join(actor, 'g'), foreign)
  await assert.rejects(two.sendAfter(actor, 'x', 5), foreign)
  await assert.rejects(there.link(actor), foreign)
  await assert.rejects(two.link(actor, there), foreign)
  for (const value of [undefined, null, 7n, {}, grant, actor]) {
    await refused('subscription', () => one.unsubscribe(value))
    await refused('timer', () => one.cancelTimer(value))
  }
  for (const value of [undefined, grant, timer, subscription, Object.create(actor)]) {
    await refused('actor', () => one.monitor(value))
    await refused('actor', () => one.subscribe(value, 't'))
    await refused('actor', () => one.leave(value, 'g'))
    await refused('actor', () => one.sendEvery(value, 'x', 5))
  }
  assert.equal(await timer.cancel(), true)
})

test('guests are watched as functions are', async (t) => {
  const system = await open(t)
  const crasher = await spawnGuest(system, 'crasher', { name: 'crasher' })
  const down = crasher.monitor()
  await assert.rejects(crasher.request('boom'), { code: 'AIRWASM_TRAPPED' })
  const { id, error, restarting } = await down
  assert.deepEqual([id, error.code, restarting], ['default/crasher/0', 'AIRWASM_TRAPPED', false])
})
