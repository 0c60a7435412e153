// How long things live: environments, processes, objects.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { System } from '@airssys/wasm'
import { collector, guest, open, printed, script, spawnGuest, until } from './helper.mjs'

const ended = (result, stdout) => {
  assert.deepEqual({ ...result, stdout: result.stdout.trim() }, { stdout, stderr: '', code: 0, signal: null })
}

/** A worker that tells when its guest computes; the thread that started it may end it then. */
const BUSY_WORKER = `
  const { parentPort } = require('node:worker_threads')
  const { System } = require('@airssys/wasm')
  const main = async () => {
    const system = await System.open()
    const logs = system.events('log')
    const looper = await system.spawn(await system.load(process.env.GUESTS + 'looper.wasm'), { budget: { cpuMs: Infinity, wallMs: Infinity } })
    const upper = await system.spawnHost(({ payload }) => String(payload).toUpperCase(), { name: 'upper' })
    if (String(await upper.request('ready')) !== 'READY') throw new Error('no answer')
    looper.request('loop', { timeoutMs: Infinity }).catch(() => {})
    await logs.next()
    parentPort.postMessage('looping')
    for (;;) await upper.request('again')
  }
  main()
`

const WORKERS = `
  import { once } from 'node:events'
  import { Worker } from 'node:worker_threads'
  process.env.GUESTS = guest('').replace('.wasm', '')
  const worker = async () => {
    const worker = new Worker(${JSON.stringify(BUSY_WORKER)}, { eval: true, execArgv: [] })
    await once(worker, 'message')
    return worker
  }
`

test('hostile_k1_main_and_eight_workers_terminated_during_a_call', async () => {
  const result = await script(`${WORKERS}
    const system = await System.open()
    const hello = await spawnGuest(system, 'hello')
    const workers = await Promise.all(Array.from({ length: 8 }, worker))
    console.log(String(await hello.request('main')))
    await Promise.all(workers.map((worker) => worker.terminate()))
    console.log(String(await hello.request('still')))
    await system.close()
  `)
  ended(result, 'hello main\nhello still')
})

test('hostile_k1_the_last_environment_that_loaded_the_addon_goes_away', async () => {
  const result = await script(
    `
    const guest = (name) => ${JSON.stringify(guest('NAME'))}.replace('NAME', name)
    ${WORKERS}
    for (let round = 0; round < 3; round++) await (await worker()).terminate()
    console.log('alive')
  `,
    { prelude: '' },
  )
  ended(result, 'alive')
})

test('hostile_k2_process_exit_keeps_its_code_with_live_actors', async () => {
  const result = await script(`
    const system = await System.open()
    const logs = system.events('log')
    const looper = await spawnGuest(system, 'looper', { budget: { cpuMs: Infinity, wallMs: Infinity } })
    await system.spawnHost(() => new Promise(() => {}), { name: 'never' })
    const never = await system.lookup('never')
    never.request('?')
    looper.request('loop', { timeoutMs: Infinity })
    await printed(logs, 'looping')
    process.exit(7)
  `)
  assert.deepEqual(result, { stdout: '', stderr: '', code: 7, signal: null })
})

test('hostile_k2_an_uncaught_throw_ends_the_process_with_live_actors', async () => {
  const result = await script(`
    const system = await System.open()
    const logs = system.events('log')
    const looper = await spawnGuest(system, 'looper', { budget: { cpuMs: Infinity, wallMs: Infinity } })
    looper.request('loop', { timeoutMs: Infinity })
    await printed(logs, 'looping')
    setImmediate(() => { throw new Error('on purpose') })
  `)
  assert.match(result.stderr, /Error: on purpose/)
  assert.deepEqual([result.code, result.signal], [1, null])
})

test('hostile_k2_process_exit_inside_a_handler', async () => {
  const result = await script(`
    const system = await System.open()
    const exit = await system.spawnHost(() => process.exit(9))
    await exit.request('now')
  `)
  assert.deepEqual(result, { stdout: '', stderr: '', code: 9, signal: null })
})

