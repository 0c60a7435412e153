import { isObject, ownHandle } from './own'
import type { System } from './system'

/** @internal */
export let makeSubscription: (system: System, handle: bigint) => Subscription
/** @internal */
export let subscriptionHandle: (system: System, subscription: unknown) => bigint

/** What one actor is sent of a topic: a name, not an owner. Dropping it ends nothing. */
export class Subscription {
  readonly #system: System
  readonly #handle: bigint

  private constructor(system: System, handle: bigint) {
    this.#system = system
    this.#handle = handle
  }

  static {
    makeSubscription = (system, handle) => new Subscription(system, handle)
    subscriptionHandle = (system, it) =>
      isObject(it) && #handle in it
        ? ownHandle('subscription', 'subscription', system, it.#system, it.#handle)
        : ownHandle('subscription', 'subscription', system, undefined, undefined)
  }

  /** Ends it, if it has not ended with its actor; what is queued is still handled. */
  unsubscribe(): Promise<void> {
    return this.#system.unsubscribe(this)
  }
}
