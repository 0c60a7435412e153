import { isObject, ownHandle } from './own'
import type { System } from './system'

/** @internal */
export let makeTimer: (system: System, handle: bigint) => Timer
/** @internal */
export let timerHandle: (system: System, timer: unknown) => bigint

/** A message to come: a name, not an owner. Dropping it cancels nothing, and it keeps no process alive. */
export class Timer {
  readonly #system: System
  readonly #handle: bigint

  private constructor(system: System, handle: bigint) {
    this.#system = system
    this.#handle = handle
  }

  static {
    makeTimer = (system, handle) => new Timer(system, handle)
    timerHandle = (system, it) =>
      isObject(it) && #handle in it
        ? ownHandle('timer', 'timer', system, it.#system, it.#handle)
        : ownHandle('timer', 'timer', system, undefined, undefined)
  }

  /** The message does not come any more; `false` if it was sent already, or its actor had ended. */
  cancel(): Promise<boolean> {
    return this.#system.cancelTimer(this)
  }
}