test('hostile_k5_an_idle_system_lets_the_process_end', async () => {
  const result = await script(`
    const system = await System.open()
    const logs = system.events('log')
    await spawnGuest(system, 'hello')
    const upper = await system.spawnHost(({ payload }) => String(payload).toUpperCase())
    console.log(String(await upper.request('over')))
  `)
  ended(result, 'OVER')
})

test('hostile_k5_a_pending_call_is_awaited', async () => {
  const result = await script(`
    const system = await System.open()
    const looper = await spawnGuest(system, 'looper')
    looper.request('sleep 100').then((answer) => console.log(String(answer)))
    const upper = await system.spawnHost(async () => 'handled')
    upper.request('?').then((answer) => console.log(String(answer)))
  `)
  ended(result, 'handled\nslept 100')
})

test('hostile_k5_a_pending_event_and_a_pending_close_are_awaited', async () => {
  const result = await script(`
    const system = await System.open()
    const events = system.events('actor.*')
    await spawnGuest(system, 'hello', { name: 'hello' })
    for await (const { kind, actor } of events) {
      console.log(kind, actor)
      if (kind === 'actor.stopped') break
      system.close().then((report) => console.log(report.stopped))
    }
  `)
  ended(result, 'actor.started default/hello/0\nactor.stopped default/hello/0\n1')
})

test('hostile_k5_timers_subscriptions_and_supervisors_let_the_process_end', async () => {
  const result = await script(`
    const system = await System.open()
    await system.supervisor({ name: 's', children: [{ handler: () => 'answer', name: 'a' }] })
    const actor = await system.lookup('a')
    await actor.subscribe('news')
    await actor.join('group')
    await actor.sendAfter('x', 3_600_000)
    await actor.sendEvery('x', 3_600_000)
    console.log(String(await actor.request('?')))
  `)
  ended(result, 'answer')
})

test('hostile_k5_a_pending_monitor_is_awaited_until_its_signal', async () => {
  const result = await script(`
    const system = await System.open()
    const crash = () => { throw new Error('on purpose') }
    const [a, b] = [await system.spawnHost(crash, { name: 'a' }), await system.spawnHost(crash, { name: 'b' })]
    const abort = new AbortController()
    a.monitor().then(({ id, reason }) => (console.log(id, reason), abort.abort()))
    b.monitor({ signal: abort.signal }).catch(({ name }) => console.log(name))
    await a.sendAfter('x', 50)
  `)
  ended(result, 'default/a/0 crashed: Error: on purpose\nAbortError')
})

test('hostile_k1_a_worker_with_a_tree_is_terminated', async () => {
  const result = await script(`
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const source = \`
      const { parentPort } = require('node:worker_threads')
      const { System } = require('@airssys/wasm')
      const main = async () => {
        const system = await System.open()
        const never = () => new Promise(() => {})
        const children = [{ name: 'in', children: [{ handler: never, name: 'a' }] }, { handler: () => 'x', name: 'b' }]
        const supervisor = await system.supervisor({ name: 's', children })
        const [a, b] = [await system.lookup('a'), await system.lookup('b')]
        a.request('?', { timeoutMs: Infinity }).catch(() => {})
        a.monitor()
        supervisor.monitor()
        await b.sendEvery('x', 1)
        supervisor.terminateChild(a).catch(() => {})
        parentPort.postMessage('up')
      }
      main()
    \`
    const system = await System.open()
    const own = await system.spawnHost(() => 'own')
    for (let round = 0; round < 4; round++) {
      const worker = new Worker(source, { eval: true, execArgv: [] })
      await once(worker, 'message')
      await worker.terminate()
    }
    console.log(String(await own.request('?')))
    await system.close()
  `)
  ended(result, 'own')
})

