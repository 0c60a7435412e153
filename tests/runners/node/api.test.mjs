// The public surface: what it accepts, what it refuses, what it is made of.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import * as airwasm from '@airssys/wasm'
import {
  Actor, AirwasmError, codes, Component, Failure, Grant, Subscription, Supervisor, System, Timer, UNLIMITED,
} from '@airssys/wasm'
import { argument, guest, open, refused, spawnGuest } from './helper.mjs'

test('wrong types are refused by a rejection that names the argument', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  const actor = await system.spawn(component)
  const grant = await actor.grant('fs.read /srv/notes')
  const wrong = [undefined, null, 7, 7n, true, Symbol('s'), {}, [], () => {}, new ArrayBuffer(1), new Uint16Array(1)]
  for (const value of wrong) {
    await refused('payload', () => actor.request(value))
    await refused('payload', () => actor.send(value))
    await refused('component', () => system.loadBytes(value))
    await refused('component', () => system.spawn(value))
    await refused('component', () => system.inspect(value))
    await refused('component', () => system.unload(value))
    await refused('actor', () => system.request(value, 'text'))
    await refused('actor', () => system.status(value))
    await refused('grant', () => system.revoke(value))
    await refused('id', () => system.lookup(value))
    if (typeof value !== 'function') await refused('handler', () => system.spawnHost(value))
  }
  for (const value of [undefined, null, 7, {}, new URL('https://example.com/a.wasm')]) {
    await refused('path', () => system.load(value))
  }
  for (const value of [null, 7, 'text', []]) await refused('options', () => actor.request('text', value))
  for (const value of [null, '5', -1, NaN, {}]) {
    await refused('timeoutMs', () => actor.request('text', { timeoutMs: value }))
    await refused('ttlMs', () => actor.grant('fs.read /a', { ttlMs: value }))
    await refused('deadlineMs', () => actor.stop({ deadlineMs: value }))
    await refused('deadlineMs', () => system.close({ deadlineMs: value }))
    await refused('budget.cpuMs', () => system.spawn(component, { budget: { cpuMs: value } }))
    await refused('limits.handles', () => system.spawn(component, { limits: { handles: value } }))
  }
  await refused('limits.handles', () => system.spawn(component, { limits: { handles: 1.5 } }))
  for (const value of [null, 7, 'text', {}]) {
    await refused('signal', () => actor.request('text', { signal: value }))
    await refused('grants', () => system.spawn(component, { grants: value }))
  }
  for (const value of [null, 7, 'text', {}]) await refused('args', () => system.spawn(component, { args: value }))
  for (const value of [null, 7, 'text', []]) await refused('env', () => system.spawn(component, { env: value }))
  await refused('args[1]', () => system.spawn(component, { args: ['a', 7] }))
  await refused('env.B', () => system.spawn(component, { env: { A: 'a', B: 7 } }))
  await refused('env', () => system.spawn(component, { env: { 'A=B': 'c' } }))
  await refused('grants[1]', () => system.spawn(component, { grants: ['fs.read /a', 7] }))
  await refused('capability', () => actor.grant(7))
  await refused('name', () => system.spawn(component, { name: 7 }))
  await refused('restart', () => system.spawn(component, { restart: 7 }))
  const circle = {}
  circle.self = circle
  for (const value of [circle, 1n, () => {}]) await refused('config', () => system.spawn(component, { config: value }))
  await refused('kinds', () => system.events(7).next())
  await refused('policy', () => System.open({ policy: 7 }))
  assert.equal(await grant.revoke(), 0)
  assert.equal(String(await actor.request('you')), 'hello you')
})

test('an option that nobody reads is refused', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  await refused('grant', () => system.spawn(component, { grant: ['fs.read /a'] }))
  await refused('budget.cpu_ms', () => system.spawn(component, { budget: { cpu_ms: 5 } }))
  await refused('component', () => system.spawnHost(() => {}, { component }))
  const actor = await system.spawn(component)
  await refused('timeout', () => actor.request('', { timeout: 5 }))
  await refused('toString', () => system.spawn(component, { toString: 'text' }))
})

