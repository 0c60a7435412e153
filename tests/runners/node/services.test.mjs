// The file actor and the process actor, asked by JavaScript and by a function of JavaScript.

import assert from 'node:assert/strict'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { open } from './helper.mjs'

const line = (op, keys, body = '') =>
  Buffer.concat([Buffer.from(JSON.stringify({ op, ...keys })), Buffer.from(body.length ? '\n' : ''), Buffer.from(body)])

test('bytes are written and read as they are', async (t) => {
  const system = await open(t)
  const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'bytes')
  const files = await system.spawnFiles({ name: 'files', grants: [`fs.read,write ${folder}/**`] })
  const body = Buffer.from(Array.from({ length: 256_000 }, (_, at) => at % 256))
  assert.deepEqual(JSON.parse(await files.request(line('write', { path, create: true }, body))), { written: body.length })
  assert.ok(body.equals(await files.request(line('read', { path }))))
  await assert.rejects(files.request(line('read', { path: `${path}x` })), { code: 'AIRWASM_NOT_FOUND' })
  const asks = await system.spawnHost(() => files.request(line('read', { path, length: 3 })), { name: 'asks' })
  assert.deepEqual([...(await asks.request('?'))], [0, 1, 2])
})

test('a program runs while the loop goes on, and an aborted request ends it', async (t) => {
  const system = await open(t)
  const program = await realpath('/bin/sh')
  const processes = await system.spawnProcesses({ grants: [`process.run ${program} -c **`] })
  assert.equal(processes.id, 'default/processes/1')
  const answer = String(await processes.request(line('run', { program, args: ['-c', 'cat; echo $0'] }, 'in ')))
  assert.match(answer, /^\{"exit":\{"code":0\},"stderr":0,"stdout":\d+\}\nin .*sh\n$/)
  const abort = new AbortController()
  const started = JSON.parse(await processes.request(line('start', { program, args: ['-c', 'exec sleep 1000'] })))
  const waits = processes.request(line('wait', started), { timeoutMs: Infinity, signal: abort.signal })
  abort.abort()
  await assert.rejects(waits, { name: 'AbortError' })
  assert.deepEqual(JSON.parse(await processes.request(line('end', started))), {})
})

test('what is for guests is refused', async (t) => {
  const system = await open(t)
  await assert.rejects(system.spawnFiles({ config: 1 }), { code: 'AIRWASM_INVALID_ARGUMENT' })
  await assert.rejects(system.spawnProcesses({ budget: { cpuMs: 1 } }), { code: 'AIRWASM_INVALID_ARGUMENT' })
})
