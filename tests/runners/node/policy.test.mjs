// The policy in force: given at the open, loaded, watched, explained, tested.

import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { System } from '@airssys/wasm'
import { argument, nextEvent, open, refused, script, spawnGuest } from './helper.mjs'

/** A folder of the test's own: a file to read, a private one, and a policy that tells them apart. */
async function place(t) {
  const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
  t.after(() => rm(folder, { recursive: true }))
  const [policy, open, secret] = ['policy.yaml', 'open', 'secret'].map((name) => join(folder, name))
  await writeFile(open, 'text')
  await writeFile(secret, 'hidden')
  await writeFile(policy, `version: 1
rules:
  - actors: [reader]
    allow: ["fs.read ${folder}/*", custom.billing charge]
    deny: ["fs.read ${secret}"]
tests:
  - { actor: reader, allow: "fs.read ${open}" }
  - { actor: reader, deny: "fs.read ${secret}" }
`)
  return { folder, policy, open, secret, rule: `${policy}:5 fs.read ${secret}` }
}

/** Replaces a file at once, so that whoever watches it never sees half of it. */
async function replace(path, text) {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

test('wrong types are refused by a rejection that names the argument', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(() => {})
  for (const value of [undefined, null, 7, 7n, true, {}, [], () => {}, new URL('https://example.com/policy.yaml')]) {
    await refused('path', () => system.policyLoad(value))
    await refused('path', () => System.auditVerify(value))
    if (value !== undefined) await refused('policy', () => System.open({ policy: value }))
  }
  for (const value of [undefined, null, 7, 7n, true, () => {}]) {
    await refused('actor', () => system.policyExplain(value, 'clock'))
    await refused('capability', () => system.policyExplain('a', value))
    await refused('capability', () => actor.check(value))
    await refused('actor', () => system.check(value, 'clock'))
  }
  await refused('actor', () => system.policyExplain(actor, 'clock'))
  await refused('actor', () => system.check(actor.id, 'clock'))
  for (const value of [null, '5', -1, NaN, {}]) await refused('policyWatchMs', () => System.open({ policyWatchMs: value }))
  await assert.rejects(System.open({ policyWatchMs: 0 }), argument('policy_watch_ms'))
  await assert.rejects(system.policyExplain('No Id', 'clock'), argument('actor'))
  await assert.rejects(system.policyExplain('a', 'fs.read /a/**'), argument('capability'))
  await assert.rejects(actor.check('fs.read /a/**'), argument('capability'))
})

test('a policy given at the open denies with its rule, and explains and tests itself', async (t) => {
  const { policy, open: file, secret, rule, folder } = await place(t)
  const system = await open(t, { policy: pathToFileURL(policy) })
  const reader = await spawnGuest(system, 'reader', { name: 'reader', grants: [`fs.read ${folder}/**`] })
  assert.equal(String(await reader.request(file)), 'text')
  await assert.rejects(reader.request(secret), { code: 'AIRWASM_DENIED', number: 30, rule, policyLine: '', capability: `fs.read ${secret}` })
  const denied = await system.policyExplain('reader', `fs.read ${secret}`)
  const beaten = `${policy}:4 fs.read ${folder}/*`
  assert.deepEqual({ ...denied }, { allowed: false, text: `deny: ${rule} beats ${beaten}`, rule, beaten })
  assert.equal(String(denied), denied.text)
  assert.equal(`${denied}`, denied.text)
  const allowed = await system.policyExplain(reader.id, { capability: 'fs.read', scope: file })
  assert.deepEqual({ ...allowed }, { allowed: true, text: `allow: ${beaten}`, rule: beaten })
  const nothing = await system.policyExplain('nobody', 'clock')
  assert.equal(nothing.allowed, false)
  assert.match(nothing.policyLine, /clock/)
  assert.deepEqual([Object.hasOwn(nothing, 'rule'), Object.hasOwn(nothing, 'beaten')], [false, false])
  assert.deepEqual(await system.policyTest(), { passed: 2, failed: [] })
})

test('without a policy nothing is allowed by one, and there is nothing to test', async (t) => {
  const system = await open(t)
  assert.equal((await system.policyExplain('a', 'clock')).allowed, false)
  assert.deepEqual(await system.policyTest(), { passed: 0, failed: [] })
})

test('a policy that is refused leaves the one before, and opens no system', async (t) => {
  const { policy, open: file, folder } = await place(t)
  const system = await open(t, { policy })
  const reader = await spawnGuest(system, 'reader', { name: 'reader' })
  const rejected = system.events('policy.rejected')
  const bad = join(folder, 'bad.yaml')
  await writeFile(bad, 'version: 1\nrules:\n  - actors: [reader]\n    dney: [clock]\n')
  const invalid = (error) => {
    assert.deepEqual([error.code, error.number], ['AIRWASM_POLICY_INVALID', 110])
    assert.deepEqual(error.detail, { file: bad, line: 4, column: 5 })
    return true
  }
  await assert.rejects(system.policyLoad(bad), invalid)
  await assert.rejects(System.open({ policy: bad }), invalid)
  assert.equal((await rejected.next()).value.detail.code, 'POLICY_INVALID')
  await writeFile(bad, 'version: 1\ntests:\n  - { actor: reader, deny: clock }\n  - { actor: reader, allow: clock }\n')
  await assert.rejects(system.policyLoad(bad), ({ code, detail: { passed, failed } }) => {
    assert.deepEqual([code, passed, failed.length], ['AIRWASM_POLICY_TEST_FAILED', 1, 1])
    assert.match(failed[0], /bad\.yaml:4/)
    return true
  })
  await assert.rejects(System.open({ policy: bad }), { code: 'AIRWASM_POLICY_TEST_FAILED' })
  assert.equal(String(await reader.request(file)), 'text')
  assert.equal((await system.policyTest()).passed, 2)
})

