import { isObject, ownHandle } from './own'
import type { System } from './system'

/** @internal */
export let makeGrant: (system: System, handle: bigint) => Grant
/** @internal */
export let grantHandle: (system: System, grant: unknown) => bigint

/** One capability given to one actor. */
export class Grant {
  readonly #system: System
  readonly #handle: bigint

  private constructor(system: System, handle: bigint) {
    this.#system = system
    this.#handle = handle
  }

  static {
    makeGrant = (system, handle) => new Grant(system, handle)
    grantHandle = (system, it) =>
      isObject(it) && #handle in it
        ? ownHandle('grant', 'grant', system, it.#system, it.#handle)
        : ownHandle('grant', 'grant', system, undefined, undefined)
  }

  /** Takes it back; how many open resources that cut. */
  revoke(): Promise<number> {
    return this.#system.revoke(this)
  }
}
