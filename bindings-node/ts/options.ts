import { join } from 'node:path'
import { types } from 'node:util'
import { fileURLToPath } from 'node:url'
import type * as Native from '../native'
import { AirwasmError } from './errors'

/** Bytes, or text that is sent as UTF-8. They are copied before the call returns. */
export type Payload = string | Uint8Array

/** A capability as text, `fs.read /data/**`, or as an object with the same parts. */
export type Capability = string | { capability: string; scope?: string; ttl?: string; [parameter: string]: string | undefined }

/** No bound at all, for every field of {@link Limits} and {@link Budget}, and for every wait. */
export const UNLIMITED: number = Infinity

/** What one message may use. Absent is the default. */
export interface Budget {
  /** Time that the guest computes. */
  cpuMs?: number
  /** Time from the start of handling to its end, asleep or not. */
  wallMs?: number
  /**
   * Fuel, about one an instruction; only in a system that counts it. It is exceeded by no more than the straight
   * code up to the next function or turn of a loop, and by what others use for the guest until they pause.
   */
  fuel?: bigint | number
  /** Bytes of the reply and of messages sent. */
  outputBytes?: number
  /** Calls into the host. */
  hostCalls?: number
}

/** What one instance may hold at once. Absent is the default. */
export interface Limits {
  /** All linear memories together. */
  memoryBytes?: number
  /** All tables together. */
  tableElements?: number
  /** Host resources. */
  handles?: number
  /** Messages that wait. */
  mailboxMessages?: number
  /** Payload bytes that wait. */
  mailboxBytes?: number
  /** One payload, in or out. */
  payloadBytes?: number
  /** Percent of one processor, 1 to 100, over each 100 ms; a guest that has used it up waits. */
  cpuPercent?: number
  /** Bytes written to files over all lives of an actor. What was overwritten or removed is not given back. */
  writtenBytes?: number
  /** All regions that an actor has made and that are not removed. */
  regionBytes?: number
}

/** How a system is opened. */
export interface OpenOptions {
  /** The policy file, as {@link System.policyLoad} takes it. */
  policy?: string | URL
  /** How often to look whether the policy has changed, to load it again then; absent, only when asked to. */
  policyWatchMs?: number
  /** The file that audit records are appended to; without it the last 1,000 are kept in memory. */
  audit?: string | URL
  auditOptions?: AuditOptions
  /** The folder for compiled code. */
  cacheDir?: string | URL
  /** `hardened` (the default: no component-model concurrency) or `full`. */
  profile?: 'hardened' | 'full'
  /**
   * The file of the key-value store, made if there is none; without it there is no store. It is this user's alone, no
   * grant of files reaches it, and nobody else can have it open.
   */
  kv?: string | URL
  /** Whether fuel is counted, so that a budget may bound it; all guests run slower then. */
  fuel?: boolean
  /**
   * Compiles in a process of its own, within hard limits: `true` in a second Node, or a program, by its absolute path, and its
   * arguments. What it answers is trusted.
   */
  compileHelper?: boolean | string[]
}

/** How the audit is kept. Absent is the default. */
export interface AuditOptions {
  /**
   * What is written: `default`, which counts allowed messages, keys, clocks, random numbers and stdio and sums them up;
   * `denials`; or `all`.
   */
  level?: 'default' | 'denials' | 'all'
  /**
   * What happens to decisions while the file cannot be written: `open` lets them go on and counts what is lost, the
   * default; `closed` denies everything.
   */
  onFailure?: 'open' | 'closed'
  /** What happens to a record while too many wait to be written: `block`, the default; or `count`, which leaves it out. */
  onFull?: 'block' | 'count'
  /** Bytes at which the file is renamed to `.1`, that to `.2`, and so on; never, if absent. */
  rotateBytes?: number
  /** Renamed files that stay; 8. */
  rotateFiles?: number
  /** How often what was only counted is written; 60,000. */
  summaryMs?: number
  /** Writes the records to the standard error stream as well. */
  stderr?: boolean
}

/** When an actor that ended is started again. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/**
 * What becomes of a message that finds the mailbox full: it is refused, the oldest one is dropped for it, or the promise
 * of its sender waits for room, a `send` for up to 5 s.
 */
export type Overflow = 'reject' | 'drop_oldest' | 'block'

