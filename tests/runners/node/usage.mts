// Compiled, never run: a strict program that uses every part of the declarations as they are meant.

import {
  Actor, AirwasmError, codes, Component, Failure, Grant, Subscription, Supervisor, System, Timer, UNLIMITED,
} from '@airssys/wasm'
import type {
  ActorStatus, AbortOptions, AuditOptions, AuditReport, Backoff, Budget, Capability, ChildSpec, ChildSupervisorSpec, CloseReport, ComponentInfo,
  DeadLetter, DeadlineOptions, Down, Event, Explanation, GrantInfo, GrantOptions, GuestSpec, Handler, KvKeys, HostSpec, Limits, Message,
  OpenOptions, Overflow, Payload, PolicyReport, RequestOptions, Restart, SendOptions, SpawnOptions, Stats, SupervisorSpec, TreeNode,
} from '@airssys/wasm'

const auditOptions: AuditOptions = {
  level: 'denials', onFailure: 'closed', onFull: 'count', rotateBytes: 1, rotateFiles: 1, summaryMs: 60_000, stderr: true,
}
const opened: OpenOptions = {
  policy: 'policy.yaml', policyWatchMs: 1_000, audit: new URL('file:///audit.jsonl'), auditOptions, cacheDir: '/cache', profile: 'hardened',
  kv: 'store.db',
}
const budget: Budget = { cpuMs: 200, wallMs: UNLIMITED, fuel: 5n, outputBytes: 1, hostCalls: 1 }
const limits: Limits = { memoryBytes: 1, tableElements: 1, handles: 1, mailboxMessages: 1, mailboxBytes: 1, payloadBytes: 1, cpuPercent: 1 }
const capabilities: Capability[] = ['fs.read /data/**', { capability: 'fs.read', scope: '/data/**', ttl: '60s' }]
const spawned: SpawnOptions = {
  name: 'tools/one/0', grants: capabilities, limits, budget, config: { any: ['json'] }, restart: 'permanent', shutdownMs: 5,
  significant: true, overflow: 'drop_oldest', healthIntervalMs: 5, healthMissed: 1, errorsMax: 1, errorPeriodMs: 5,
}
const handler: Handler = async ({ sender, to, payload, contentType, topic }: Message): Promise<Payload | void> => {
  if (topic !== undefined) return topic.toUpperCase()
  if (contentType === undefined) return `${sender} ${to} ${payload.toString('utf8')}`
  if (payload.length > 0) return Uint8Array.of(1)
  throw new Failure('empty', 'no payload')
}

async function use(system: System): Promise<void> {
  const abort: AbortOptions = { signal: AbortSignal.timeout(5) }
  const component: Component = await system.load(new URL('file:///hello.wasm'), abort)
  const bytes: Component = await system.loadBytes(new Uint8Array(), abort)
  const info: ComponentInfo = await system.inspect(bytes)
  const digest: string = info.handler ? info.digest : component.digest
  const actor: Actor = await system.spawn(component, spawned)
  await system.spawnHost(handler, { name: digest })
  await system.spawnHost(() => {})
  const services: Actor[] = [await system.spawnFiles({ grants: capabilities, limits }), await system.spawnProcesses()]
  const send: SendOptions = { contentType: 'text/plain' }
  const request: RequestOptions = { ...send, ...abort, timeoutMs: 5 }
  const ttl: GrantOptions = { ttlMs: 5 }
  const deadline: DeadlineOptions = { deadlineMs: 5 }
  const reply: Buffer = await actor.request('text', request)
  await system.send(actor, reply, send)
  const grant: Grant = await actor.grant(capabilities[0] ?? 'clock', ttl)
  const cut: number = await grant.revoke()
  const grants: GrantInfo[] = await actor.grants()
  const left: number | undefined = grants[0]?.ttlMs
  const status: ActorStatus = await (await system.lookup(actor.id)).status()
  const all: ActorStatus[] = await system.list()
  for await (const event of system.events('actor.*')) {
    const { seq, time, kind, actor, detail }: Event = event
    const line: string = `${seq + 1n} ${time.toISOString()} ${kind} ${actor?.length} ${String(detail.code)}`
    if (line) break
  }
  const stats: Stats = await system.stats()
  await actor.stop(deadline)
  await actor.kill()
  await system.unload(component)
  await system.kvSet('notes', 'a', 'one')
  const kept: Buffer | null = await system.kvGet('notes', 'a')
  const { keys, cursor }: KvKeys = await system.kvList('notes')
  console.log(kept, keys, cursor, await system.kvDelete('notes', 'a'))
  const report: CloseReport = await system.close(deadline)
  console.log(cut, left, status.state, all.length, stats.deadLetters, report.killed, system.isClosed(), System.version())
}

