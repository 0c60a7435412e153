// Who waits for whom: room in a mailbox, circles of handlers, a handler that ends its own actor.

import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Timer } from '@airssys/wasm'
import { nextEvent, open, script, spawnGuest } from './helper.mjs'

const cycle = { code: 'AIRWASM_CYCLE' }
const full = { limits: { mailboxMessages: 1 }, overflow: 'block' }

function gate() {
  let open
  const opened = new Promise((resolve) => (open = resolve))
  return { opened, open }
}

/** An actor that holds its first message in hand and has no room for a third; `seen` are the texts it was given. */
async function stuffed(system) {
  const { opened, open } = gate()
  const seen = []
  const handler = async ({ payload }) => {
    seen.push(String(payload))
    await opened
  }
  const actor = await system.spawnHost(handler, { name: 'full', ...full })
  await actor.send('in hand')
  while (seen.length === 0) await turn()
  await actor.send('queued')
  return { actor, seen, open }
}

test('a send waits for room without its event loop', async (t) => {
  const system = await open(t)
  const { actor, seen, open: letGo } = await stuffed(system)
  const settled = []
  const sends = ['a', 'b', 'c'].map((text) => actor.send(text).then(() => settled.push(text)))
  for (let n = 0; n < 10; n++) await turn()
  assert.deepEqual([settled, seen], [[], ['in hand']])
  letGo()
  await Promise.all(sends)
  await actor.request('last')
  assert.deepEqual([settled, seen], [['a', 'b', 'c'], ['in hand', 'queued', 'a', 'b', 'c', 'last']])
})

test('a send that waits for room is told that its actor ended', async (t) => {
  const system = await open(t)
  const { actor } = await stuffed(system)
  const sent = assert.rejects(actor.send('late'), { code: 'AIRWASM_ACTOR_STOPPED', actor: actor.id })
  await actor.kill()
  await sent
})

test('a send to a full mailbox keeps the process alive until it has room', async () => {
  const result = await script(`
    const system = await System.open()
    let go
    const opened = new Promise((resolve) => (go = resolve))
    const actor = await system.spawnHost(() => opened, { limits: { mailboxMessages: 1 }, overflow: 'block' })
    await actor.send('in hand')
    while ((await actor.status()).handled === 0) await new Promise((resolve) => setImmediate(resolve))
    await actor.send('queued')
    actor.send('late').then(() => console.log('queued'))
    setTimeout(go, 20).unref()
  `)
  assert.deepEqual(result, { stdout: 'queued\n', stderr: '', code: 0, signal: null })
})

test('hostile_d13_a_handler_that_asks_itself', async (t) => {
  const system = await open(t)
  const ask = () => self.request('again', { timeoutMs: Infinity })
  const asking = [ask, async () => ask(), async () => (await turn(), ask()), () => turn().then(ask)]
  let self
  for (const handler of asking) {
    self = await system.spawnHost(async () => assert.rejects(handler(), { ...cycle, actor: self.id }))
    assert.equal((await self.request('?', { timeoutMs: Infinity })).length, 0)
  }
  // Not caught, it is a crash as any other; and a send is no wait.
  self = await system.spawnHost(ask)
  await assert.rejects(self.request('?'), { code: 'AIRWASM_HANDLER_RAISED' })
  let messages = 0
  self = await system.spawnHost(async () => void (messages++ === 0 && (await self.send('again'))))
  await self.request('?')
  await self.request('?')
  assert.equal(messages, 3)
})

test('hostile_d13_handlers_that_ask_in_a_circle', async (t) => {
  const system = await open(t)
  const ring = []
  const tell = ({ code, message }) => `${code} ${message}`
  const next = async ({ to }) => ring[(ring.findIndex(({ id }) => id === to) + 1) % 3].request('?').catch(tell)
  for (const name of ['a', 'b', 'c']) ring.push(await system.spawnHost(next, { name }))
  assert.match(String(await ring[0].request('?', { timeoutMs: Infinity })), /^AIRWASM_CYCLE .*default\/a\/0/)
  // What is no circle is none: both ask the same third one, at the same time.
  const third = await system.spawnHost(() => turn('third'), { name: 'third' })
  const both = ['d', 'e'].map((name) => system.spawnHost(() => third.request('?'), { name }))
  const answers = await Promise.all((await Promise.all(both)).map((actor) => actor.request('?')))
  assert.deepEqual(answers.map(String), ['third', 'third'])
})