/** How an actor is spawned. */
export interface SpawnOptions {
  /** `namespace/name/instance`, or a bare name; absent: the file's stem and the next free number. */
  name?: string
  grants?: Capability[]
  limits?: Limits
  budget?: Budget
  /** What the guest is configured with, as JSON. */
  config?: unknown
  /** When it is started again after it ended; absent: `permanent` among a supervisor's children, else `temporary`. */
  restart?: Restart
  /** How long a stop waits before it kills. */
  shutdownMs?: number
  /** Whether its end counts for its supervisor's `autoShutdown`. */
  significant?: boolean
  /** What becomes of a message that finds the mailbox full; `reject` if absent. */
  overflow?: Overflow
  /** How often a guest is asked how it is; never if absent. */
  healthIntervalMs?: number
  /** How many of these checks in a row may be missed before its life is ended. */
  healthMissed?: number
  /** How many of its answers within `errorPeriodMs` may be errors before its life is ended; no bound if absent. */
  errorsMax?: number
  /** The window of `errorsMax`. */
  errorPeriodMs?: number
  /** What a guest is given as its arguments. No name of a program stands before them. */
  args?: string[]
  /**
   * The environment of a guest, of which it sees what a live grant covers, `env LANG,APP_*`. Nothing is taken from the
   * environment of the host.
   */
  env?: Record<string, string>
  /**
   * Where its `wasi:http/incoming-handler` is asked, as `127.0.0.1:8080`; port 0 is a free one. Needs the grant
   * `net.listen` of that address.
   */
  httpListen?: string
}

/** How a call is given up. */
export interface AbortOptions {
  signal?: AbortSignal
}

/** How a message is sent. */
export interface SendOptions {
  /** What the bytes are, as a media type. */
  contentType?: string
}

/** How a request is made. */
export interface RequestOptions extends SendOptions, AbortOptions {
  /** How long the caller waits. It ends the wait, never the actor. */
  timeoutMs?: number
}

/** How long to wait before killing. */
export interface DeadlineOptions {
  deadlineMs?: number
}

/** How long a grant holds. */
export interface GrantOptions {
  ttlMs?: number
}

/** Checks a value; `which` names it in the error. @internal */
export type Reader<T> = (value: unknown, which: string) => T

/** @internal */
export function refuse(which: string, needed: string, value: unknown): never {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
  throw AirwasmError.argument(which, `${needed} is needed, not ${got}`)
}

/** @internal */
export const text: Reader<string> = (value, which) => (typeof value === 'string' ? value : refuse(which, 'a string', value))

/** @internal */
export const flag: Reader<boolean> = (value, which) => (typeof value === 'boolean' ? value : refuse(which, 'a boolean', value))

/** A number of 0 or more, which may be `Infinity`. @internal */
export const amount: Reader<number> = (value, which) => {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number') return refuse(which, 'a number', value)
  if (!(number >= 0)) throw AirwasmError.argument(which, `${number} is not a number of 0 or more`)
  return number
}

/** A whole number of 0 or more, or `Infinity`. @internal */
export const count: Reader<number> = (value, which) => {
  const number = amount(value, which)
  if (number !== Infinity && !Number.isInteger(number)) throw AirwasmError.argument(which, `${number} is not a whole number`)
  return number
}

/** @internal */
export const path: Reader<string> = (value, which) => {
  if (!(value instanceof URL)) return typeof value === 'string' ? value : refuse(which, 'a string or a file URL', value)
  try {
    return fileURLToPath(value)
  } catch (error) {
    throw AirwasmError.argument(which, (error as Error).message)
  }
}

/** @internal */
export const bytes: Reader<Uint8Array> = (value, which) =>
  types.isUint8Array(value) ? value : refuse(which, 'a Uint8Array', value)

/** @internal */
export const payload: Reader<Uint8Array> = (value, which) => {
  if (typeof value === 'string') return Buffer.from(value)
  return types.isUint8Array(value) ? value : refuse(which, 'a string or a Uint8Array', value)
}

/** @internal */
export const signal: Reader<AbortSignal> = (value, which) =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
    ? (value as AbortSignal)
    : refuse(which, 'an AbortSignal', value)

/** @internal */
const json: Reader<string> = (value, which) => {
  let written: string | undefined
  try {
    written = JSON.stringify(value)
  } catch (error) {
    throw AirwasmError.argument(which, (error as Error).message)
  }
  return written ?? refuse(which, 'a value that JSON can hold', value)
}

/** @internal */
export const capability: Reader<string> = (value, which) => {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? json(value, which) : refuse(which, 'a string or an object', value)
}

