import type * as Native from '../native'
import { isObject, ownHandle } from './own'
import type { System } from './system'

/** @internal */
export let makeComponent: (system: System, loaded: Native.LoadedAnswer) => Component
/** @internal */
export let componentHandle: (system: System, component: unknown, which?: string) => bigint

/** A loaded component: a name, not an owner. */
export class Component {
  /** SHA-256 of its bytes, as `sha256:<hex>`. */
  readonly digest: string
  readonly #system: System
  readonly #handle: bigint

  private constructor(system: System, loaded: Native.LoadedAnswer) {
    this.#system = system
    this.#handle = loaded.handle
    this.digest = loaded.digest
  }

  static {
    makeComponent = (system, loaded) => new Component(system, loaded)
    componentHandle = (system, it, which = 'component') =>
      isObject(it) && #handle in it
        ? ownHandle('component', which, system, it.#system, it.#handle)
        : ownHandle('component', which, system, undefined, undefined)
  }
}
