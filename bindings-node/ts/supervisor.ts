import type * as Native from '../native'
import { Actor } from './actor'
import type { ActorStatus } from './data'
import type { ChildSpec, ChildSupervisorSpec } from './supervision'
import type { System } from './system'

/** @internal */
export let makeSupervisor: (system: System, actor: Native.ActorAnswer) => Supervisor

/**
 * A supervisor: starts its children in their order, starts them again by its strategy, stops them in reverse. It takes
 * no messages: `send` and `request` are rejected with `AIRWASM_INVALID_HANDLE`.
 */
export class Supervisor extends Actor {
  readonly #system: System

  private constructor(system: System, actor: Native.ActorAnswer) {
    super(system, actor)
    this.#system = system
  }

  static {
    makeSupervisor = (system, actor) => new Supervisor(system, actor)
  }

  /** Its children in the order of their starts. */
  children(): Promise<ActorStatus[]> {
    return this.#system.children(this)
  }

  /** Adds a child and starts it; one that does not start is not added. */
  startChild(child: ChildSupervisorSpec): Promise<Supervisor>
  startChild(child: ChildSpec): Promise<Actor>
  startChild(child: ChildSpec): Promise<Actor> {
    return this.#system.startChild(this, child)
  }

  /**
   * Stops a child by its own shutdown time; nobody restarts it. Kept for `restartChild`, unless it is temporary. The
   * child's own handler may call this but not wait for it, as with {@link Actor.stop}.
   */
  terminateChild(child: Actor): Promise<void> {
    return this.#system.terminateChild(this, child)
  }

  /** Starts a child that was stopped. */
  restartChild(child: Actor): Promise<void> {
    return this.#system.restartChild(this, child)
  }

  /** Removes a child that was stopped; its id is free again. */
  deleteChild(child: Actor): Promise<void> {
    return this.#system.deleteChild(this, child)
  }
}
