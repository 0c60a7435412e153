// The functions that every host offers as actors.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@airssys/wasm'
import { Expectation } from './step.mjs'

/** Waits for the file `go`, or until the scenario and its folder are gone. */
async function hold(folder) {
  while (existsSync(folder) && !existsSync(join(folder, 'go'))) await sleep(5)
  return 'held'
}

/** Waits for what its message says, and answers how that ended. */
async function wait(system, { to, payload }) {
  const [me, above] = [await system.lookup(to), await system.lookup('top')]
  const waits = {
    stop: () => me.stop(),
    'stop above': () => above.stop(),
    monitor: () => me.monitor(),
    'monitor above': () => above.monitor(),
    terminate: () => system.terminateChild(above, me),
    delete: () => (waits.terminate(), system.deleteChild(above, me)),
    restart: () => (waits.terminate(), system.restartChild(above, me)),
  }
  return waits[payload]().then(
    () => 'OK',
    (error) => error.code.replace('AIRWASM_', ''),
  )
}

/** The handler of this behaviour, with a memory of its own; `folder` and `system` are the scenario's. */
export function behave(behaviour, { folder, system }) {
  const memory = { messages: 0, topic: '', texts: [] }
  const raise = (error = new Error('raised on purpose')) => {
    throw error
  }
  const behaviours = {
    upper: ({ payload }) => payload.toString().replace(/[a-z]/g, (letter) => letter.toUpperCase()),
    sender: ({ sender }) => sender,
    fail: () => raise(new Failure('refused', 'asked to fail')),
    raise: () => raise(),
    raise_once: () => (memory.messages++ > 0 ? 'ok' : raise()),
    none: () => undefined,
    later: () => new Promise((resolve) => setImmediate(resolve, 'later')),
    topic: ({ topic }) => (memory.topic = topic ?? memory.topic),
    hold: () => hold(folder),
    waits: (message) => wait(system, message),
    collect: ({ payload }) => memory.texts.splice(0, Infinity, ...memory.texts, String(payload)).join(),
  }
  if (!Object.hasOwn(behaviours, behaviour)) throw new Expectation(`unknown behaviour ${behaviour}`)
  return behaviours[behaviour]
}
