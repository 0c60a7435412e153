// What the core tells, as plain objects.

import type { Grant } from './index'
import type { Payload } from './options'

/** What a handler is given. */
export interface Message {
  /** The id of the sending actor; empty when the program itself sent it. Set by the system, never by a guest. */
  readonly sender: string
  /** The id of the actor it was sent to. */
  readonly to: string
  readonly payload: Buffer
  /** What the bytes are, as a media type, if the sender said so. */
  readonly contentType?: string
}

/** A function as an actor: one message at a time, the next one when the answer of the last is there. */
export type Handler = (message: Message) => Payload | void | Promise<Payload | void>

/** One thing that happened in a system. */
export interface Event {
  /** Counts from 1 in each system, without gaps. */
  readonly seq: bigint
  readonly time: Date
  /** Dotted text, such as `actor.crashed`. */
  readonly kind: string
  /** The three-part id of the actor concerned. */
  readonly actor?: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** What is known of a component before it runs. */
export interface ComponentInfo {
  readonly digest: string
  /** Interfaces and functions it imports, with versions. */
  readonly imports: readonly string[]
  /** Interfaces and functions it exports, with versions. */
  readonly exports: readonly string[]
  /** Capability families that its imports could ask for, such as `fs.read`. */
  readonly capabilities: readonly string[]
  /** Whether it can be sent messages. */
  readonly handler: boolean
  /** Whether it is told when it starts and stops. */
  readonly lifecycle: boolean
}

/** What an actor is doing. */
export interface ActorStatus {
  readonly id: string
  /** `starting`, `running`, `restarting`, `stopping` or `stopped`. */
  readonly state: string
  /** Messages that wait. */
  readonly mailboxMessages: number
  /** Messages handled, over all restarts. */
  readonly handled: number
  readonly restarts: number
}

/** One grant of an actor. */
export interface GrantInfo {
  /** The grant, to revoke it. */
  readonly grant: Grant
  /** The capability in its canonical text form. */
  readonly capability: string
  /** What is left of its time, if it has any bound. */
  readonly ttlMs?: number
  /** Open resources that were minted from it. */
  readonly open: number
}

/** Counters of a system; messages sent = delivered + rejected + dropped + dead letters + those that wait. */
export interface Stats {
  readonly components: number
  readonly actors: number
  readonly sent: number
  readonly delivered: number
  readonly rejected: number
  readonly dropped: number
  readonly deadLetters: number
  readonly restarts: number
  readonly denied: number
}

/** What a close had to do. */
export interface CloseReport {
  /** Actors that stopped in time. */
  readonly stopped: number
  /** Actors that were killed at the deadline. */
  readonly killed: number
  /** Messages that were still queued. */
  readonly deadLetters: number
}
