// The audit log: kept as the options say, and verified.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { System } from '@airssys/wasm'
import { argument, refused, script } from './helper.mjs'

async function place(t) {
  const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'audit.jsonl')
}

/** What is in the log of a system in which one actor was refused once and allowed `times`. */
async function written(audit, auditOptions, times = 1) {
  const system = await System.open({ audit, auditOptions })
  const actor = await system.spawnHost(() => {}, { name: 'actor', grants: ['custom.billing charge'] })
  await actor.check('custom.billing refund').catch(() => {})
  for (let n = 0; n < times; n++) await actor.check('custom.billing charge')
  await system.close()
  return (await readFile(audit, 'utf8')).trim().split('\n').map((line) => JSON.parse(line))
}

const decisions = (records) =>
  records.filter(({ operation }) => operation === 'check').map(({ decision, capability }) => `${decision} ${capability}`)

test('wrong audit options are refused by a rejection that names them', async () => {
  const opening = (auditOptions) => () => System.open({ auditOptions })
  for (const value of [null, 7, 'all', [], () => {}]) await refused('auditOptions', opening(value))
  for (const key of ['level', 'onFailure', 'onFull']) {
    for (const value of [null, 7, {}, true]) await refused(`auditOptions.${key}`, opening({ [key]: value }))
  }
  for (const key of ['rotateBytes', 'rotateFiles', 'summaryMs']) {
    for (const value of [null, '5', -1, NaN, {}]) await refused(`auditOptions.${key}`, opening({ [key]: value }))
  }
  await refused('auditOptions.rotateBytes', opening({ rotateBytes: 1.5 }))
  for (const value of [null, 1, 'yes', {}]) await refused('auditOptions.stderr', opening({ stderr: value }))
  await refused('auditOptions.levels', opening({ levels: 'all' }))
})

test('the core decides what an audit option may be', async () => {
  const opening = (auditOptions) => System.open({ auditOptions })
  await assert.rejects(opening({ level: 'some' }), argument('audit_level'))
  await assert.rejects(opening({ onFailure: 'shut' }), argument('audit_on_failure'))
  await assert.rejects(opening({ onFull: 'drop' }), argument('audit_on_full'))
  await assert.rejects(opening({ rotateBytes: 0 }), argument('audit_rotate_bytes'))
  await assert.rejects(opening({ rotateFiles: 2 ** 40 }), argument('audit_rotate_files'))
  await assert.rejects(opening({ summaryMs: 0 }), argument('audit_summary_ms'))
  const all = { level: 'denials', onFailure: 'closed', onFull: 'count', rotateBytes: Infinity, rotateFiles: 0, summaryMs: 60_000, stderr: false }
  await (await opening(all)).close()
  await (await opening({ level: undefined })).close()
})

test('the level says what is written', async (t) => {
  const both = ['deny custom.billing refund', 'allow custom.billing charge']
  assert.deepEqual(decisions(await written(await place(t), { level: 'all' })), both)
  assert.deepEqual(decisions(await written(await place(t), { level: 'denials' })), both.slice(0, 1))
})

test('a log is verified, and one that was edited by one byte is not', async (t) => {
  const audit = await place(t)
  const records = await written(audit, { level: 'all' })
  const last = records.at(-1)
  const report = {
    files: [audit],
    records: records.length,
    firstSeq: 1n,
    lastSeq: BigInt(last.seq),
    lastHash: last.hash,
    tornLines: 0,
    partialTail: false,
  }
  assert.deepEqual(await System.auditVerify(audit), report)
  assert.deepEqual(await System.auditVerify(pathToFileURL(audit)), report)
  const line = records.findIndex(({ decision }) => decision === 'deny') + 1
  const bytes = await readFile(audit)
  bytes[bytes.indexOf('refund')] ^= 1
  await writeFile(audit, bytes)
  await assert.rejects(System.auditVerify(audit), (error) => {
    assert.deepEqual([error.code, error.number], ['AIRWASM_AUDIT_BROKEN', 112])
    assert.deepEqual(error.detail, { file: audit, line, records: line - 1 })
    return error.message.startsWith(`${audit}:${line}: `)
  })
})

test('what is no log, and what is not there, are errors', async (t) => {
  const audit = await place(t)
  await assert.rejects(System.auditVerify(audit), ({ code, detail }) => {
    assert.deepEqual([code, detail], ['AIRWASM_IO', { errno: 2, path: audit }])
    return true
  })
  await writeFile(audit, 'no record\n')
  await assert.rejects(System.auditVerify(audit), { code: 'AIRWASM_AUDIT_BROKEN' })
})

test('a log that was rotated is verified through all its files', async (t) => {
  const audit = await place(t)
  await written(audit, { level: 'all', rotateBytes: 2_000, rotateFiles: 3 }, 100)
  const { files, firstSeq, lastSeq, records } = await System.auditVerify(audit)
  assert.deepEqual(files, [3, 2, 1].map((number) => `${audit}.${number}`).concat(audit))
  assert.ok(firstSeq > 1n)
  assert.equal(BigInt(records), lastSeq - firstSeq + 1n)
})

test('records are written to the standard error stream as well', async () => {
  const result = await script(`
    const system = await System.open({ auditOptions: { stderr: true } })
    const actor = await system.spawnHost(() => {}, { name: 'actor' })
    await actor.check('custom.billing refund').catch(({ code }) => console.log(code))
    await system.close()
  `)
  assert.equal(result.stdout, 'AIRWASM_DENIED\n')
  const records = result.stderr.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(decisions(records), ['deny custom.billing refund'])
})

test('hostile_k5_a_pending_verification_is_awaited', async (t) => {
  const audit = await place(t)
  const { length } = await written(audit, { level: 'all' })
  const result = await script(`System.auditVerify(${JSON.stringify(audit)}).then(({ records }) => console.log(records))`)
  assert.deepEqual(result, { stdout: `${length}\n`, stderr: '', code: 0, signal: null })
})

test('hostile_k1_a_worker_is_terminated_while_it_verifies', async (t) => {
  const audit = await place(t)
  await written(audit, { level: 'all' }, 1_000)
  const result = await script(`
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const source = \`
      const { parentPort } = require('node:worker_threads')
      const { System } = require('@airssys/wasm')
      for (let n = 0; n < 20; n++) System.auditVerify(${JSON.stringify(audit)})
      parentPort.postMessage('verifying')
    \`
    for (let round = 0; round < 8; round++) {
      const worker = new Worker(source, { eval: true, execArgv: [] })
      await once(worker, 'message')
      await worker.terminate()
    }
    System.auditVerify(${JSON.stringify(audit)})
    process.exit(7)
  `)
  assert.deepEqual(result, { stdout: '', stderr: '', code: 7, signal: null })
})
