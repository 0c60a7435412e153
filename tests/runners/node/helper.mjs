// What the tests of the Node host share.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { AirwasmError, System } from '@airssys/wasm'

export const root = fileURLToPath(new URL('../../../', import.meta.url))
export const guest = (name) => `${root}target/guests/${name}.wasm`

/** A system that is closed when the test `t` ends. */
export async function open(t, options) {
  const system = await System.open(options)
  t.after(() => system.close({ deadlineMs: 1 }))
  return system
}

/** Accepts the error of an argument of this name. */
export const argument = (which) => (error) => {
  assert.ok(error instanceof AirwasmError, error.stack)
  assert.deepEqual([error.name, error.code, error.number], ['AirwasmError', 'AIRWASM_INVALID_ARGUMENT', 10])
  assert.equal(error.which, which)
  return true
}

/** Each call must return a promise, whatever it is given, and that promise must be rejected for `which`. */
export async function refused(which, call) {
  const promise = call()
  assert.ok(promise instanceof Promise)
  await assert.rejects(promise, argument(which))
}

/** Loads and spawns one guest. */
export async function spawnGuest(system, name, options) {
  return system.spawn(await system.load(guest(name)), options)
}

/** The next event that `wanted` accepts. */
export async function nextEvent(events, wanted) {
  for (;;) {
    const { done, value } = await events.next()
    if (done) throw new Error('the events ended')
    if (wanted(value)) return value
  }
}

/** Resolves when the guest behind `events` (of the kind `log`) has printed `text`. */
export const printed = (events, text) => nextEvent(events, ({ detail }) => detail.text === text)

/** The garbage collector, without a flag at the start of the process. */
export function collector() {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

/** Goes on when `done` is true; between two looks it collects garbage and lets the event loop turn. */
export async function until(done, gc = collector()) {
  while (!done()) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const PRELUDE = `
  import { System, Failure } from '@airssys/wasm'
  import { guest, nextEvent, printed, spawnGuest } from './helper.mjs'
`

/** Runs a module in a process of its own and tells how it ended. It is killed, and fails, only if it hangs. */
export function script(source, { node = [], prelude = PRELUDE } = {}) {
  const child = spawn(process.execPath, [...node, '--input-type=module', '--eval', prelude + source], {
    cwd: `${root}tests/runners/node`,
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  const result = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => (result.stdout += data))
  child.stderr.on('data', (data) => (result.stderr += data))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ ...result, code, signal }))
  })
}
