// Runs tests/scenarios/*.jsonl through the public API of the Node host. The format is in tests/scenarios/README.md.
// An argument runs only the scenarios whose name contains it.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { AirwasmError, System } from '@airssys/wasm'
import { behave } from './behaviours.mjs'
import { policy } from './policy.mjs'
import { regions } from './regions.mjs'
import { guestOptions, hostOptions, serviceOptions } from './specs.mjs'
import { camel, Expectation, part, same, Step } from './step.mjs'
import { supervisors } from './supervisors.mjs'
import { watching } from './watching.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const guest = (name) => join(root, 'target/guests', `${name}.wasm`)

const folder = join(root, 'tests/scenarios')
/** A system with the names that a scenario gives to what it makes. */
class World {
  components = new Map()
  actors = new Map()
  grants = new Map()
  requests = new Map()
  declared = new Map()
  monitors = new Map()
  subscriptions = new Map()
  timers = new Map()

  static async open(cached) {
    const world = new World()
    world.system = await System.open(cached ? { cacheDir: join(root, 'target/guests-code') } : {})
    world.events = world.system.events('*')
    world.folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
    return world
  }

  async end() {
    await this.system.close({ deadlineMs: 1 })
    await rm(this.folder, { recursive: true })
  }

  async run(line) {
    const step = new Step(line, this.folder)
    const expected = step.get('expect_error')
    const [message, policyLine, which] = ['message', 'policy_line', 'which'].map((key) => step.get(`expect_${key}`))
    const op = step.need('op')
    if (!Object.hasOwn(OPERATIONS, op)) throw new Expectation(`unknown op ${op}`)
    try {
      await OPERATIONS[op](this, step)
    } catch (error) {
      if (!(error instanceof AirwasmError)) throw error
      if (expected === undefined) throw new Expectation(`${error.code} ${error.message}`)
      same('error', `AIRWASM_${expected}`, error.code)
      part('message', message, error.message)
      same('policy line', policyLine, error.policyLine ?? '')
      same('which', which, error.which)
      return
    }
    if (expected !== undefined) throw new Expectation(`expected ${expected}, got success`)
    if (step.left.size > 0) throw new Expectation(`unread keys ${[...step.left]}`)
  }

  async actor(step, key = 'to') {
    const name = step.need(key)
    return this.actors.get(name) ?? (await this.system.lookup(name))
  }

  keepActor(step, actor) {
    same('id', step.get('expect_id'), actor.id)
    const alias = step.get('as')
    if (alias !== undefined) this.actors.set(alias, actor)
  }

  async component(name) {
    if (!this.components.has(name)) this.components.set(name, await this.system.load(guest(name)))
    return this.components.get(name)
  }
}

function checkAnswer(step, answer) {
  same('answer', step.get('expect_text'), String(answer))
  part('answer', step.get('expect_part'), String(answer))
}

async function withFolder(path) {
  await mkdir(dirname(path), { recursive: true })
  return path
}

/** How long `handled` waits. */
const HANDLED_WITHIN_MS = 20_000

