// How a supervisor and its children are specified, and how that is read.

import type * as Native from '../native'
import { componentHandle } from './component'
import type { Component } from './component'
import type { Handler } from './data'
import { AirwasmError } from './errors'
import { actorReaders, amount, count, fieldOf, record, refuse, text } from './options'
import type { Restart, SpawnOptions } from './options'
import { isObject } from './own'
import { handlerNumber } from './runtime'
import type { AnyHandler } from './runtime'
import type { System } from './system'

/** How long a restart waits. Absent is the default. */
export interface Backoff {
  /** Before the first restart; 0 restarts at once. */
  initialMs?: number
  maxMs?: number
  /** Growth with each restart in a row, at least 1. */
  factor?: number
  /** Share of the delay, 0 to 1, that is random. */
  jitter?: number
}

/** What a supervisor is made of. Absent is the default. */
export interface SupervisorSpec {
  /** `namespace/name/instance`, or a bare name. */
  name: string
  /** Which children are restarted when one of them is: itself, all, or itself and those that were started after it. */
  strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one'
  /** Restarts that are allowed within the period. */
  intensity?: number
  /** The sliding window of the intensity. */
  periodMs?: number
  backoff?: Backoff
  /** What it does when more restarts would be needed: it ends, starts all children anew, or leaves that child down. */
  giveUp?: 'escalate' | 'restart' | 'ignore'
  /** Whether it stops when its significant children have ended for good: with the first of them, or with the last. */
  autoShutdown?: 'never' | 'any_significant' | 'all_significant'
  /** Among the children of another supervisor: when it is started again; `permanent` if absent. */
  restart?: Restart
  /** Its children in the order of their starts. */
  children?: readonly ChildSpec[]
}

/** A guest among the children of a supervisor. */
export interface GuestSpec extends SpawnOptions {
  component: Component
  handler?: never
  children?: never
}

/** A function among the children of a supervisor, as for `spawnHost`. */
export interface HostSpec extends SpawnOptions {
  handler: Handler
  component?: never
  children?: never
}

/** A supervisor among the children of another. */
export interface ChildSupervisorSpec extends SupervisorSpec {
  children: readonly ChildSpec[]
  component?: never
  handler?: never
}

/** One child of a supervisor: what it has of `component`, `handler` and `children` says which kind. */
export type ChildSpec = GuestSpec | HostSpec | ChildSupervisorSpec

/** @internal */
const KINDS = ['component', 'handler', 'children'] as const

/** Supervisors below each other that are read; far more than the core takes, which then says so. @internal */
const DEPTH_READ = 64

/** One spec being read, with the handlers found in it. @internal */
export class Reading {
  /** By the numbers that stand for them in what was read. */
  readonly handlers = new Map<number, AnyHandler>()
  readonly #system: System
  /** The specs around the one at hand. */
  readonly #around: unknown[] = []

  constructor(system: System) {
    this.#system = system
  }

  readonly #supervisor = record<Native.SuperviseSpec>({
    name: text,
    strategy: text,
    intensity: count,
    periodMs: amount,
    backoff: record<Native.BackoffSpec>({ initialMs: amount, maxMs: amount, factor: amount, jitter: amount }),
    giveUp: text,
    autoShutdown: text,
    restart: text,
    children: (value, which) => this.#children(value, which),
  })

  readonly #guest = record<Native.SpawnSpec>({
    ...actorReaders,
    component: (value, which) => componentHandle(this.#system, value, which),
  })

  readonly #host = record<Omit<Native.SpawnSpec, 'component'> & { handler: number }>({
    ...actorReaders,
    handler: (value, which) => {
      if (typeof value !== 'function') return refuse(which, 'a function', value)
      const number = handlerNumber()
      this.handlers.set(number, value as AnyHandler)
      return number
    },
  })

  supervisor(value: unknown, which = 'spec'): Native.SuperviseSpec {
    if (this.#around.includes(value)) throw AirwasmError.argument(which, 'a supervisor cannot be below itself')
    this.#around.push(value)
    const read = this.#supervisor(value, which)
    this.#around.pop()
    const name = text(read.name, fieldOf(which, 'name'))
    return { ...read, name, children: read.children ?? [] }
  }

  child(value: unknown, which = 'child'): Native.StartSpec {
    if (!isObject(value)) return refuse(which, 'an object', value)
    const kinds = KINDS.filter((kind) => (value as Record<string, unknown>)[kind] !== undefined)
    if (kinds.length !== 1) throw AirwasmError.argument(which, `one of ${KINDS.join(', ')} is needed`)
    if (kinds[0] === 'component') return { actor: this.#guest(value, which) }
    if (kinds[0] === 'children') return { supervisor: this.supervisor(value, which) }
    const { handler, ...actor } = this.#host(value, which)
    return { handler, actor }
  }

  #children(value: unknown, which: string): Native.StartSpec[] {
    if (!Array.isArray(value)) return refuse(which, 'an array of children', value)
    if (this.#around.length > DEPTH_READ) return []
    return Array.from(value, (child, index) => this.child(child, `${which}[${index}]`))
  }
}
