// One JavaScript environment and what it waits for. A promise that waits keeps the process alive; nothing else here
// does. It also keeps its system from being collected, as does a handler.

import { AsyncLocalStorage } from 'node:async_hooks'
import { types } from 'node:util'
import type { Message } from './data'
import { AirwasmError, Failure } from './errors'
import { native } from './native'
import { payload } from './options'

export type AnyHandler = (message: Message) => unknown

interface Waiting {
  owner: object
  resolve: (value: unknown) => void
  reject: (error: AirwasmError) => void
  signal: AbortSignal | undefined
}

/** The actor whose message is in hand. Emptied when it no longer is: what goes on then asks on behalf of nobody. */
interface Serving {
  readonly owner: object | undefined
  actor: string | undefined
}

/** The kinds of entries in a batch. */
const SETTLED = 0
const MESSAGE = 1

/** Of a text about something thrown so much is kept. */
const TEXT_MAX = 16 * 1_024

const waiting = new Map<number, Waiting>()
const handlers = new Map<number, { owner: object; handler: AnyHandler; served?: Serving }>()
const serving = new AsyncLocalStorage<Serving>()
let lastHandler = 0

export const host = new native.Host(dispatch)

// `process.exit` and an uncaught exception skip the cleanup of the main environment, but not this.
process.once('exit', () => host.abandon())

/** The promise of an operation that is over or has a ticket; `convert` makes the value that the caller sees. */
export function outcome<A, T>(
  owner: object,
  answer: A | number | string,
  convert: (value: A) => T,
  signal?: AbortSignal,
): Promise<T> {
  if (typeof answer === 'string') return Promise.reject(AirwasmError.of(answer, signal))
  if (typeof answer !== 'number') return Promise.resolve(convert(answer))
  return new Promise((resolve, reject) => {
    waiting.set(answer, { owner, resolve: (value) => resolve(convert(value as A)), reject, signal })
    if (signal) watch(signal, answer)
  })
}

/**
 * The same of an end, which comes whether its caller waits or not: a handler that only asked for its own end need not
 * listen to the circle that waiting for it would be.
 */
export function ending(owner: object, answer: undefined | number | string): Promise<void> {
  const promise = outcome(owner, answer, () => undefined)
  if (typeof answer === 'string' && AirwasmError.of(answer).code === 'AIRWASM_CYCLE') promise.catch(() => {})
  return promise
}

/** The value of an operation that never waits; throws its error. */
export function value<A>(answer: A | string): A {
  if (typeof answer === 'string') throw AirwasmError.of(answer)
  return answer
}

/** Throws if the signal was aborted before its call begins. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw AirwasmError.of(native.cancelledError(), signal)
}

/** A call that takes its arguments first; what it throws is its rejection. No async function, which adds a promise. */
export function begun<T>(begin: () => Promise<T>): Promise<T> {
  try {
    return begin()
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The id of the actor of this system on whose behalf the caller runs, if it is a handler that has not yet answered. */
export function asker(owner: object): string | undefined {
  const served = serving.getStore()
  return served?.owner === owner ? served.actor : undefined
}

/** A number for a handler, which the native half is given in its place. */
export function handlerNumber(): number {
  return ++lastHandler
}

/** Takes handlers in. Each stays until the native half says that it is gone, which it does once it knows the number. */
export function keepHandlers(owner: object, taken: ReadonlyMap<number, AnyHandler>): void {
  taken.forEach((handler, number) => handlers.set(number, { owner, handler }))
}

/** Signals with the tickets they cancel. One listener a signal, for a hundred requests may share one. */
const watched = new WeakMap<AbortSignal, { tickets: Set<number>; listener: () => void }>()

function watch(signal: AbortSignal, ticket: number): void {
  const known = watched.get(signal)
  if (known) {
    known.tickets.add(ticket)
    return
  }
  const tickets = new Set([ticket])
  const listener = () => tickets.forEach((ticket) => host.cancel(ticket))
  watched.set(signal, { tickets, listener })
  signal.addEventListener('abort', listener)
}

function unwatch(signal: AbortSignal, ticket: number): void {
  const known = watched.get(signal)
  if (!known?.tickets.delete(ticket) || known.tickets.size > 0) return
  signal.removeEventListener('abort', known.listener)
  watched.delete(signal)
}

/** Takes one batch apart. It runs no code that could throw: handlers are guarded, and promises settle later. */
function dispatch(batch: unknown[]): void {
  for (let at = 0; at < batch.length; ) {
    const kind = batch[at++]
    const number = batch[at++] as number
    if (kind === SETTLED) {
      settle(number, batch[at++])
    } else if (kind === MESSAGE) {
      const [reply, sender, to, payload, contentType, topic] = batch.slice(at, (at += 6))
      const kind = { ...(typeof contentType === 'string' && { contentType }), ...(typeof topic === 'string' && { topic }) }
      handle(number, reply as number, { sender, to, payload, ...kind } as Message)
    } else {
      handlers.delete(number)
    }
  }
}

function settle(ticket: number, answer: unknown): void {
  const entry = waiting.get(ticket)
  if (!entry) return
  waiting.delete(ticket)
  if (entry.signal) unwatch(entry.signal, ticket)
  if (typeof answer === 'string') entry.reject(AirwasmError.of(answer, entry.signal))
  else entry.resolve(answer)
}

function handle(number: number, reply: number, message: Message): void {
  const known = handlers.get(number)
  const served: Serving = { owner: known?.owner, actor: message.to }
  // The message before has no answer yet if its actor was killed meanwhile and is in another life.
  if (known?.served) known.served.actor = undefined
  if (known) known.served = served
  const end = (settle: (reply: number, what: unknown) => void, what: unknown) => {
    served.actor = undefined
    settle(reply, what)
  }
  try {
    const answer = serving.run(served, () => known?.handler(message))
    if (isThenable(answer)) Promise.resolve(answer).then((later) => end(respond, later), (error) => end(refuse, error))
    else end(respond, answer)
  } catch (error) {
    end(refuse, error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function respond(reply: number, answer: unknown): void {
  try {
    host.reply(reply, answer === undefined ? new Uint8Array() : payload(answer, 'the answer of a handler'))
  } catch (error) {
    refuse(reply, error)
  }
}

function refuse(reply: number, error: unknown): void {
  try {
    if (error instanceof Failure) return host.replyFailure(reply, String(error.code), String(error.message))
  } catch {
    // A thrown value may refuse even this question, as a revoked proxy does.
  }
  host.replyRaised(reply, ...describe(error))
}

/** Name, message and stack of anything that can be thrown, a hostile object included. */
function describe(error: unknown): [string, string, string] {
  const texts = (...all: unknown[]) => all.map((text) => String(text).slice(0, TEXT_MAX)) as [string, string, string]
  try {
    return types.isNativeError(error) ? texts(error.name, error.message, error.stack) : texts(typeof error, error, '')
  } catch {
    return [typeof error, 'a thrown value that has no text', '']
  }
}
