// The story of airwasm: a tool is denied, is stopped, and comes back, while another one keeps answering.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const told = { denied: 0, stopped: 0, restarted: 0 }
const system = await System.open()

const title = (text) => console.log(`\n${text}`)
const say = (...words) => console.log('  ', ...words)

async function spawn(guest, options) {
  return system.spawn(await system.load(`${guests}/${guest}.wasm`), { name: guest, ...options })
}

/** The error of a request that must fail with this code. */
async function refused(code, request) {
  const answer = await request.catch((error) => error)
  assert.equal(answer.code, code, String(answer))
  say(answer.message)
  return answer
}

/** A tool is denied a file, is granted it, and has it taken back. */
async function denials() {
  const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
  const note = join(folder, 'note.txt')
  await writeFile(note, 'what the note says')
  const reader = await spawn('reader')

  title('1. denied: the tool asks for a file that nobody gave it')
  const { policyLine } = await refused('AIRWASM_DENIED', reader.request(note))
  told.denied++
  say('to allow it:', policyLine)

  title('2. granted: the very line of the message, without its dash')
  const grant = await reader.grant(policyLine.replace(/^- /, ''))
  say(String(await reader.request(note)))

  title('3. taken back: from the next call on')
  await grant.revoke()
  await refused('AIRWASM_DENIED', reader.request(note))
  told.denied++
  await rm(folder, { recursive: true })
}

/** A tool loops for ever; another one answers all the while, and the event loop turns. */
async function endlessLoop() {
  title('4. stopped: a tool loops for ever, and has 200 ms of CPU time')
  const looper = await spawn('looper', { budget: { cpuMs: 200 } })
  const hello = await spawn('hello')
  let [ticks, answers, looping] = [0, 0, true]
  const timer = setInterval(() => ticks++, 1)
  const stopped = refused('AIRWASM_BUDGET_EXCEEDED', looper.request('loop')).finally(() => (looping = false))
  while (looping) {
    assert.equal(String(await hello.request('world')), 'hello world')
    answers++
    await setImmediate()
  }
  clearInterval(timer)
  await stopped
  told.stopped++
  assert.ok(ticks > 0 && answers > 1, 'the rest of the program went on')
  say(`meanwhile the other tool answered ${answers} times, and a timer ticked ${ticks} times`)
}

/** A tool crashes and is started again; the object stays the same. */
async function crash() {
  title('5. comes back: a tool crashes and is started again')
  const events = system.events('actor.*')
  const crasher = await spawn('crasher', { restart: 'permanent' })
  await refused('AIRWASM_TRAPPED', crasher.request('boom'))
  for await (const { kind, actor } of events) {
    if (actor !== crasher.id) continue
    say(kind, actor)
    if (kind === 'actor.restarted') break
  }
  told.restarted++
  assert.equal(String(await crasher.request('ping')), 'pong')
  say('asked: ping, answered: pong')
}

await denials()
await endlessLoop()
await crash()
await system.close()
console.log(`\ndemo host=node denied=${told.denied} stopped=${told.stopped} restarted=${told.restarted} ok`)