test('hostile_d13_a_guest_between_two_handlers', async (t) => {
  const system = await open(t)
  const relay = await spawnGuest(system, 'relay', { name: 'relay', grants: ['message.request a'] })
  const a = await system.spawnHost(() => relay.request('a you', { timeoutMs: Infinity }), { name: 'a' })
  await assert.rejects(a.request('?', { timeoutMs: Infinity }), /CYCLE|circle/i)
})

test('what outlives its handler asks for itself', async (t) => {
  const system = await open(t)
  const ended = gate()
  let task
  let calls = 0
  const handler = () => {
    if (calls++ > 0) return String(calls)
    task = ended.opened.then(() => actor.request('by the task'))
    task.catch(() => {})
    return 'begun'
  }
  const actor = await system.spawnHost(handler, { name: 'a' })
  assert.equal(String(await actor.request('?')), 'begun')
  ended.open()
  assert.equal(String(await task), '2')
})

test('what outlives its handler closes no circle through its actor', async (t) => {
  const system = await open(t)
  const [begin, end] = [gate(), gate()]
  let task
  const first = () => {
    task = begin.opened.then(() => other.request('by the task'))
  }
  const second = () => (begin.open(), end.opened)
  const steps = [first, second]
  const actor = await system.spawnHost(() => steps.shift()(), { name: 'a' })
  const other = await system.spawnHost(({ payload }) => (String(payload) === 'ask' ? actor.request('?') : payload), { name: 'b' })
  await actor.request('?')
  // Now the other one waits for the actor, and the task for the other one.
  const asked = other.request('ask')
  await begin.opened
  await turn()
  end.open()
  await asked
  assert.equal(String(await task), 'by the task')
})

test('a handler of a life that was killed asks for itself', async (t) => {
  const system = await open(t)
  const [begin, end] = [gate(), gate()]
  let lost
  const first = () => (lost = begin.opened.then(() => actor.request('by the lost one')))
  const second = () => (begin.open(), end.opened)
  const steps = [first, second, ({ payload }) => payload]
  const handler = (message) => steps.shift()(message)
  const supervisor = await system.supervisor({ name: 's', children: [{ handler, name: 'a', shutdownMs: 1 }] })
  const actor = await system.lookup('a')
  const unanswered = assert.rejects(actor.request('first'), { code: 'AIRWASM_ACTOR_STOPPED' })
  while (steps.length > 2) await turn()
  await supervisor.terminateChild(actor)
  await unanswered
  await supervisor.restartChild(actor)
  const answered = actor.request('second')
  await begin.opened
  await turn()
  end.open()
  await answered
  assert.equal(String(await lost), 'by the lost one')
})

test('a handler that asks in another system is nobody there', async (t) => {
  const [one, two] = [await open(t), await open(t)]
  const there = await two.spawnHost(() => 'there', { name: 'a' })
  const here = await one.spawnHost(() => there.request('?'), { name: 'a' })
  assert.equal(String(await here.request('?')), 'there')
})

test('a handler that only asks for its own end is ended when it has answered', async (t) => {
  const system = await open(t)
  const enders = { stop: (actor) => actor.stop(), terminate: (actor, above) => above.terminateChild(actor) }
  for (const [name, end] of Object.entries(enders)) {
    const above = await system.supervisor({ name: `over-${name}` })
    const handler = async () => {
      // Nobody listens to this promise, which is no unhandled rejection.
      end(actor, above)
      await turn()
      return 'answered'
    }
    const actor = await above.startChild({ handler, name })
    const down = actor.monitor()
    assert.equal(String(await actor.request('?')), 'answered')
    assert.equal((await down).reason, 'shutdown')
  }
})

