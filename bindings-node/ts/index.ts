// The public classes. They spell names and check types; what a call means is decided by the core.

import type * as Native from '../native'
import type { ActorStatus, CloseReport, ComponentInfo, Event, GrantInfo, Handler, Stats } from './data'
import { AirwasmError } from './errors'
import { native } from './native'
import {
  abortOptions,
  bytes,
  capability as capabilityText,
  deadlineOptions,
  grantOptions,
  openOptions,
  path as pathText,
  payload as payloadBytes,
  requestOptions,
  sendOptions,
  spawnOptions,
  text,
} from './options'
import type {
  AbortOptions,
  Capability,
  DeadlineOptions,
  GrantOptions,
  OpenOptions,
  Payload,
  RequestOptions,
  SendOptions,
  SpawnOptions,
} from './options'
import { checkSignal, host, outcome, value, withHandler } from './runtime'

export { AirwasmError, codes, Failure } from './errors'
export { UNLIMITED } from './options'
export type * from './data'
export type * from './options'

// The classes hand these out: nobody else makes their objects or looks inside.
let makeComponent: (system: System, loaded: Native.LoadedAnswer) => Component
let makeActor: (system: System, actor: Native.ActorAnswer) => Actor
let makeGrant: (system: System, handle: bigint) => Grant
let componentHandle: (system: System, component: Component) => bigint
let actorHandle: (system: System, actor: Actor) => bigint
let grantHandle: (system: System, grant: Grant) => bigint

/** The handle of an object of this system: handles of two systems look alike. */
function ownHandle(what: string, system: System, owner: System | undefined, handle: bigint | undefined): bigint {
  if (handle === undefined) throw AirwasmError.argument(what, `the object that a call returned is needed`)
  if (owner !== system) throw AirwasmError.of(native.foreignError(what))
  return handle
}

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
    componentHandle = (system, it) =>
      isObject(it) && #handle in it
        ? ownHandle('component', system, it.#system, it.#handle)
        : ownHandle('component', system, undefined, undefined)
  }
}

/** An actor: a name that stays valid over its restarts, not an owner. Dropping it stops nothing. */
export class Actor {
  /** `namespace/name/instance`. */
  readonly id: string
  readonly #system: System
  readonly #handle: bigint

  private constructor(system: System, actor: Native.ActorAnswer) {
    this.#system = system
    this.#handle = actor.handle
    this.id = actor.id
  }

  static {
    makeActor = (system, actor) => new Actor(system, actor)
    actorHandle = (system, it) =>
      isObject(it) && #handle in it
        ? ownHandle('actor', system, it.#system, it.#handle)
        : ownHandle('actor', system, undefined, undefined)
  }

  /** Queues a message and does not wait for its handling. */
  send(payload: Payload, options?: SendOptions): Promise<void> {
    return this.#system.send(this, payload, options)
  }

  /** Sends a message and waits for the reply; a reply without bytes is empty. */
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

  /** Ends it after the message it has in hand; at the deadline it is killed. */
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
}

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
        ? ownHandle('grant', system, it.#system, it.#handle)
        : ownHandle('grant', system, undefined, undefined)
  }

