// Supervisors and their children: what a spec may be, and who is whose.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Actor, AirwasmError, Supervisor, System, UNLIMITED } from '@airssys/wasm'
import { argument, collector, guest, nextEvent, open, refused, until } from './helper.mjs'

const upper = ({ payload }) => String(payload).toUpperCase()
const ids = (all) => all.map(({ id }) => id)
const atOnce = { initialMs: 0 }

test('guests, functions and supervisors are children, mixed and nested', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  const top = await system.supervisor({
    name: 'top',
    strategy: 'rest_for_one',
    intensity: 3,
    periodMs: 60_000,
    backoff: { initialMs: 1, maxMs: 2, factor: 1.5, jitter: 0.5 },
    giveUp: 'ignore',
    autoShutdown: 'any_significant',
    children: [
      { component, name: 'tools/hello/1', restart: 'transient', significant: true, shutdownMs: 100 },
      { handler: upper, name: 'upper', limits: { mailboxMessages: 5 }, overflow: 'drop_oldest', errorsMax: 3, errorPeriodMs: 50 },
      { name: 'in', restart: 'temporary', children: [{ handler: async () => 'deep', name: 'deep' }] },
      { name: 'empty', children: [] },
    ],
  })
  assert.ok(top instanceof Supervisor && top instanceof Actor)
  assert.equal(top.id, 'default/top/0')
  assert.deepEqual(ids(await top.children()), ['tools/hello/1', 'default/upper/0', 'default/in/0', 'default/empty/0'])
  assert.equal(String(await (await system.lookup('tools/hello/1')).request('you')), 'hello you')
  assert.equal(String(await (await system.lookup('upper')).request('you')), 'YOU')
  const [node, ...others] = await system.tree()
  assert.deepEqual(others, [])
  assert.equal(Object.hasOwn(node, 'restart'), false)
  assert.deepEqual(node.children.map(({ restart }) => restart), ['transient', 'permanent', 'temporary', 'permanent'])
  assert.deepEqual(node.children.map(({ actor }) => actor.id), ids(await system.children(top)))
  const [deep] = node.children[2].children
  assert.equal(String(await deep.actor.request('?')), 'deep')
  assert.deepEqual([deep.status.id, deep.status.state, deep.children], ['default/deep/0', 'running', []])
  assert.ok(deep.status.busyMs >= 0 && deep.status.lastExit === undefined)
})

test('a supervisor is an actor that takes no messages', async (t) => {
  const system = await open(t)
  const supervisor = await system.supervisor({ name: 's' })
  const found = await system.lookup('s')
  for (const it of [supervisor, found]) {
    await assert.rejects(it.send('x'), { code: 'AIRWASM_INVALID_HANDLE' })
    await assert.rejects(it.request('x'), { code: 'AIRWASM_INVALID_HANDLE' })
    assert.equal((await it.status()).state, 'running')
    assert.deepEqual(await system.children(it), [])
  }
  const actor = await system.spawnHost(upper)
  await assert.rejects(system.children(actor), { code: 'AIRWASM_INVALID_HANDLE' })
  await found.stop()
  assert.equal((await supervisor.status()).lastExit, 'shutdown')
  await assert.rejects(supervisor.startChild({ handler: upper, name: 'late' }), { code: 'AIRWASM_ACTOR_STOPPED' })
})

test('children come, go and come back, by the object and by the system', async (t) => {
  const system = await open(t)
  const supervisor = await system.supervisor({ name: 's', backoff: atOnce })
  for (const on of [supervisor, { ...bound(system, supervisor) }]) {
    const child = await on.startChild({ handler: upper, name: 'child' })
    assert.ok(child instanceof Actor && !(child instanceof Supervisor))
    const inner = await on.startChild({ name: 'inner', children: [{ handler: upper, name: 'deep' }] })
    assert.ok(inner instanceof Supervisor)
    assert.deepEqual(ids(await inner.children()), ['default/deep/0'])
    await assert.rejects(on.deleteChild(child), AirwasmError)
    assert.equal(await on.terminateChild(child), undefined)
    await assert.rejects(child.request('x'), { code: 'AIRWASM_ACTOR_STOPPED' })
    assert.equal(await on.restartChild(child), undefined)
    assert.equal(String(await child.request('x')), 'X')
    for (const each of [child, inner]) {
      await on.terminateChild(each)
      assert.equal(await on.deleteChild(each), undefined)
    }
    assert.deepEqual(await on.children(), [])
    await assert.rejects(system.lookup('child'), { code: 'AIRWASM_ACTOR_NOT_FOUND' })
  }
})

/** The methods of a system that take a supervisor, with that supervisor. */
function bound(system, supervisor) {
  const names = ['children', 'startChild', 'terminateChild', 'restartChild', 'deleteChild']
  return Object.fromEntries(names.map((name) => [name, (...rest) => system[name](supervisor, ...rest)]))
}

