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

/** The handler of this behaviour, with a memory of its own; `folder` is the scenario's. */
export function behave(behaviour, folder) {
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
    collect: ({ payload }) => memory.texts.splice(0, Infinity, ...memory.texts, String(payload)).join(),
  }
  if (!Object.hasOwn(behaviours, behaviour)) throw new Expectation(`unknown behaviour ${behaviour}`)
  return behaviours[behaviour]
}
