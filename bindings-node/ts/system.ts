// The facade. It spells names and checks types; what a call means is decided by the core.

import type * as Native from '../native'
import { Actor, actorHandle, makeActor } from './actor'
import { Component, componentHandle, makeComponent } from './component'
import type {
  ActorStatus,
  AuditReport,
  CloseReport,
  ComponentInfo,
  DeadLetter,
  Down,
  Event,
  Explanation,
  GrantInfo,
  Handler,
  KvKeys,
  PolicyReport,
  RegionInfo,
  Stats,
  TreeNode,
} from './data'
import { AirwasmError } from './errors'
import { Events } from './events'
import { Grant, grantHandle, makeGrant } from './grant'
import { native } from './native'
import {
  abortOptions,
  amount,
  bytes,
  capability as capabilityText,
  count,
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
  Restart,
  SendOptions,
  SpawnOptions,
} from './options'
import { Explained } from './policy'
import { asker, begun, checkSignal, ending, handlerNumber, host, keepHandlers, outcome, value } from './runtime'
import { makeSubscription, Subscription, subscriptionHandle } from './subscription'
import { Reading } from './supervision'
import type { ChildSpec, ChildSupervisorSpec, SupervisorSpec } from './supervision'
import { makeSupervisor, Supervisor } from './supervisor'
import { makeTimer, Timer, timerHandle } from './timer'

function treeNode(system: System, { handle, status, restart, children }: Native.TreeAnswer): TreeNode {
  const actor = makeActor(system, { handle, id: status.id })
  const below = children.map((child) => treeNode(system, child))
  return { actor, status, ...(restart !== undefined && { restart: restart as Restart }), children: below }
}