test('a function that throws is started again, and what waits comes after', async (t) => {
  const system = await open(t)
  const events = system.events('actor.restarted')
  let calls = 0
  const handler = () => {
    if (calls++ === 0) throw new Error('first')
    return String(calls)
  }
  await system.supervisor({ name: 's', backoff: atOnce, children: [{ handler, name: 'a' }] })
  const actor = await system.lookup('a')
  const [first, second] = await Promise.allSettled([actor.request('?'), actor.request('?')])
  assert.equal(first.reason.code, 'AIRWASM_HANDLER_RAISED')
  assert.equal(String(second.value), '2')
  await nextEvent(events, (event) => event.actor === actor.id)
  assert.equal((await actor.status()).restarts, 1)
  assert.match((await actor.status()).lastExit, /first/)
})

test('a spec is only read: it can be used again', async (t) => {
  const system = await open(t)
  const spec = Object.freeze({ name: 's', children: Object.freeze([Object.freeze({ handler: upper, name: 'a' })]) })
  for (let n = 0; n < 3; n++) {
    const supervisor = await system.supervisor(spec)
    assert.equal(String(await (await system.lookup('a')).request('x')), 'X')
    await supervisor.stop()
  }
})

test('wrong types in a spec are refused by a rejection that names the field', async (t) => {
  const system = await open(t)
  const supervisor = await system.supervisor({ name: 's' })
  const wrong = [null, 7, 7n, true, Symbol('s'), () => {}]
  const child = (fields) => () => system.supervisor({ name: 'x', children: [{ handler: upper, name: 'a' }, fields] })
  for (const value of [...wrong, undefined, 'text', []]) {
    await refused('spec', () => system.supervisor(value))
    await refused('child', () => supervisor.startChild(value))
    await refused('supervisor', () => system.startChild(value, { handler: upper }))
    await refused('child', () => supervisor.terminateChild(value))
    await refused('child', () => supervisor.restartChild(value))
    await refused('child', () => supervisor.deleteChild(value))
    await refused('supervisor', () => system.children(value))
    await refused('children[1]', child(value))
    if (value === undefined) continue
    await refused('children', () => system.supervisor({ name: 'x', children: Array.isArray(value) ? {} : value }))
    await refused('backoff', () => system.supervisor({ name: 'x', backoff: value }))
    await refused('children[1].component', child({ component: value }))
    if (typeof value !== 'function') await refused('children[1].handler', child({ handler: value }))
    if (Array.isArray(value)) continue
    await refused('children[1].children', child({ name: 'y', children: value }))
  }
  for (const value of wrong) {
    await refused('name', () => system.supervisor({ name: value }))
    for (const word of ['strategy', 'giveUp', 'autoShutdown', 'restart']) {
      await refused(word, () => system.supervisor({ name: 'x', [word]: value }))
    }
    await refused('children[1].overflow', child({ handler: upper, overflow: value }))
  }
  await refused('name', () => system.supervisor({}))
  await refused('children[1].name', child({ children: [] }))
  for (const value of [null, '5', -1, NaN, {}]) {
    for (const key of ['intensity', 'periodMs']) await refused(key, () => system.supervisor({ name: 'x', [key]: value }))
    for (const key of ['initialMs', 'maxMs', 'factor', 'jitter']) {
      await refused(`backoff.${key}`, () => system.supervisor({ name: 'x', backoff: { [key]: value } }))
    }
    for (const key of ['healthIntervalMs', 'healthMissed', 'errorsMax', 'errorPeriodMs', 'shutdownMs']) {
      await refused(`children[1].${key}`, child({ handler: upper, [key]: value }))
    }
    await refused('children[1].significant', child({ handler: upper, significant: value }))
    await refused('children[1].children[0].limits.handles', child({ name: 'y', children: [{ handler: upper, limits: { handles: value } }] }))
  }
  await refused('intensity', () => system.supervisor({ name: 'x', intensity: 1.5 }))
  assert.deepEqual(ids(await system.list()), ['default/s/0'])
})

test('a count of what happens has no bound or one that the core can hold', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  const makers = {
    intensity: (value) => system.supervisor({ name: 'x', intensity: value }),
    health_missed: (value) => system.spawn(component, { healthIntervalMs: 3_600_000, healthMissed: value }),
    errors_max: (value) => system.spawn(component, { errorsMax: value }),
  }
  for (const [which, make] of Object.entries(makers)) {
    for (const value of [2 ** 32, Number.MAX_SAFE_INTEGER]) {
      await assert.rejects(make(value), { code: 'AIRWASM_INVALID_ARGUMENT', which, message: /is not 0 to 4294967295/ })
    }
    for (const value of [0, 2 ** 32 - 1, UNLIMITED]) await (await make(value)).stop()
  }
})

test('a child is of one kind, and an option that nobody reads is refused', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  const supervisor = await system.supervisor({ name: 's' })
  for (const child of [{}, { name: 'a' }, { component, handler: upper }, { handler: upper, children: [] }, { component: undefined }]) {
    await refused('child', () => supervisor.startChild(child))
  }
  await refused('strategy', () => supervisor.startChild({ handler: upper, strategy: 'one_for_all' }))
  await refused('budget', () => supervisor.startChild({ name: 'x', children: [], budget: {} }))
  await refused('component', () => system.supervisor({ name: 'x', component }))
  await refused('period', () => system.supervisor({ name: 'x', period: 5 }))
  await refused('backoff.initial', () => system.supervisor({ name: 'x', backoff: { initial: 5 } }))
  await refused('children[0].cpuMs', () => system.supervisor({ name: 'x', children: [{ component, cpuMs: 5 }] }))
  await refused('children[0]', () => system.supervisor({ name: 'x', children: [, { component }] }))
})