test('hostile_d13_a_handler_that_waits_for_its_own_end', async (t) => {
  const system = await open(t)
  const waits = {
    stop: (actor) => actor.stop({ deadlineMs: Infinity }),
    'stop above': (actor, above) => above.stop({ deadlineMs: Infinity }),
    terminate: (actor, above) => above.terminateChild(actor),
    monitor: (actor) => actor.monitor(),
    'monitor above': (actor, above) => above.monitor(),
    delete: (actor, above) => (above.terminateChild(actor), above.deleteChild(actor)),
    restart: (actor, above) => (above.terminateChild(actor), above.restartChild(actor)),
    start: (actor, above) => (above.terminateChild(actor), above.startChild({ handler: () => 'other', name: 'other' })),
  }
  for (const [name, wait] of Object.entries(waits)) {
    const above = await system.supervisor({ name: `over ${name}`.replace(/ /g, '-'), strategy: 'one_for_all' })
    const ids = new RegExp(`default/inside/0 waits for default/(inside|over-${name.replace(/ /g, '-')})/0`)
    const handler = async () => (await turn(), assert.rejects(() => wait(actor, above), { ...cycle, message: ids }, name))
    const actor = await above.startChild({ handler, name: 'inside', shutdownMs: 3_600_000 })
    const down = actor.monitor()
    assert.equal((await actor.request('?', { timeoutMs: Infinity })).length, 0)
    if (name.startsWith('monitor')) actor.kill()
    await down
    await above.stop().catch(({ code }) => assert.equal(code, 'AIRWASM_ACTOR_STOPPED'))
  }
})

test('hostile_d13_a_handler_that_waits_for_room_for_itself', async (t) => {
  const system = await open(t)
  const seen = []
  const handler = async ({ payload }) => {
    seen.push(String(payload))
    if (seen.length > 1) return
    await actor.send('second')
    await assert.rejects(actor.send('third'), { ...cycle, actor: actor.id })
  }
  const actor = await system.spawnHost(handler, full)
  await actor.request('first')
  await actor.request('last')
  assert.deepEqual(seen, ['first', 'second', 'last'])
})

test('a timer is cancelled only while its message is to come', async (t) => {
  const system = await open(t)
  const heard = gate()
  const actor = await system.spawnHost(() => void heard.open())
  const awake = setInterval(() => {}, 1_000)
  t.after(() => clearInterval(awake))
  const [soon, late] = [await actor.sendAfter('soon', 0), await actor.sendAfter('late', 3_600_000)]
  assert.ok(soon instanceof Timer)
  await heard.opened
  assert.equal(await soon.cancel(), false)
  const repeated = await actor.sendEvery('often', 3_600_000)
  await actor.stop()
  assert.equal(await late.cancel(), false)
  assert.equal(await repeated.cancel(), false)
})

test('a subscription that is over is undone without an error', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(() => 'heard')
  const [first, second] = [await actor.subscribe('news'), await actor.subscribe('news')]
  await first.unsubscribe()
  await first.unsubscribe()
  await actor.stop()
  await system.unsubscribe(second)
})

test('a subscription is gone with its actor, and a restart refuses no request', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(() => 'heard')
  await actor.subscribe('news')
  assert.equal(await system.publish('news', 'x'), 1)
  await actor.stop()
  assert.equal(await system.publish('news', 'x'), 0)
  const crash = ({ payload }) => {
    if (String(payload) === 'crash') throw new Error('on purpose')
    return payload
  }
  const children = ['a', 'b'].map((name) => ({ handler: crash, name }))
  await system.supervisor({ name: 's', strategy: 'one_for_all', backoff: { initialMs: 0 }, children })
  const events = system.events('actor.restarted')
  const [a, b] = [await system.lookup('a'), await system.lookup('b')]
  const crashed = a.request('crash')
  const asked = Array.from({ length: 20 }, (_, n) => b.request(String(n)))
  await assert.rejects(crashed, { code: 'AIRWASM_HANDLER_RAISED' })
  assert.deepEqual((await Promise.all(asked)).map(String), Array.from({ length: 20 }, (_, n) => String(n)))
  await nextEvent(events, ({ actor }) => actor === b.id)
})
