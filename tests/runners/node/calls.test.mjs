// What a call does: to the event loop, to the process, to its caller.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'
import { AirwasmError, Failure } from '@airssys/wasm'
import { nextEvent, open, printed, script, spawnGuest } from './helper.mjs'

const unlimited = { cpuMs: Infinity, wallMs: Infinity }

const raised = (name, text) => (error) => {
  assert.ok(error instanceof AirwasmError)
  assert.equal(error.code, 'AIRWASM_HANDLER_RAISED')
  assert.ok(error.message.includes(`${name}: ${text}`), error.message)
  assert.equal(error.detail.type, name)
  assert.equal(error.detail.text, text)
  return true
}

test('hostile_k3_a_throw_in_a_handler_is_an_error_of_its_actor', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(() => {
    throw new RangeError('out of it')
  })
  await assert.rejects(actor.request('?'), (error) => {
    assert.match(error.detail.traceback, /calls\.test\.mjs/)
    assert.equal(error.actor, actor.id)
    return raised('RangeError', 'out of it')(error)
  })
  assert.equal((await actor.status()).state, 'stopped')
})

test('hostile_k3_a_rejection_in_a_handler_is_an_error_of_its_actor', async (t) => {
  const system = await open(t)
  const events = system.events('actor.*')
  const actor = await system.spawnHost(async () => Promise.reject(new Error('later')), { restart: 'permanent' })
  await assert.rejects(actor.request('?'), raised('Error', 'later'))
  const crashed = await nextEvent(events, ({ kind }) => kind === 'actor.crashed')
  assert.equal(crashed.detail.code, 'HANDLER_RAISED')
  await nextEvent(events, ({ kind }) => kind === 'actor.restarted')
  await assert.rejects(actor.request('?'), raised('Error', 'later'))
})