test('the core decides what a value may be', async (t) => {
  const system = await open(t)
  const component = await system.load(guest('hello'))
  await assert.rejects(system.spawn(component, { restart: 'sometimes' }), argument('restart'))
  await assert.rejects(system.spawn(component, { budget: { cpuMs: 0 } }), argument('cpu_ms'))
  await assert.rejects(system.spawn(component, { name: 'No' }), argument('name'))
  await assert.rejects(system.events('no kind!').next(), argument('kinds'))
  await assert.rejects(System.open({ profile: 'fast' }), argument('profile'))
  await assert.rejects(System.open({ policy: 'none.yaml' }), { code: 'AIRWASM_POLICY_INVALID' })
  await assert.rejects(System.open({ cacheDir: '/no/such/cache' }), { code: 'AIRWASM_IO' })
  await assert.rejects(system.spawn(component, { budget: { fuel: 5n } }), argument('fuel'))
  const all = { cpuMs: UNLIMITED, wallMs: UNLIMITED, fuel: UNLIMITED, outputBytes: UNLIMITED, hostCalls: UNLIMITED }
  const actor = await system.spawn(component, { budget: all, limits: { memoryBytes: UNLIMITED }, name: undefined })
  assert.equal(String(await actor.request('you', { timeoutMs: UNLIMITED })), 'hello you')
})

test('the helper that compiles may be a command', async (t) => {
  await assert.rejects(System.open({ compileHelper: 'node' }), argument('compileHelper'))
  for (const command of [[], ['node'], ['/no/such/program']]) {
    await assert.rejects(System.open({ compileHelper: command }), argument('compile_helper'))
  }
  const system = await System.open({ compileHelper: [process.execPath, '-e', 'process.exit(1)'] })
  t.after(() => system.close())
  await assert.rejects(system.load(guest('hello')), { code: 'AIRWASM_INTERNAL' })
})

test('payloads are text or bytes, and are copied', async (t) => {
  const system = await open(t)
  const echo = await spawnGuest(system, 'echo')
  const buffer = Buffer.from('abcdef')
  const answer = echo.request(buffer.subarray(2, 4))
  buffer.fill('x')
  assert.deepEqual(await answer, Buffer.from('cd'))
  assert.deepEqual(await echo.request('grüße'), Buffer.from('grüße'))
  assert.deepEqual(await echo.request(new Uint8Array()), Buffer.alloc(0))
  assert.deepEqual(await echo.request(Uint8Array.of(0, 255, 128)), Buffer.of(0, 255, 128))
  assert.ok(Buffer.isBuffer(await echo.request('')))
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7)
  assert.deepEqual(await echo.request(shared), Buffer.of(7, 7, 7))
  const large = Buffer.alloc(1 << 20, 'ab')
  assert.ok(large.equals(await echo.request(large)))
})

test('two systems never meet', async (t) => {
  const [one, two] = [await open(t), await open(t)]
  const events = two.events('*')
  const component = await one.load(guest('hello'))
  const actor = await one.spawn(component, { name: 'hello' })
  const grant = await actor.grant('fs.read /srv/notes')
  const same = await spawnGuest(two, 'hello', { name: 'hello' })
  const foreign = { code: 'AIRWASM_INVALID_HANDLE', number: 11 }
  await assert.rejects(two.spawn(component), foreign)
  await assert.rejects(two.inspect(component), foreign)
  await assert.rejects(two.request(actor, 'x'), foreign)
  await assert.rejects(two.kill(actor), foreign)
  await assert.rejects(two.revoke(grant), foreign)
  await one.close()
  await assert.rejects(actor.request('x'), { code: 'AIRWASM_CLOSED' })
  assert.equal(String(await same.request('two')), 'hello two')
  assert.equal((await two.stats()).actors, 1)
  await two.close()
  for await (const { kind, actor: of } of events) assert.ok(of === undefined || of === same.id, `${kind} ${of}`)
})

test('an event stream ends by break, by return and with its system', async (t) => {
  const system = await open(t)
  const broken = system.events('actor.*')
  const waiting = system.events('actor.*')
  const ended = waiting.next()
  await waiting.return()
  // It waited before the end, and may have seen nothing.
  assert.deepEqual(await ended, { done: true, value: undefined })
  assert.deepEqual(await waiting.next(), { done: true, value: undefined })
  const hello = await spawnGuest(system, 'hello', { name: 'hello' })
  for await (const event of broken) {
    assert.equal(event.kind, 'actor.started')
    assert.equal(event.actor, hello.id)
    assert.equal(typeof event.seq, 'bigint')
    assert.ok(event.time instanceof Date && Math.abs(event.time - Date.now()) < 60_000)
    assert.equal(typeof event.detail, 'object')
    break
  }
  assert.deepEqual(await broken.next(), { done: true, value: undefined })
  const last = system.events('actor.stopped')
  const both = Promise.all([last.next(), last.next()])
  await system.close()
  const [first, second] = await both
  assert.equal(first.value.actor, hello.id)
  assert.deepEqual(second, { done: true, value: undefined })
  await assert.rejects(system.events('*').next(), { code: 'AIRWASM_CLOSED' })
})