const OPERATIONS = {
  ...policy,
  ...regions,
  ...supervisors,
  ...watching,
  async load(world, step) {
    const name = step.need('component')
    world.components.set(name, await world.system.load(guest(name)))
  },
  load_path: (world, step) => world.system.load(step.need('path')),
  load_bytes: (world, step) => world.system.loadBytes(Buffer.from(step.need('text'))),
  async load_cut(world, step) {
    const whole = await readFile(guest(step.need('component')))
    await world.system.loadBytes(whole.subarray(0, step.need('bytes')))
  },
  async inspect(world, step) {
    const info = await world.system.inspect(await world.component(step.need('component')))
    part('imports', step.get('expect_import'), info.imports.join('\n'))
    part('exports', step.get('expect_export'), info.exports.join('\n'))
    part('capabilities', step.get('expect_capability'), info.capabilities.join('\n'))
    same('capabilities', step.get('expect_capabilities'), info.capabilities.join(' '))
    same('handler', step.get('expect_handler'), info.handler)
  },
  async types(world, step) {
    const component = await world.component(step.need('component'))
    part('types', step.get('expect_part'), await world.system.types(component, step.need('language')))
  },
  unload: (world, step) => world.system.unload(world.components.get(step.need('component'))),
  async spawn(world, step) {
    const component = await world.component(step.need('component'))
    world.keepActor(step, await world.system.spawn(component, guestOptions(step)))
  },
  async spawn_host(world, step) {
    const handler = behave(step.need('behaviour'), world)
    world.keepActor(step, await world.system.spawnHost(handler, hostOptions(step)))
  },
  spawn_files: async (world, step) => world.keepActor(step, await world.system.spawnFiles(serviceOptions(step))),
  spawn_processes: async (world, step) => world.keepActor(step, await world.system.spawnProcesses(serviceOptions(step))),
  send: async (world, step) => (await world.actor(step)).send(step.need('text')),
  async request(world, step) {
    const actor = await world.actor(step)
    checkAnswer(step, await actor.request(step.need('text'), step.pick(['timeout_ms'])))
  },
  async request_size(world, step) {
    const actor = await world.actor(step)
    const answer = await actor.request('x'.repeat(step.need('bytes')), step.pick(['timeout_ms']))
    same('bytes', step.need('expect_bytes'), answer.length)
  },
  async request_many(world, step) {
    const [actor, text] = [await world.actor(step), step.need('text')]
    const many = Array.from({ length: step.need('count') }, () => actor.request(text))
    for (const answer of await Promise.all(many)) same('answer', step.need('expect_text'), String(answer))
  },
  async request_start(world, step) {
    const abort = new AbortController()
    const actor = await world.actor(step)
    const answer = actor.request(step.need('text'), { ...step.pick(['timeout_ms']), signal: abort.signal })
    answer.catch(() => {}) // Its error is for request_await.
    world.requests.set(step.need('as'), { abort, answer })
  },
  request_await: async (world, step) => checkAnswer(step, await world.requests.get(step.need('request')).answer),
  request_cancel: (world, step) => world.requests.get(step.need('request')).abort.abort(),
  async grant(world, step) {
    const actor = await world.actor(step)
    const grant = await actor.grant(step.need('capability'), step.pick(['ttl_ms']))
    world.grants.set(step.get('as'), grant)
  },
  revoke: async (world, step) =>
    same('cut', step.get('expect_cut'), await world.grants.get(step.need('grant')).revoke()),
  async grants(world, step) {
    const grants = await (await world.actor(step, 'of')).grants()
    const texts = grants.map(({ capability }) => capability)
    part('grants', step.get('expect_grant'), texts)
    part('givers', step.get('expect_given_by'), grants.map(({ givenBy }) => givenBy))
    same('grants', step.get('expect_count'), texts.length)
  },
  lookup: async (world, step) => world.keepActor(step, await world.system.lookup(step.need('id'))),
  stop: async (world, step) => (await world.actor(step)).stop(),
  kill: async (world, step) => (await world.actor(step)).kill(),
  async status(world, step) {
    const status = await (await world.actor(step, 'of')).status()
    for (const key of ['state', 'restarts', 'handled', 'listening']) same(key, step.get(`expect_${key}`), status[key])
  },
  async list(world, step) {
    const all = await world.system.list(step.get('pattern'))
    same('ids', step.need('expect_ids'), all.map(({ id }) => id).join(' '))
  },
  async handled(world, step) {
    const [actor, expected, until] = [await world.actor(step, 'of'), step.need('expect_count'), Date.now() + HANDLED_WITHIN_MS]
    for (;;) {
      const { handled } = await actor.status()
      if (handled === expected || Date.now() >= until) return same('handled', expected, handled)
      await sleep(2)
    }
  },
  async event(world, step) {
    const [kind, of] = [step.need('kind'), step.get('of')]
    const id = world.actors.get(of)?.id ?? of
    const late = new Expectation(`no event ${kind} of ${id}`)
    let timer
    const deadline = new Promise((_, reject) => (timer = setTimeout(reject, step.get('within_ms') ?? 5_000, late)))
    for (;;) {
      // A `next` that lost against the deadline is kept, for it takes an event from the stream.
      world.next ??= world.events.next()
      const { done, value: event } = await Promise.race([world.next, deadline])
      world.next = undefined
      if (done) throw late
      if (event.kind !== kind || (id !== undefined && event.actor !== id)) continue
      clearTimeout(timer)
      const key = step.get('expect_key')
      if (key === undefined) return
      const value = event.detail[key]
      return same(key, step.need('expect_value'), typeof value === 'string' ? value : JSON.stringify(value))
    }
  },
  async stat(world, step) {
    const [stats, name] = [await world.system.stats(), camel(step.need('name'))]
    if (!Object.hasOwn(stats, name)) throw new Expectation(`no counter ${name}`)
    same(name, step.need('expect_count'), stats[name])
  },
  file: async (world, step) => writeFile(await withFolder(step.need('path')), step.need('text')),
  symlink: async (world, step) => symlink(step.need('target'), await withFolder(step.need('path'))),
  async kv_get(world, step) {
    const value = await world.system.kvGet(step.need('namespace'), step.need('key'))
    const text = step.get('expect_text')
    if (text === undefined) return same('value', null, value)
    same('value', text, value === null ? value : String(value))
  },
  kv_set: (world, step) => world.system.kvSet(step.need('namespace'), step.need('key'), step.need('text')),
  kv_delete: async (world, step) =>
    same('found', step.need('expect_found'), await world.system.kvDelete(step.need('namespace'), step.need('key'))),
  kv_list: async (world, step) =>
    same('keys', step.need('expect_ids'), (await world.system.kvList(step.need('namespace'))).keys.join(' ')),
  async reopen(world, step) {
    await world.system.close()
    const [fuel, compileHelper] = ['counts_fuel', 'helper'].map((key) => step.get(key) ?? false)
    world.system = await System.open({ kv: step.get('kv'), fuel, compileHelper })
    world.events = world.system.events('*')
    world.next = undefined
    for (const names of [world.components, world.actors, world.grants]) names.clear()
  },
  async close(world, step) {
    const report = await world.system.close()
    same('stopped', step.get('expect_stopped'), report.stopped)
    same('dead letters', step.get('expect_dead_letters'), report.deadLetters)
  },
}