/** @internal */
const capabilities: Reader<string[]> = (value, which) =>
  Array.isArray(value)
    ? value.map((item, index) => capability(item, `${which}[${index}]`))
    : refuse(which, 'an array of capabilities', value)

/** @internal */
const texts: Reader<string[]> = (value, which) =>
  Array.isArray(value)
    ? value.map((item, index) => text(item, `${which}[${index}]`))
    : refuse(which, 'an array of strings', value)

/** A program and its arguments: `true` is the module of this package. @internal */
const compileHelper: Reader<string[] | undefined> = (value, which) => {
  if (value === true) return [process.execPath, join(__dirname, 'compile-helper.js')]
  return value === false ? undefined : texts(value, which)
}

/** The arguments that are such objects themselves: their fields are named without them. @internal */
const ARGUMENTS = ['options', 'spec', 'child']

/** How a field of such an object is named in an error. @internal */
export function fieldOf(which: string, key: string): string {
  return ARGUMENTS.includes(which) ? key : `${which}.${key}`
}

/**
 * Reads an object of options: each field by its reader, absent where it is undefined. A field that nobody reads is
 * refused, so that a misspelt limit is never silently none.
 * @internal
 */
export function record<T>(readers: { [K in keyof T]-?: Reader<T[K]> }): Reader<T> {
  return (value, which) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(which, 'an object', value)
    const read: Partial<T> = {}
    for (const [key, field] of Object.entries(value)) {
      const name = fieldOf(which, key)
      if (!Object.hasOwn(readers, key)) throw AirwasmError.argument(name, `there is no such option`)
      if (field !== undefined) read[key as keyof T] = readers[key as keyof T](field, name)
    }
    return read as T
  }
}

/** Names and values. @internal */
const variables: Reader<Record<string, string>> = (value, which) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(which, 'an object', value)
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, text(of, `${which}.${name}`)]))
}

/** The options of a call; a call without any has none of them. @internal */
function options<T>(readers: { [K in keyof T]-?: Reader<T[K]> }): (value: unknown) => T {
  const read = record<T>(readers)
  return (value) => (value === undefined ? ({} as T) : read(value, 'options'))
}

/** @internal */
export const openOptions = options<Native.OpenSpec>({
  policy: path,
  policyWatchMs: amount,
  audit: path,
  auditOptions: record<Native.AuditSpec>({
    level: text,
    onFailure: text,
    onFull: text,
    rotateBytes: count,
    rotateFiles: count,
    summaryMs: amount,
    stderr: flag,
  }),
  cacheDir: path,
  profile: text,
  kv: path,
  fuel: flag,
  compileHelper,
})
/** @internal */
export const abortOptions = options<{ signal?: AbortSignal }>({ signal })
/** @internal */
export const sendOptions = options<{ contentType?: string }>({ contentType: text })
/** @internal */
export const requestOptions = options<{ contentType?: string; timeoutMs?: number; signal?: AbortSignal }>({
  contentType: text,
  timeoutMs: amount,
  signal,
})
/** @internal */
export const deadlineOptions = options<{ deadlineMs?: number }>({ deadlineMs: amount })
/** @internal */
export const grantOptions = options<{ ttlMs?: number }>({ ttlMs: amount })
/** What a guest and a function have in common. @internal */
export const actorReaders: { [K in keyof Omit<Native.SpawnSpec, 'component'>]-?: Reader<Native.SpawnSpec[K]> } = {
  name: text,
  grants: capabilities,
  limits: record<Native.LimitsSpec>({
    memoryBytes: count,
    tableElements: count,
    handles: count,
    mailboxMessages: count,
    mailboxBytes: count,
    payloadBytes: count,
    cpuPercent: count,
    writtenBytes: count,
    regionBytes: count,
  }),
  budget: record<Native.BudgetSpec>({
    cpuMs: amount,
    wallMs: amount,
    fuel: count,
    outputBytes: count,
    hostCalls: count,
  }),
  config: json,
  restart: text,
  shutdownMs: amount,
  significant: flag,
  overflow: text,
  healthIntervalMs: amount,
  healthMissed: count,
  errorsMax: count,
  errorPeriodMs: amount,
  args: texts,
  env: variables,
  httpListen: text,
}
/** @internal */
export const spawnOptions = options<Omit<Native.SpawnSpec, 'component'>>(actorReaders)