async function supervise(system: System, component: Component): Promise<void> {
  const backoff: Backoff = { initialMs: 100, maxMs: 10_000, factor: 2, jitter: 0.2 }
  const [restart, overflow]: [Restart, Overflow] = ['transient', 'block']
  const guest: GuestSpec = { ...spawned, component }
  const host: HostSpec = { handler, name: 'host', restart, overflow }
  const inner: ChildSupervisorSpec = { name: 'inner', restart, children: [host] }
  const children: ChildSpec[] = [guest, host, inner, { handler: () => 'x', name: 'x' }, { name: 'empty', children: [] }]
  const spec: SupervisorSpec = {
    name: 'top', strategy: 'one_for_all', intensity: 5, periodMs: 5, backoff, giveUp: 'escalate', autoShutdown: 'never', children,
  }
  const supervisor: Supervisor = await system.supervisor(spec)
  const child: Actor = await supervisor.startChild(host)
  const below: Supervisor = await supervisor.startChild(inner)
  await system.startChild(below, guest)
  await supervisor.terminateChild(child)
  await supervisor.restartChild(child)
  await supervisor.deleteChild(child)
  const all: ActorStatus[] = await supervisor.children()
  const tree: TreeNode[] = await system.tree()
  const states = tree.map(({ actor, status, restart, children }) => `${actor.id} ${status.lastExit} ${status.busyMs} ${restart} ${children.length}`)
  const down: Down = await supervisor.monitor({ signal: AbortSignal.timeout(5) })
  console.log(all.length, states, down.id, down.reason, down.restarting, down.error?.code)
}

async function govern(system: System, actor: Actor): Promise<void> {
  await system.policyLoad(new URL('file:///policy.yaml'))
  const explained: Explanation = await system.policyExplain(actor.id, 'fs.read /data/a')
  const { passed, failed }: PolicyReport = await system.policyTest()
  const line: string | undefined = explained.policyLine ?? explained.rule ?? explained.beaten
  await actor.check({ capability: 'custom.billing', scope: 'charge' })
  await system.check(actor, 'clock')
  const report: AuditReport = await System.auditVerify('audit.jsonl')
  const next: bigint = report.lastSeq + 1n
  console.log(String(explained), explained.allowed, line, passed, failed.length, report.files[0]?.length, next, report.lastHash)
}

async function watch(system: System, actor: Actor, other: Actor): Promise<void> {
  await actor.link(other)
  await actor.unlink(other)
  const subscription: Subscription = await actor.subscribe('news.*')
  const reached: number = await system.publish('news.tech', 'text', { contentType: 'text/plain' })
  await subscription.unsubscribe()
  await actor.join('group')
  const members: Actor[] = await system.members('group')
  const told: number = await system.broadcast('group', Uint8Array.of(1))
  const left: boolean = await actor.leave('group')
  const timers: Timer[] = [await actor.sendAfter('x', 5), await actor.sendEvery('x', 5, { contentType: 'text/plain' })]
  const cancelled: boolean[] = await Promise.all(timers.map((timer) => timer.cancel()))
  const letters: DeadLetter[] = await system.deadLetters()
  const [first] = letters.map(({ to, sender, payload, contentType, reason }) => `${to} ${sender} ${payload.length} ${contentType} ${reason}`)
  console.log(reached, members.length, told, left, cancelled, first, (await system.list('tools/*/*')).length)
}

try {
  await using system = await System.open(opened)
  await use(system)
  await supervise(system, await system.load('hello.wasm'))
  await govern(system, await system.lookup('a'))
  await watch(system, await system.lookup('a'), await system.lookup('b'))
} catch (error) {
  if (!(error instanceof AirwasmError)) throw error
  const number: number | undefined = codes[error.code]
  console.log(number === error.number, error.policyLine, error.rule, error.capability, error.which, error.allowed, error.used, error.detail)
}

// What must not compile.
export async function misuse(system: System, actor: Actor): Promise<void> {
  // @ts-expect-error a payload is text or bytes
  await actor.request(5)
  // @ts-expect-error only a system makes actors
  new Actor()
  // @ts-expect-error there is no such restart
  await system.spawn(await system.load('a.wasm'), { restart: 'sometimes' })
  // @ts-expect-error there is no such option
  await actor.request('text', { timeout: 5 })
  // @ts-expect-error an answer is text, bytes or nothing
  await system.spawnHost(() => 5)
  // @ts-expect-error a supervisor has a name
  await system.supervisor({ children: [] })
  // @ts-expect-error there is no such strategy
  await system.supervisor({ name: 'x', strategy: 'sometimes' })
  // @ts-expect-error a child is a guest, a function or a supervisor
  await system.supervisor({ name: 'x', children: [{ name: 'y' }] })
  // @ts-expect-error and only one of them
  await system.supervisor({ name: 'x', children: [{ handler: () => {}, children: [] }] })
  // @ts-expect-error only a system makes supervisors
  new Supervisor()
  // @ts-expect-error a timer needs a time
  await actor.sendAfter('x')
  // @ts-expect-error there is no such level
  await System.open({ auditOptions: { level: 'some' } })
  // @ts-expect-error a policy is asked about an id
  await system.policyExplain(actor, 'clock')
  // @ts-expect-error an id is given by the system
  actor.id = 'other'
}