test('everything that takes an actor or a grant is on both objects', async (t) => {
  const system = await open(t)
  const component = await system.load(pathToFileURL(guest('reader')))
  assert.match(component.digest, /^sha256:[0-9a-f]{64}$/)
  const again = await system.loadBytes(await readFile(guest('reader')))
  assert.equal(again.digest, component.digest)
  const reader = await system.spawn(component, { name: 'reader', grants: ['fs.list /'] })
  assert.equal(reader.id, 'default/reader/0')
  assert.equal((await system.lookup('reader')).id, reader.id)
  const path = guest('hello')
  const denied = { code: 'AIRWASM_DENIED', capability: `fs.read ${path}`, policyLine: `- fs.read ${path}`, actor: reader.id }
  await assert.rejects(reader.request(path), denied)
  await assert.rejects(system.request(reader, path), denied)
  const grant = await system.grant(reader, { capability: 'fs.read', scope: path }, { ttlMs: 60_000 })
  const [info] = (await reader.grants()).filter(({ capability }) => capability.startsWith('fs.read'))
  assert.equal(info.capability, `fs.read ${path}`)
  assert.ok(info.ttlMs > 0 && info.ttlMs <= 60_000)
  assert.equal((await reader.request(path)).length, (await readFile(path)).length)
  assert.equal(await info.grant.revoke(), 0)
  await assert.rejects(system.revoke(grant), { code: 'AIRWASM_NOT_FOUND' })
  await assert.rejects(reader.request(path), denied)
  assert.equal((await system.list()).length, 1)
  assert.deepEqual(await system.status(reader), await reader.status())
  await system.stop(reader, { deadlineMs: 1_000 })
  await assert.rejects(system.send(reader, 'x'), { code: 'AIRWASM_ACTOR_STOPPED' })
  await system.unload(component)
  await assert.rejects(system.inspect(component), { code: 'AIRWASM_NOT_FOUND' })
  assert.equal(system.isClosed(), false)
  assert.deepEqual(Object.keys(await system.close()), ['stopped', 'killed', 'deadLetters'])
  assert.equal(system.isClosed(), true)
})

test('a closed system refuses, and closing again reports the same', async (t) => {
  const system = await open(t)
  let begin
  const begun = new Promise((resolve) => (begin = resolve))
  const never = await system.spawnHost(() => (begin(), new Promise(() => {})))
  const waiting = never.request('?')
  waiting.catch(() => {})
  await begun
  const report = await system.close({ deadlineMs: 10 })
  assert.deepEqual(report, { stopped: 0, killed: 1, deadLetters: 0 })
  await assert.rejects(waiting, AirwasmError)
  assert.deepEqual(await system.close(), report)
  const closed = { code: 'AIRWASM_CLOSED', number: 12 }
  await assert.rejects(system.load(guest('hello')), closed)
  await assert.rejects(never.request('?'), closed)
  await assert.rejects(system.spawnHost(() => {}), closed)
  await assert.rejects(system.lookup('x'), closed)
})

test('await using closes', async () => {
  const system = await System.open()
  await system[Symbol.asyncDispose]()
  assert.equal(system.isClosed(), true)
})

test('import and require give the same classes', () => {
  const required = createRequire(import.meta.url)('@airssys/wasm')
  assert.deepEqual(Object.keys(required).sort(), Object.keys(airwasm).sort())
  for (const name of Object.keys(airwasm)) assert.equal(required[name], airwasm[name])
  assert.deepEqual(Object.keys(airwasm).sort(), [
    'Actor', 'AirwasmError', 'Component', 'Failure', 'Grant', 'Subscription', 'Supervisor', 'System', 'Timer', 'UNLIMITED', 'codes',
  ])
})

test('version and codes come from the core', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../../bindings-node/package.json', import.meta.url), 'utf8'))
  assert.equal(System.version(), version)
  assert.equal(codes.AIRWASM_DENIED, 30)
  assert.equal(codes.AIRWASM_PANIC, 131)
  assert.ok(Object.isFrozen(codes))
  for (const [name, number] of Object.entries(codes)) {
    assert.match(name, /^AIRWASM_[A-Z_]+$/)
    assert.ok(Number.isInteger(number))
  }
})

test('classes that only a system makes cannot be made by hand', () => {
  for (const made of [Actor, Component, Grant, Subscription, Supervisor, System, Timer]) assert.equal(typeof made, 'function')
  for (const made of [Actor, Supervisor]) assert.throws(() => new made(), argument('actor'))
  assert.ok(new Failure('code', 'text') instanceof Error)
  assert.equal(UNLIMITED, Infinity)
})