test('a policy that is loaded counts for those that live', async (t) => {
  const { policy, open: file, rule } = await place(t)
  const system = await open(t)
  const reader = await spawnGuest(system, 'reader', { name: 'reader' })
  const loaded = system.events('policy.loaded')
  await assert.rejects(reader.request(file), { code: 'AIRWASM_DENIED', policyLine: `- fs.read ${file}` })
  const loading = system.policyLoad(policy)
  assert.ok(loading instanceof Promise)
  assert.equal(await loading, undefined)
  assert.equal((await loaded.next()).value.detail.file, policy)
  assert.equal(String(await reader.request(file)), 'text')
  await Promise.all(Array.from({ length: 20 }, () => system.policyLoad(pathToFileURL(policy))))
  assert.equal((await system.policyExplain('reader', `fs.read ${file.replace(/open$/, 'secret')}`)).rule, rule)
})

test('a policy is loaded from inside a handler', async (t) => {
  const { policy, open: file } = await place(t)
  const system = await open(t)
  const reader = await spawnGuest(system, 'reader', { name: 'reader' })
  const loader = await system.spawnHost(async () => {
    await system.policyLoad(policy)
    return reader.request(file)
  })
  assert.equal(String(await loader.request('?')), 'text')
})

test('a policy that is watched is loaded again when its file changes', async (t) => {
  const { policy, open: file } = await place(t)
  const system = await open(t, { policy, policyWatchMs: 5 })
  const reader = await spawnGuest(system, 'reader', { name: 'reader' })
  const events = system.events('policy.*')
  await replace(policy, `version: 1\nrules:\n  - actors: [reader]\n    deny: ["fs.read ${file}"]\n`)
  await nextEvent(events, ({ kind }) => kind === 'policy.loaded')
  await assert.rejects(reader.request(file), { code: 'AIRWASM_DENIED', rule: `${policy}:4 fs.read ${file}` })
  await replace(policy, 'no policy')
  const { detail } = await nextEvent(events, ({ kind }) => kind === 'policy.rejected')
  assert.deepEqual([detail.file, detail.code], [policy, 'POLICY_INVALID'])
  await assert.rejects(reader.request(file), { code: 'AIRWASM_DENIED' })
})

test('a sealed policy refuses grants from code', async (t) => {
  const { policy, open: file } = await place(t)
  await replace(policy, 'version: 1\nsealed: true\n')
  const system = await open(t, { policy })
  const sealed = { code: 'AIRWASM_DENIED', rule: 'sealed' }
  await assert.rejects(spawnGuest(system, 'reader', { name: 'reader', grants: ['fs.read /a'] }), sealed)
  const reader = await spawnGuest(system, 'reader', { name: 'reader' })
  await assert.rejects(reader.grant(`fs.read ${file}`), sealed)
  await assert.rejects(reader.request(file), { code: 'AIRWASM_DENIED' })
})

test('a program checks what an actor may do, by the actor and by the system', async (t) => {
  const { policy } = await place(t)
  const [system, other] = [await open(t, { policy }), await open(t)]
  const actor = await system.spawnHost(() => {}, { name: 'reader' })
  assert.equal(await actor.check('custom.billing charge'), undefined)
  assert.equal(await system.check(actor, { capability: 'custom.billing', scope: 'charge' }), undefined)
  const denied = { code: 'AIRWASM_DENIED', actor: actor.id, policyLine: '- custom.billing refund' }
  await assert.rejects(actor.check('custom.billing refund'), denied)
  await assert.rejects(system.check(actor, 'custom.billing refund'), denied)
  assert.equal((await system.stats()).denied, 2)
  await assert.rejects(other.check(actor, 'clock'), { code: 'AIRWASM_INVALID_HANDLE' })
})

test('a closed system has no policy', async (t) => {
  const { policy } = await place(t)
  const system = await open(t, { policy, policyWatchMs: 5 })
  const actor = await system.spawnHost(() => {})
  await system.close()
  const closed = { code: 'AIRWASM_CLOSED' }
  await assert.rejects(system.policyLoad(policy), closed)
  await assert.rejects(system.policyExplain('a', 'clock'), closed)
  await assert.rejects(system.policyTest(), closed)
  await assert.rejects(actor.check('clock'), closed)
})

test('hostile_k5_a_pending_load_is_awaited_and_a_watch_keeps_no_process_alive', async (t) => {
  const { policy } = await place(t)
  const result = await script(`
    const system = await System.open({ policy: ${JSON.stringify(policy)}, policyWatchMs: 60_000 })
    system.policyLoad(${JSON.stringify(policy)}).then(() => console.log('loaded'))
  `)
  assert.deepEqual(result, { stdout: 'loaded\n', stderr: '', code: 0, signal: null })
})