/** Whether each guest that the scenario needs was made. */
function allThere(scenario, needs = '') {
  const missing = needs.split(' ').find((need) => need && !existsSync(guest(need)))
  if (missing) console.log(`skipped: ${scenario}: no ${missing}`)
  return !missing
}

const tally = { scenarios: 0, steps: 0, failed: 0 }
const only = process.argv[2] ?? ''
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()) {
  let [world, name] = []
  for (const [index, line] of (await readFile(join(folder, file), 'utf8')).split('\n').entries()) {
    if (line.trim() === '') continue
    const { scenario, needs } = JSON.parse(line)
    if (scenario !== undefined) {
      await world?.end()
      const wanted = scenario.includes(only) && allThere(scenario, needs)
      ;[world, name] = wanted ? [await World.open(needs !== undefined), scenario] : []
      if (world) tally.scenarios++
    } else if (world && !world.failed) {
      tally.steps++
      await world.run(line).catch((error) => {
        world.failed = true
        tally.failed++
        console.log(`${file}:${index + 1}: ${name}: ${error instanceof Expectation ? error.message : error.stack}\n  ${line}`)
      })
    }
  }
  await world?.end()
}
console.log(`host=node scenarios=${tally.scenarios} steps=${tally.steps} failed=${tally.failed}`)
process.exitCode = tally.failed === 0 && tally.scenarios > 0 ? 0 : 1