test('hostile_k6_objects_come_and_go', async (t) => {
  const system = await open(t)
  const gc = collector()
  const hello = await spawnGuest(system, 'hello', { name: 'hello' })
  const round = async () => {
    const actor = await system.lookup('hello')
    const grant = await actor.grant('fs.read /srv/notes/**')
    await grant.revoke()
    system.events('log')
    const subscription = await actor.subscribe('news')
    await subscription.unsubscribe()
    const timer = await actor.sendAfter('x', 60_000)
    await timer.cancel()
  }
  for (let n = 0; n < 1_000; n++) await round()
  gc()
  const before = process.memoryUsage()
  for (let n = 0; n < 10_000; n++) await round()
  await new Promise((resolve) => setImmediate(resolve))
  gc()
  const after = process.memoryUsage()
  const grown = (key) => (after[key] - before[key]) / 2 ** 20
  assert.ok(grown('heapUsed') < 8, `the heap grew by ${grown('heapUsed')} MiB`)
  assert.ok(grown('rss') < 64, `memory grew by ${grown('rss')} MiB`)
  assert.equal(String(await hello.request('you')), 'hello you')
  assert.equal((await hello.grants()).length, 3)
})

test('hostile_k6_systems_that_are_dropped_leave_no_threads', async () => {
  const gc = collector()
  const component = readFileSync(guest('hello'))
  const ours = () => threadNames().filter((name) => name.startsWith('airwasm')).length
  const before = ours()
  const round = async () => {
    const system = await System.open()
    const hello = await system.spawn(await system.loadBytes(component))
    await hello.request('you')
  }
  for (let n = 0; n < 50; n++) await round()
  await until(() => ours() <= before, gc)
})

test('hostile_k6_a_call_in_flight_keeps_what_it_needs', async () => {
  const gc = collector()
  const begin = async () => (await spawnGuest(await System.open(), 'looper')).request('sleep 100')
  const answers = Array.from({ length: 4 }, begin)
  let over = false
  const all = Promise.all(answers).finally(() => (over = true))
  await until(() => over, gc)
  assert.deepEqual((await all).map(String), Array(4).fill('slept 100'))
})

test('hostile_k11_a_flood_of_messages_arrives_in_order_and_whole', async (t) => {
  const system = await open(t)
  const seen = []
  const sink = await system.spawnHost(({ payload }) => void seen.push(Number(payload)), {
    limits: { mailboxMessages: Infinity },
  })
  const count = 10_000
  await Promise.all(Array.from({ length: count }, (_, n) => sink.send(String(n))))
  await sink.request(String(count))
  assert.deepEqual(seen, Array.from({ length: count + 1 }, (_, n) => n))
})

test('hostile_k12_child_processes_after_the_addon_is_loaded', async () => {
  const result = await script(`
    import { execFileSync, fork } from 'node:child_process'
    import { once } from 'node:events'
    import cluster from 'node:cluster'
    const system = await System.open()
    const hello = await spawnGuest(system, 'hello')
    console.log(String(execFileSync(process.execPath, ['-p', '6 * 7'])).trim())
    const child = fork('child.mjs', { stdio: 'inherit', execArgv: [] })
    await once(child, 'exit')
    cluster.setupPrimary({ exec: 'child.mjs', execArgv: [] })
    await once(cluster.fork(), 'exit')
    console.log(String(await hello.request('parent')))
    await system.close()
  `)
  ended(result, '42\nhello child\nhello child\nhello parent')
})

test('hostile_k12_a_worker_with_a_small_stack', async () => {
  const result = await script(`
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const worker = new Worker('./child.mjs', { execArgv: [], resourceLimits: { stackSizeMb: 1 } })
    const [code] = await once(worker, 'exit')
    console.log(code)
  `)
  ended(result, 'hello child\n0')
})

const threadNames = () =>
  readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()]
    } catch {
      return [] // It ended in between.
    }
  })

test('no runtime of its own is started by a library', async (t) => {
  const system = await open(t)
  const reader = await spawnGuest(system, 'reader', { grants: [`fs.read ${guest('hello')}`] })
  await reader.request(guest('hello'))
  assert.ok(!threadNames().includes('tokio-rt-worker'), threadNames().join())
})
