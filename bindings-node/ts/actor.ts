import type * as Native from '../native'
import type { ActorStatus, Down, GrantInfo } from './data'
import { AirwasmError } from './errors'
import type { Grant } from './grant'
import type {
  AbortOptions,
  Capability,
  DeadlineOptions,
  GrantOptions,
  Payload,
  RequestOptions,
  SendOptions,
} from './options'
import { isObject, ownHandle } from './own'
import type { Subscription } from './subscription'
import type { System } from './system'
import type { Timer } from './timer'

/** @internal */
export let makeActor: (system: System, actor: Native.ActorAnswer) => Actor
/** @internal */
export let actorHandle: (system: System, actor: unknown, which?: string) => bigint

/**
 * An actor: a name that stays valid over its restarts, not an owner. Dropping it stops nothing. What `lookup` finds may
 * be a supervisor: that can be watched and ended as any actor, but takes no messages.
 */
export class Actor {
  /** `namespace/name/instance`. */
  readonly id: string
  readonly #system: System
  readonly #handle: bigint

  protected constructor()
  /** @internal */
  protected constructor(system: System, actor: Native.ActorAnswer)
  protected constructor(system?: System, actor?: Native.ActorAnswer) {
    if (system === undefined || actor === undefined) throw AirwasmError.argument('actor', 'only a system makes actors')
    this.#system = system
    this.#handle = actor.handle
    this.id = actor.id
  }

  static {
    makeActor = (system, actor) => new Actor(system, actor)
    actorHandle = (system, it, which = 'actor') =>
      isObject(it) && #handle in it
        ? ownHandle('actor', which, system, it.#system, it.#handle)
        : ownHandle('actor', which, system, undefined, undefined)
  }

  /**
   * Queues a message and does not wait for its handling. It is queued when the promise is fulfilled, most often at once;
   * with the overflow `block` that waits for room, which in a circle of handlers is `AIRWASM_CYCLE` and sends nothing.
   */
  send(payload: Payload, options?: SendOptions): Promise<void> {
    return this.#system.send(this, payload, options)
  }

  /**
   * Sends a message and waits for the reply; a reply without bytes is empty. Asked by a handler whose actor the reply
   * waits for, by way of others or at once, it is rejected with `AIRWASM_CYCLE`.
   */
  request(payload: Payload, options?: RequestOptions): Promise<Buffer> {
    return this.#system.request(this, payload, options)
  }

  /** Gives a capability. */
  grant(capability: Capability, options?: GrantOptions): Promise<Grant> {
    return this.#system.grant(this, capability, options)
  }

  /** What it was given and still has. */
  grants(): Promise<GrantInfo[]> {
    return this.#system.grants(this)
  }

  /**
   * Asks whether it may do this now, for ends of your own: `custom.billing charge`, say. If not, the promise is rejected
   * with `AIRWASM_DENIED`. Audited like the asks of guests.
   */
  check(capability: Capability): Promise<void> {
    return this.#system.check(this, capability)
  }

  /**
   * Ends it after the message it has in hand; at the deadline it is killed. Its own handler may call this but not wait for
   * it, nor may one below it: the promise is rejected with `AIRWASM_CYCLE`, and the end comes when the handler has answered.
   */
  stop(options?: DeadlineOptions): Promise<void> {
    return this.#system.stop(this, options)
  }

  /** Ends it now. */
  kill(): Promise<void> {
    return this.#system.kill(this)
  }

  /** What it is doing. */
  status(): Promise<ActorStatus> {
    return this.#system.status(this)
  }

  /** Sends it a message after a time. */
  sendAfter(payload: Payload, delayMs: number, options?: SendOptions): Promise<Timer> {
    return this.#system.sendAfter(this, payload, delayMs, options)
  }

  /** Sends it a message each time a period has passed, until it has ended for good. A full mailbox misses its turn. */
  sendEvery(payload: Payload, periodMs: number, options?: SendOptions): Promise<Timer> {
    return this.#system.sendEvery(this, payload, periodMs, options)
  }

  /**
   * Waits until the life at hand ends, and tells how. The promise keeps the process alive, as every one that waits does,
   * until then or until `signal` gives it up. A handler that must be over first is told `AIRWASM_CYCLE`.
   */
  monitor(options?: AbortOptions): Promise<Down> {
    return this.#system.monitor(this, options)
  }

  /** Links it with another: when the life of one ends badly, so does that of the other. A link ends with either life. */
  link(other: Actor): Promise<void> {
    return this.#system.link(this, other)
  }

  /** Undoes a link; nothing if there is none. */
  unlink(other: Actor): Promise<void> {
    return this.#system.unlink(this, other)
  }

  /**
   * Sends it what is published under topics that match, until it has ended for good or the subscription is undone.
   * Parts are divided by dots; `*` is one part, `>` or `**` at the end the rest.
   */
  subscribe(pattern: string): Promise<Subscription> {
    return this.#system.subscribe(this, pattern)
  }

  /** Puts it into a group. */
  join(group: string): Promise<void> {
    return this.#system.join(this, group)
  }

  /** Takes it out of a group; `false` if it was not in it. */
  leave(group: string): Promise<boolean> {
    return this.#system.leave(this, group)
  }
}
