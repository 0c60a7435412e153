// Compiled, never run: a strict program that uses every part of the declarations as they are meant.

import { Actor, AirwasmError, codes, Component, Failure, Grant, System, UNLIMITED } from '@airssys/wasm'
import type {
  ActorStatus, AbortOptions, Budget, Capability, CloseReport, ComponentInfo, DeadlineOptions, Event, GrantInfo,
  GrantOptions, Handler, Limits, Message, OpenOptions, Payload, RequestOptions, SendOptions, SpawnOptions, Stats,
} from '@airssys/wasm'

const opened: OpenOptions = { policy: 'policy.yaml', audit: new URL('file:///audit.jsonl'), cacheDir: '/cache', profile: 'hardened' }
const budget: Budget = { cpuMs: 200, wallMs: UNLIMITED, fuel: 5n, outputBytes: 1, hostCalls: 1 }
const limits: Limits = { memoryBytes: 1, tableElements: 1, handles: 1, mailboxMessages: 1, mailboxBytes: 1, payloadBytes: 1 }
const capabilities: Capability[] = ['fs.read /data/**', { capability: 'fs.read', scope: '/data/**', ttl: '60s' }]
const spawned: SpawnOptions = {
  name: 'tools/one/0', grants: capabilities, limits, budget, config: { any: ['json'] }, restart: 'permanent', shutdownMs: 5,
}
const handler: Handler = async ({ sender, to, payload, contentType }: Message): Promise<Payload | void> => {
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
  const report: CloseReport = await system.close(deadline)
  console.log(cut, left, status.state, all.length, stats.deadLetters, report.killed, system.isClosed(), System.version())
}

try {
  await using system = await System.open(opened)
  await use(system)
} catch (error) {
  if (!(error instanceof AirwasmError)) throw error
  const number: number | undefined = codes[error.code]
  console.log(number === error.number, error.policyLine, error.capability, error.which, error.allowed, error.used, error.detail)
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
  // @ts-expect-error an id is given by the system
  actor.id = 'other'
}
