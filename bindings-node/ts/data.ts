// What the core tells, as plain objects.

import type { Actor } from './actor'
import type { AirwasmError } from './errors'
import type { Grant } from './grant'
import type { Payload, Restart } from './options'

/** What a handler is given. */
export interface Message {
  /** The id of the sending actor; empty when the program itself sent it. Set by the system, never by a guest. */
  readonly sender: string
  /** The id of the actor it was sent to. */
  readonly to: string
  readonly payload: Buffer
  /** What the bytes are, as a media type, if the sender said so. */
  readonly contentType?: string
  /** The topic it was published under, if it was. */
  readonly topic?: string
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

/** What an actor or supervisor is doing. */
export interface ActorStatus {
  readonly id: string
  /** `starting`, `running`, `restarting`, `stopping`, `stopped` or `abandoned`. */
  readonly state: string
  /** Messages that wait. */
  readonly mailboxMessages: number
  /** Messages handed to it, over all restarts. */
  readonly handled: number
  readonly restarts: number
  /** How its last life ended, such as `shutdown`, if one has. */
  readonly lastExit?: string
  /** Time that its code has run. */
  readonly busyMs: number
  /** Where it serves http, while it does. */
  readonly listening?: string
}

/** One actor or supervisor with those below it. */
export interface TreeNode {
  readonly actor: Actor
  readonly status: ActorStatus
  /** When its supervisor starts it again; absent at the top. */
  readonly restart?: Restart
  /** Its children in the order of their starts. */
  readonly children: readonly TreeNode[]
}

/** How a life of an actor ended. */
export interface Down {
  readonly id: string
  /** `normal`, `shutdown`, `killed`, or what it crashed with. */
  readonly reason: string
  /** What it crashed with, if it did. */
  readonly error?: AirwasmError
  /** Whether it will be started again. */
  readonly restarting: boolean
}

/** A message that was still queued when its actor ended. */
export interface DeadLetter {
  /** Whose mailbox it was in. */
  readonly to: string
  /** The id of the sending actor; empty when the program itself sent it. */
  readonly sender: string
  readonly payload: Buffer
  /** What the bytes are, as a media type, if the sender said so. */
  readonly contentType?: string
  /** How its actor ended. */
  readonly reason: string
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
  /** Who gave it: `baseline`, `policy`, `host`, or the id of the actor that handed it on. */
  readonly givenBy: string
}

/** Which rule of the policy decides what an actor asks for; as a string, its text. */
export interface Explanation {
  /** Whether the policy allows it. */
  readonly allowed: boolean
  /** As in `deny: policy.yaml:13 fs.read /srv/private/** beats policy.yaml:11 fs.read /srv/**`. */
  readonly text: string
  /** The rule that decides; absent where nothing allows it. */
  readonly rule?: string
  /** The allow that a deny beats. */
  readonly beaten?: string
  /** The line that would allow it where nothing does, to be pasted into the policy. */
  readonly policyLine?: string
  /** The text. */
  toString(): string
}

/** What became of the tests of a policy. */
export interface PolicyReport {
  /** How many held. */
  readonly passed: number
  /** One line for each that does not hold, in the order of the file. */
  readonly failed: readonly string[]
}

/** What an audit log that is whole consists of. */
export interface AuditReport {
  /** The log and the files it was renamed to, the oldest first. */
  readonly files: readonly string[]
  /** Records in them. */
  readonly records: number
  /** The number of the first record; over 1 if older files are gone. */
  readonly firstSeq: bigint
  /** The number of the last record. */
  readonly lastSeq: bigint
  /** The hash of the last record: kept elsewhere, it shows later that nothing up to it was cut off. */
  readonly lastHash: string
  /** Unfinished lines that the log itself tells of. */
  readonly tornLines: number
  /** Whether the last line is unfinished: a process was killed, or is writing now. */
  readonly partialTail: boolean
}

/** Keys of a namespace of the store, in the order in which they first came. */
export interface KvKeys {
  /** At most 1,000. */
  readonly keys: string[]
  /** Where the next page goes on; none after the last key. */
  readonly cursor?: number
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
  readonly regions: number
  /** Of all regions together. */
  readonly regionBytes: number
}

/** Memory that actors and the program share by its name. */
export interface RegionInfo {
  readonly name: string
  readonly bytes: number
  /** The id of the actor that made it; absent for one of the program. */
  readonly owner?: string
  /** How often guests have it open. */
  readonly open: number
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