test('a supervisor below itself, and one far down', async (t) => {
  const system = await open(t)
  const circle = { name: 'circle', children: [] }
  circle.children.push({ name: 'between', children: [circle] })
  await refused('children[0].children[0]', () => system.supervisor(circle))
  const nested = (depth) => ({ name: `n-${depth}`, children: depth > 0 ? [nested(depth - 1)] : [] })
  for (const depth of [40, 100, 1_000]) await assert.rejects(system.supervisor(nested(depth)), { code: 'AIRWASM_INVALID_CHILD' })
  await system.supervisor(nested(10))
  assert.equal((await system.list()).length, 11)
})

test('the core decides what a word may be', async (t) => {
  const system = await open(t)
  for (const [key, which] of [['strategy', 'strategy'], ['giveUp', 'give_up'], ['autoShutdown', 'auto_shutdown'], ['restart', 'restart']]) {
    await assert.rejects(system.supervisor({ name: 's', [key]: 'sometimes' }), argument(which))
  }
  const child = (fields) => system.supervisor({ name: 's', children: [{ handler: upper, name: 'a', ...fields }] })
  await assert.rejects(child({ overflow: 'sometimes' }), argument('overflow'))
  await assert.rejects(child({ restart: 'sometimes' }), argument('restart'))
  await assert.rejects(child({ name: 'No' }), argument('name'))
  await assert.rejects(child({ name: 's' }), { code: 'AIRWASM_ALREADY_EXISTS' })
  await assert.rejects(child({ significant: true }), { code: 'AIRWASM_INVALID_CHILD' })
  assert.deepEqual(await system.tree(), [])
})

test('two systems never meet in a tree', async (t) => {
  const [one, two] = [await open(t), await open(t)]
  const foreign = { code: 'AIRWASM_INVALID_HANDLE', number: 11 }
  const component = await one.load(guest('hello'))
  const supervisor = await one.supervisor({ name: 's', children: [{ handler: upper, name: 'a' }] })
  const child = await one.lookup('a')
  const here = await two.supervisor({ name: 's' })
  await assert.rejects(two.supervisor({ name: 't', children: [{ component }] }), foreign)
  await assert.rejects(two.children(supervisor), foreign)
  await assert.rejects(two.startChild(supervisor, { handler: upper }), foreign)
  await assert.rejects(here.startChild({ component }), foreign)
  for (const call of ['terminateChild', 'restartChild', 'deleteChild']) await assert.rejects(here[call](child), foreign)
  assert.deepEqual(await here.children(), [])
  assert.equal((await child.status()).state, 'running')
})

test('hostile_k6_a_tree_that_is_refused_or_ends_lets_go_of_its_functions', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('start-loop'))
  const gone = new Set()
  const registry = new FinalizationRegistry((name) => gone.add(name))
  const child = (name) => {
    const handler = () => 'answer'
    registry.register(handler, name)
    return { handler, name }
  }
  const refusals = [
    ['type', () => ({ children: [child('type'), { handler: 7 }] })],
    ['word', () => ({ children: [child('word'), { handler: upper, name: 'x', restart: 'sometimes' }] })],
    ['top', () => ({ strategy: 'sometimes', children: [child('top')] })],
    ['inner', () => ({ children: [{ name: 'in', giveUp: 'sometimes', children: [child('inner')] }] })],
    ['taken', () => ({ children: [child('taken'), { handler: upper, name: 'taken' }] })],
    ['start', () => ({ children: [child('start'), { component, name: 'loop', budget: { cpuMs: 20 } }] })],
  ]
  for (const [, spec] of refusals) await assert.rejects(system.supervisor({ name: 's', ...spec() }), AirwasmError)
  const supervisor = await system.supervisor({ name: 's', children: [child('ended')] })
  await assert.rejects(supervisor.startChild({ ...child('late'), restart: 'sometimes' }), AirwasmError)
  await supervisor.stop()
  const wanted = [...refusals.map(([name]) => name), 'ended', 'late']
  await until(() => wanted.every((name) => gone.has(name)), collector())
})

test('a closed system makes no supervisors', async () => {
  const system = await System.open()
  const supervisor = await system.supervisor({ name: 's', children: [{ handler: upper, name: 'a' }] })
  const report = await system.close()
  assert.equal(report.killed, 0)
  const closed = { code: 'AIRWASM_CLOSED', number: 12 }
  await assert.rejects(system.supervisor({ name: 't' }), closed)
  await assert.rejects(supervisor.startChild({ handler: upper }), closed)
  await assert.rejects(supervisor.children(), closed)
  await assert.rejects(system.tree(), closed)
})