  /** Takes it back; how many open resources that cut. */
  revoke(): Promise<number> {
    return this.#system.revoke(this)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A stream of events; its end is `return`, or the end of its system. */
class Events implements AsyncIterableIterator<Event> {
  readonly #system: System
  readonly #open: () => Native.NativeEvents
  #stream: Native.NativeEvents | undefined
  #ended = false

  constructor(system: System, open: () => Native.NativeEvents) {
    this.#system = system
    this.#open = open
    // The stream starts here. An error is told by `next`: nothing in this package throws but through a promise.
    try {
      this.#stream = open()
    } catch {
      this.#stream = undefined
    }
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    this.#stream ??= this.#open()
    const event = await outcome(this.#system, this.#stream.next(), eventOf)
    if (event !== undefined) return { done: false, value: event }
    this.#ended = true
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#ended = true
    this.#stream?.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function eventOf(event: Native.EventAnswer | null): Event | undefined {
  if (event === null) return undefined
  const { seq, timeUnixMs, kind, actor, detail } = event
  const shown = { seq, time: new Date(timeUnixMs), kind, detail: JSON.parse(detail) as Record<string, unknown> }
  return actor === undefined ? shown : { ...shown, actor }
}

/**
 * One world of components, actors and grants. Close it when it is no longer needed; collected without having been
 * closed, it kills its actors. No method throws: errors are rejections with an {@link AirwasmError}.
 */
export class System {
  readonly #native: Native.NativeSystem

  private constructor(system: Native.NativeSystem) {
    this.#native = system
  }

  /** The version of the core. */
  static version(): string {
    return native.version()
  }

  /** Opens a system: its threads, its engine, its audit log. */
  static async open(options?: OpenOptions): Promise<System> {
    return new System(value(host.open(openOptions(options))))
  }

  /** Loads a component from a file. */
  async load(path: string | URL, options?: AbortOptions): Promise<Component> {
    const { signal } = abortOptions(options)
    const file = pathText(path, 'path')
    checkSignal(signal)
    return outcome(this, this.#native.load(file), (loaded) => makeComponent(this, loaded), signal)
  }

  /** Loads a component from its bytes, which are copied. */
  async loadBytes(component: Uint8Array, options?: AbortOptions): Promise<Component> {
    const { signal } = abortOptions(options)
    const copied = bytes(component, 'component')
    checkSignal(signal)
    return outcome(this, this.#native.loadBytes(copied), (loaded) => makeComponent(this, loaded), signal)
  }

  /** What is known of a component before it runs. */
  async inspect(component: Component): Promise<ComponentInfo> {
    return value(this.#native.inspect(componentHandle(this, component)))
  }

  /** Forgets a component; its actors keep it. */
  async unload(component: Component): Promise<void> {
    value(this.#native.unload(componentHandle(this, component)))
  }

  /** Starts a guest as an actor. */
  async spawn(component: Component, options?: SpawnOptions): Promise<Actor> {
    const spec = { ...spawnOptions(options), component: componentHandle(this, component) }
    return outcome(this, this.#native.spawn(spec), (actor) => makeActor(this, actor))
  }

  /** Makes a function an actor. It runs on this thread's event loop and does not keep the process alive. */
  async spawnHost(handler: Handler, options?: SpawnOptions): Promise<Actor> {
    if (typeof handler !== 'function') throw AirwasmError.argument('handler', 'a function is needed')
    const spec = spawnOptions(options)
    return makeActor(this, withHandler(this, handler, (number) => this.#native.spawnHost(spec, number)))
  }

  /** The actor of this id. */
  async lookup(id: string): Promise<Actor> {
    return makeActor(this, value(this.#native.lookup(text(id, 'id'))))
  }

  /** All actors. */
  async list(): Promise<ActorStatus[]> {
    return value(this.#native.list())
  }

  /** As {@link Actor.send}. */
  async send(actor: Actor, payload: Payload, options?: SendOptions): Promise<void> {
    const { contentType } = sendOptions(options)
    value(this.#native.send(actorHandle(this, actor), payloadBytes(payload, 'payload'), contentType))
  }

  /** As {@link Actor.request}. */
  request(actor: Actor, payload: Payload, options?: RequestOptions): Promise<Buffer> {
    // Not an async function, which would put a second promise around the first.
    try {
      const { timeoutMs, contentType, signal } = requestOptions(options)
      const handle = actorHandle(this, actor)
      const sent = payloadBytes(payload, 'payload')
      checkSignal(signal)
      const answer = this.#native.request(handle, sent, timeoutMs, contentType)
      return outcome(this, answer, (reply: Buffer) => reply, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As {@link Actor.grant}. */
  async grant(actor: Actor, capability: Capability, options?: GrantOptions): Promise<Grant> {
    const { ttlMs } = grantOptions(options)
    const asked = capabilityText(capability, 'capability')
    return makeGrant(this, value<bigint>(this.#native.grant(actorHandle(this, actor), asked, ttlMs)))
  }

  /** As {@link Grant.revoke}. */
  async revoke(grant: Grant): Promise<number> {
    return value<number>(this.#native.revoke(grantHandle(this, grant)))
  }

  /** As {@link Actor.grants}. */
  async grants(actor: Actor): Promise<GrantInfo[]> {
    const grants = value(this.#native.grants(actorHandle(this, actor)))
    return grants.map((info) => ({ ...info, grant: makeGrant(this, info.grant) }))
  }

  /** As {@link Actor.stop}. */
  async stop(actor: Actor, options?: DeadlineOptions): Promise<void> {
    const { deadlineMs } = deadlineOptions(options)
    return outcome(this, this.#native.stop(actorHandle(this, actor), deadlineMs), () => undefined)
  }

  /** As {@link Actor.kill}. */
  async kill(actor: Actor): Promise<void> {
    value(this.#native.kill(actorHandle(this, actor)))
  }

  /** As {@link Actor.status}. */
  async status(actor: Actor): Promise<ActorStatus> {
    return value(this.#native.status(actorHandle(this, actor)))
  }

  /**
   * Events of these kinds from this call on: a comma list of kinds, families such as `actor.*`, or `*`. A slow reader
   * sees `events.lost`.
   */
  events(kinds: string = '*'): AsyncIterableIterator<Event> {
    return new Events(this, () => value<Native.NativeEvents>(this.#native.events(text(kinds, 'kinds'))))
  }

  /** Counters. */
  async stats(): Promise<Stats> {
    return value(this.#native.stats())
  }

  /** Stops every actor, kills at the deadline what has not stopped, and reports. Closing again gives the same. */
  async close(options?: DeadlineOptions): Promise<CloseReport> {
    const { deadlineMs } = deadlineOptions(options)
    return outcome(this, this.#native.close(deadlineMs), (report: Native.ClosedAnswer) => report)
  }

  /** Whether it was closed. */
  isClosed(): boolean {
    return value<boolean>(this.#native.isClosed())
  }

  /** {@link System.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