test('hostile_k3_whatever_is_thrown', async (t) => {
  const system = await open(t)
  const hostile = {
    toString() {
      throw new Error('no text')
    },
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  for (const thrown of ['text', 7, null, undefined, Symbol('s'), Object.create(null), hostile, revoked.proxy]) {
    const thrower = await system.spawnHost(() => {
      throw thrown
    })
    await assert.rejects(thrower.request('?'), { code: 'AIRWASM_HANDLER_RAISED' })
    const rejecter = await system.spawnHost(() => Promise.reject(thrown))
    await assert.rejects(rejecter.request('?'), { code: 'AIRWASM_HANDLER_RAISED' })
  }
})

test('hostile_k3_an_answer_of_the_wrong_type_is_a_crash', async (t) => {
  const system = await open(t)
  const getter = {
    get then() {
      throw new Error('no then')
    },
  }
  for (const answer of [7, null, {}, [], true, new Uint16Array(2), new ArrayBuffer(2), getter]) {
    for (const handler of [() => answer, async () => answer]) {
      const actor = await system.spawnHost(handler)
      await assert.rejects(actor.request('?'), { code: 'AIRWASM_HANDLER_RAISED' })
    }
  }
})

test('a failure is an answer, and the actor lives on', async (t) => {
  const system = await open(t)
  const actor = await system.spawnHost(async () => {
    throw new Failure('not-found', 'no such row')
  })
  for (let n = 0; n < 2; n++) {
    await assert.rejects(actor.request('?'), (error) => {
      assert.equal(error.code, 'AIRWASM_FAILURE')
      assert.deepEqual([error.detail.code, error.detail.text], ['not-found', 'no such row'])
      return true
    })
  }
  assert.equal((await actor.status()).state, 'running')
})

test('hostile_k3_no_exception_reaches_the_process', async () => {
  const result = await script(
    `
    process.on('uncaughtException', () => process.exit(3))
    const system = await System.open()
    for (const handler of [() => { throw new Error('sync') }, async () => { throw new Error('async') }]) {
      const actor = await system.spawnHost(handler)
      await actor.send('nobody waits')
      await actor.request('?').catch(({ code }) => console.log(code))
    }
    await system.close()
  `,
    { node: ['--unhandled-rejections=strict', '--force-node-api-uncaught-exceptions-policy=true'] },
  )
  assert.equal(result.stderr, '')
  assert.equal(result.code, 0)
  assert.equal(result.stdout, 'AIRWASM_ACTOR_STOPPED\n'.repeat(2))
})

test('a handler is given the message as it is', async (t) => {
  const system = await open(t)
  const seen = []
  const sink = await system.spawnHost((message) => void seen.push(message), { name: 'tools/sink/a' })
  await sink.send(Uint8Array.of(0, 255), { contentType: 'application/octet-stream' })
  assert.equal((await sink.request('ü')).length, 0)
  const relay = await spawnGuest(system, 'relay', { name: 'relay', grants: ['message.request tools/sink/a'] })
  await relay.request('tools/sink/a from a guest')
  assert.deepEqual(seen, [
    { sender: '', to: 'tools/sink/a', payload: Buffer.of(0, 255), contentType: 'application/octet-stream' },
    { sender: '', to: 'tools/sink/a', payload: Buffer.from('ü') },
    { sender: 'default/relay/0', to: 'tools/sink/a', payload: Buffer.from('from a guest') },
  ])
})

test('hostile_k4_the_event_loop_ticks_while_a_guest_loops', async (t) => {
  const system = await open(t)
  const looper = await spawnGuest(system, 'looper', { budget: { cpuMs: 500 } })
  const hello = await spawnGuest(system, 'hello')
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  t.after(() => clearInterval(timer))
  let stopped = false
  const looping = looper.request('loop').finally(() => (stopped = true))
  looping.catch(() => {})
  let answers = 0
  while (!stopped) {
    await hello.request('you')
    answers++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await assert.rejects(looping, (error) => {
    assert.equal(error.code, 'AIRWASM_BUDGET_EXCEEDED')
    assert.equal(error.which, 'cpu_ms')
    assert.equal(error.allowed, 500)
    assert.ok(error.used >= 500)
    return true
  })
  assert.ok(ticks >= 10, `${ticks} ticks`)
  assert.ok(answers >= 10, `${answers} answers`)
})

function withResolvers() {
  let resolve
  const promise = new Promise((settle) => (resolve = settle))
  return { promise, resolve }
}

const aborted = (reason) => (error) => {
  assert.ok(error instanceof AirwasmError)
  assert.deepEqual([error.name, error.code, error.number], ['AbortError', 'AIRWASM_CANCELLED', 61])
  assert.equal(error.cause, reason)
  return true
}

test('hostile_k7_a_signal_aborted_before_the_call', async (t) => {
  const system = await open(t)
  const hello = await spawnGuest(system, 'hello')
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  await assert.rejects(hello.request('you', { signal }), aborted(reason))
  await assert.rejects(system.load('anything', { signal }), aborted(reason))
  await assert.rejects(system.loadBytes(new Uint8Array(), { signal }), aborted(reason))
  assert.equal((await system.stats()).sent, 0)
})

test('hostile_k7_a_signal_aborted_during_the_call', async (t) => {
  const system = await open(t)
  const seen = []
  const gate = withResolvers()
  const begun = withResolvers()
  const actor = await system.spawnHost(async ({ payload }) => {
    seen.push(String(payload))
    begun.resolve()
    await gate.promise
    return payload
  })
  const abort = new AbortController()
  const answer = actor.request('in hand', { signal: abort.signal })
  const queued = actor.request('queued', { signal: abort.signal })
  queued.catch(() => {})
  await begun.promise
  abort.abort('enough')
  await assert.rejects(answer, aborted('enough'))
  await assert.rejects(queued, aborted('enough'))
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
  // The actor was not touched; the message that only waited was taken back.
  gate.resolve()
  assert.equal(String(await actor.request('next')), 'next')
  assert.deepEqual(seen, ['in hand', 'next'])
})

test('hostile_k7_an_abort_ends_the_wait_and_never_the_guest', async (t) => {
  const system = await open(t)
  const logs = system.events('log')
  const looper = await spawnGuest(system, 'looper', { budget: unlimited })
  const abort = new AbortController()
  const answer = looper.request('loop', { signal: abort.signal, timeoutMs: Infinity })
  await printed(logs, 'looping')
  abort.abort('enough')
  await assert.rejects(answer, aborted('enough'))
  assert.equal((await looper.status()).state, 'running')
  await looper.kill()
})

test('hostile_k7_a_signal_aborted_after_the_call', async (t) => {
  const system = await open(t)
  const looper = await spawnGuest(system, 'looper')
  const abort = new AbortController()
  assert.equal(String(await looper.request('sleep 1', { signal: abort.signal })), 'slept 1')
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
  abort.abort()
  assert.equal(String(await looper.request('hi')), 'hi')
})

test('hostile_k7_one_signal_for_a_hundred_calls', async (t) => {
  const warned = []
  const listener = (warning) => warned.push(warning.message)
  process.on('warning', listener)
  t.after(() => process.off('warning', listener))
  const system = await open(t)
  const never = await system.spawnHost(() => new Promise(() => {}))
  const abort = new AbortController()
  const calls = Array.from({ length: 100 }, () => never.request('?', { signal: abort.signal }))
  const all = Promise.allSettled(calls)
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1)
  abort.abort()
  for (const { status, reason } of await all) assert.deepEqual([status, reason.name], ['rejected', 'AbortError'])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(warned, [])
})

test('hostile_k7_a_signal_with_a_deadline', async (t) => {
  const system = await open(t)
  const never = await system.spawnHost(() => new Promise(() => {}))
  const signal = AbortSignal.timeout(20)
  await assert.rejects(never.request('?', { signal }), (error) => {
    assert.equal(error.cause.name, 'TimeoutError')
    return error.name === 'AbortError'
  })
  await assert.rejects(never.request('?', { timeoutMs: 20 }), { code: 'AIRWASM_TIMEOUT', name: 'AirwasmError' })
})

test('a guest trap after a signal handler was installed leaves the process alive', async () => {
  const result = await script(`
    for (const signal of ['SIGSEGV', 'SIGILL', 'SIGFPE', 'SIGBUS']) process.on(signal, () => process.exit(4))
    const system = await System.open()
    for (const how of ['abort', 'deep', 'boom', 'grow']) {
      const crasher = await spawnGuest(system, 'crasher', { limits: { memoryBytes: 16 << 20 }, budget: { cpuMs: Infinity } })
      await crasher.request(how).catch(({ code }) => console.log(how, code))
    }
    const hello = await spawnGuest(system, 'hello')
    console.log(String(await hello.request('you')))
    await system.close()
  `)
  assert.deepEqual(
    { ...result, stdout: result.stdout.trim().split('\n') },
    {
      stdout: ['abort AIRWASM_TRAPPED', 'deep AIRWASM_TRAPPED', 'boom AIRWASM_TRAPPED', 'grow AIRWASM_LIMIT_EXCEEDED', 'hello you'],
      stderr: '',
      code: 0,
      signal: null,
    },
  )
})