function down({ id, reason, error, restarting }: Native.DownAnswer): Down {
  return { id, reason, ...(error !== undefined && { error: AirwasmError.of(error) }), restarting }
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

  /**
   * Follows the hash chain of an audit log through all its files. `AIRWASM_AUDIT_BROKEN` with the first line that is not
   * as it was written; `AIRWASM_IO` if it cannot be read.
   */
  static async auditVerify(path: string | URL): Promise<AuditReport> {
    return value<Native.AuditAnswer>(await native.auditVerify(pathText(path, 'path')))
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

  /** What a component exports, as text in a language: `wit`. */
  async types(component: Component, language: string): Promise<string> {
    return value(this.#native.types(componentHandle(this, component), text(language, 'language'))).toString()
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
    const number = handlerNumber()
    keepHandlers(this, new Map([[number, handler]]))
    return makeActor(this, value(this.#native.spawnHost(spec, number)))
  }

  /**
   * Starts a file actor: others ask it to read and write files, each message by the grants of who sent it. What it was
   * granted itself counts only for messages of the host program, its host functions included. The forms of its
   * messages stand in the project's README, at "Files and programs by message".
   */
  async spawnFiles(options?: SpawnOptions): Promise<Actor> {
    return outcome(this, this.#native.spawnFiles(spawnOptions(options)), (actor) => makeActor(this, actor))
  }

  /**
   * Starts a process actor: others ask it to run programs, each message by the grants of who sent it. A program ends with
   * its sender, with this actor, and with the grant it runs under. The forms of its
   * messages stand in the project's README, at "Files and programs by message".
   */
  async spawnProcesses(options?: SpawnOptions): Promise<Actor> {
    return outcome(this, this.#native.spawnProcesses(spawnOptions(options)), (actor) => makeActor(this, actor))
  }

  /** The actor or supervisor of this id. */
  async lookup(id: string): Promise<Actor> {
    return makeActor(this, value(this.#native.lookup(text(id, 'id'))))
  }

  /** All actors and supervisors, or those whose ids match a pattern such as `tools/*\/*`. */
  async list(pattern?: string): Promise<ActorStatus[]> {
    return value(this.#native.list(pattern === undefined ? undefined : text(pattern, 'pattern')))
  }

  /** As {@link Actor.send}. */
  send(actor: Actor, payload: Payload, options?: SendOptions): Promise<void> {
    return begun(() => {
      const { contentType } = sendOptions(options)
      const [handle, sent] = [actorHandle(this, actor), payloadBytes(payload, 'payload')]
      const answer = this.#native.send(handle, sent, contentType, asker(this))
      return outcome(this, answer, () => undefined)
    })
  }

  /** As {@link Actor.request}. */
  request(actor: Actor, payload: Payload, options?: RequestOptions): Promise<Buffer> {
    return begun(() => {
      const { timeoutMs, contentType, signal } = requestOptions(options)
      const handle = actorHandle(this, actor)
      const sent = payloadBytes(payload, 'payload')
      checkSignal(signal)
      const answer = this.#native.request(handle, sent, timeoutMs, contentType, asker(this))
      return outcome(this, answer, (reply: Buffer) => reply, signal)
    })
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

  /** As {@link Actor.check}. */
  async check(actor: Actor, capability: Capability): Promise<void> {
    value(this.#native.check(actorHandle(this, actor), capabilityText(capability, 'capability')))
  }

  /**
   * Reads a policy, runs its tests, and puts it in force for all actors at once, those that live included: what it
   * denies is cut, what it no longer allows is revoked. All or nothing: at an error the policy before stays. Limits and
   * budgets count from an actor's next start. `AIRWASM_POLICY_INVALID` with file, line and column;
   * `AIRWASM_POLICY_TEST_FAILED` with the tests that do not hold.
   */
  async policyLoad(path: string | URL): Promise<void> {
    return outcome(this, this.#native.policyLoad(pathText(path, 'path')), () => undefined)
  }

  /**
   * Which rule of the policy decides what an actor of this id may do, written as a capability without wildcards. Grants
   * from code are not looked at.
   */
  async policyExplain(actor: string, capability: Capability): Promise<Explanation> {
    const [id, asked] = [text(actor, 'actor'), capabilityText(capability, 'capability')]
    return new Explained(value<Native.ExplanationAnswer>(this.#native.policyExplain(id, asked)))
  }

  /** Runs the tests of the policy in force; only tells what became of them. */
  async policyTest(): Promise<PolicyReport> {
    return value(this.#native.policyTest())
  }

  /**
   * The value of a key in a namespace of the store, `null` if there is no such key. It needs no grant;
   * `AIRWASM_UNSUPPORTED` where the system was opened without a store.
   */
  async kvGet(namespace: string, key: string): Promise<Buffer | null> {
    const answer = this.#native.kvGet(text(namespace, 'namespace'), text(key, 'key'))
    return outcome(this, answer, (found: Buffer | null) => found)
  }

  /** Puts a value there, over the one that was there; it is on the disk when this resolves. */
  async kvSet(namespace: string, key: string, value: Payload): Promise<void> {
    const bytes = payloadBytes(value, 'value')
    return outcome(this, this.#native.kvSet(text(namespace, 'namespace'), text(key, 'key'), bytes), () => undefined)
  }

  /** Takes a key away; whether it was there. */
  async kvDelete(namespace: string, key: string): Promise<boolean> {
    const answer = this.#native.kvDelete(text(namespace, 'namespace'), text(key, 'key'))
    return outcome(this, answer, (found: boolean) => found)
  }

  /** Keys of a namespace, from the first one or from the cursor of the page before. */
  async kvList(namespace: string, cursor?: number): Promise<KvKeys> {
    const at = cursor === undefined ? undefined : count(cursor, 'cursor')
    return outcome(this, this.#native.kvList(text(namespace, 'namespace'), at), (page: Native.KeysAnswer) => page)
  }

  /** As {@link Actor.stop}. */
  stop(actor: Actor, options?: DeadlineOptions): Promise<void> {
    return begun(() => {
      const { deadlineMs } = deadlineOptions(options)
      return ending(this, this.#native.stop(actorHandle(this, actor), deadlineMs, asker(this)))
    })
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
   * Makes a supervisor and starts its children in their order: guests, functions and supervisors, mixed. If one does not
   * start, those before it are stopped.
   */
  async supervisor(spec: SupervisorSpec): Promise<Supervisor> {
    const reading = new Reading(this)
    const read = reading.supervisor(spec)
    keepHandlers(this, reading.handlers)
    return outcome(this, this.#native.supervisor(read), (actor) => makeSupervisor(this, actor))
  }

  /** As {@link Supervisor.children}. */
  async children(supervisor: Actor): Promise<ActorStatus[]> {
    return value(this.#native.children(actorHandle(this, supervisor, 'supervisor')))
  }

  /** As {@link Supervisor.startChild}. */
  startChild(supervisor: Actor, child: ChildSupervisorSpec): Promise<Supervisor>
  startChild(supervisor: Actor, child: ChildSpec): Promise<Actor>
  async startChild(supervisor: Actor, child: ChildSpec): Promise<Actor> {
    const handle = actorHandle(this, supervisor, 'supervisor')
    const reading = new Reading(this)
    const read = reading.child(child)
    keepHandlers(this, reading.handlers)
    const make = read.supervisor === undefined ? makeActor : makeSupervisor
    const answer = this.#native.startChild(handle, read, asker(this))
    return outcome(this, answer, (actor: Native.ActorAnswer) => make(this, actor))
  }

  /** As {@link Supervisor.terminateChild}. */
  terminateChild(supervisor: Actor, child: Actor): Promise<void> {
    return begun(() => {
      const [above, below] = this.#pair(supervisor, child)
      return ending(this, this.#native.terminateChild(above, below, asker(this)))
    })
  }

  /** As {@link Supervisor.restartChild}. */
  async restartChild(supervisor: Actor, child: Actor): Promise<void> {
    const [above, below] = this.#pair(supervisor, child)
    return outcome(this, this.#native.restartChild(above, below, asker(this)), () => undefined)
  }

  /** As {@link Supervisor.deleteChild}. */
  async deleteChild(supervisor: Actor, child: Actor): Promise<void> {
    const [above, below] = this.#pair(supervisor, child)
    return outcome(this, this.#native.deleteChild(above, below, asker(this)), () => undefined)
  }

  #pair(supervisor: Actor, child: Actor): [bigint, bigint] {
    return [actorHandle(this, supervisor, 'supervisor'), actorHandle(this, child, 'child')]
  }

  /** Who supervises whom: the top in the order of the starts, each with those below it. */
  async tree(): Promise<TreeNode[]> {
    return value(this.#native.tree()).map((node) => treeNode(this, node))
  }

  /** As {@link Actor.monitor}. */
  async monitor(actor: Actor, options?: AbortOptions): Promise<Down> {
    const { signal } = abortOptions(options)
    const handle = actorHandle(this, actor)
    checkSignal(signal)
    return outcome(this, this.#native.monitor(handle, asker(this)), down, signal)
  }

  /** As {@link Actor.link}. */
  async link(one: Actor, other: Actor): Promise<void> {
    value(this.#native.link(actorHandle(this, one), actorHandle(this, other, 'other')))
  }

  /** As {@link Actor.unlink}. */
  async unlink(one: Actor, other: Actor): Promise<void> {
    value(this.#native.unlink(actorHandle(this, one), actorHandle(this, other, 'other')))
  }

  /** As {@link Actor.subscribe}. */
  async subscribe(actor: Actor, pattern: string): Promise<Subscription> {
    const wanted = text(pattern, 'pattern')
    return makeSubscription(this, value<bigint>(this.#native.subscribe(actorHandle(this, actor), wanted)))
  }

  /** As {@link Subscription.unsubscribe}. */
  async unsubscribe(subscription: Subscription): Promise<void> {
    value(this.#native.unsubscribe(subscriptionHandle(this, subscription)))
  }

  /** Sends a message to each subscription whose pattern matches; how many mailboxes took it. */
  async publish(topic: string, payload: Payload, options?: SendOptions): Promise<number> {
    const { contentType } = sendOptions(options)
    return value<number>(this.#native.publish(text(topic, 'topic'), payloadBytes(payload, 'payload'), contentType))
  }

  /** As {@link Actor.join}. */
  async join(actor: Actor, group: string): Promise<void> {
    value(this.#native.join(actorHandle(this, actor), text(group, 'group')))
  }

  /** As {@link Actor.leave}. */
  async leave(actor: Actor, group: string): Promise<boolean> {
    return value<boolean>(this.#native.leave(actorHandle(this, actor), text(group, 'group')))
  }

  /** The members of a group in the order in which they joined. */
  async members(group: string): Promise<Actor[]> {
    return value(this.#native.members(text(group, 'group'))).map((actor) => makeActor(this, actor))
  }

  /** Sends a message to each member of a group; how many mailboxes took it. */
  async broadcast(group: string, payload: Payload, options?: SendOptions): Promise<number> {
    const { contentType } = sendOptions(options)
    return value<number>(this.#native.broadcast(text(group, 'group'), payloadBytes(payload, 'payload'), contentType))
  }

  /**
   * Takes the messages that were still queued when their actors ended, oldest first; only so many are kept. Each of them
   * was an event `message.dead_letter`.
   */
  async deadLetters(): Promise<DeadLetter[]> {
    return value(this.#native.deadLetters())
  }

  /** As {@link Actor.sendAfter}. */
  async sendAfter(actor: Actor, payload: Payload, delayMs: number, options?: SendOptions): Promise<Timer> {
    const { contentType } = sendOptions(options)
    const [handle, sent] = [actorHandle(this, actor), payloadBytes(payload, 'payload')]
    return makeTimer(this, value<bigint>(this.#native.sendAfter(handle, sent, amount(delayMs, 'delayMs'), contentType)))
  }

  /** As {@link Actor.sendEvery}. */
  async sendEvery(actor: Actor, payload: Payload, periodMs: number, options?: SendOptions): Promise<Timer> {
    const { contentType } = sendOptions(options)
    const [handle, sent] = [actorHandle(this, actor), payloadBytes(payload, 'payload')]
    return makeTimer(this, value<bigint>(this.#native.sendEvery(handle, sent, amount(periodMs, 'periodMs'), contentType)))
  }

  /** As {@link Timer.cancel}. */
  async cancelTimer(timer: Timer): Promise<boolean> {
    return value<boolean>(this.#native.cancelTimer(timerHandle(this, timer)))
  }

  /**
   * Events of these kinds from this call on: a comma list of kinds, families such as `actor.*`, or `*`. A slow reader
   * sees `events.lost`.
   */
  events(kinds: string = '*'): AsyncIterableIterator<Event> {
    return new Events(this, () => value<Native.NativeEvents>(this.#native.events(text(kinds, 'kinds'))))
  }

  /**
   * Makes a region of so many bytes, all 0, under a name of 1 to 63 letters, digits, `-`, `_` and `.`. It is the program's
   * until it is removed; guests need `region.read` or `region.write` of the name. A system has up to 1,024 regions of
   * 1 GiB together.
   */
  async regionCreate(name: string, size: number): Promise<void> {
    value(this.#native.regionCreate(text(name, 'name'), count(size, 'size')))
  }

  /**
   * Copies `size` bytes from `offset` of a region, an actor's or the program's; `AIRWASM_INVALID_ARGUMENT` if a part is
   * outside. Each 256 KiB from there on are one step: what a write of no more puts there is seen whole or not at all.
   */
  async regionRead(name: string, offset: number, size: number): Promise<Buffer> {
    return value<Buffer>(this.#native.regionRead(text(name, 'name'), count(offset, 'offset'), count(size, 'size')))
  }

  /** {@link System.regionRead} that fills the caller's bytes. */
  async regionReadInto(name: string, offset: number, into: Uint8Array): Promise<void> {
    const { byteLength } = bytes(into, 'into')
    into.set(value<Buffer>(this.#native.regionRead(text(name, 'name'), count(offset, 'offset'), byteLength)))
  }

  /** Copies bytes to `offset` of a region; nothing if a part is outside. Each 256 KiB are one step. */
  async regionWrite(name: string, offset: number, data: Payload): Promise<void> {
    value(this.#native.regionWrite(text(name, 'name'), count(offset, 'offset'), payloadBytes(data, 'data')))
  }

  /** Removes a region, whoever has it open: each use of it is `AIRWASM_NOT_FOUND`. */
  async regionRemove(name: string): Promise<void> {
    value(this.#native.regionRemove(text(name, 'name')))
  }

  /** All regions, in the order of their names. */
  async regions(): Promise<RegionInfo[]> {
    return value(this.#native.regions())
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
