// A tool as an agent would have it: takes one line of text, does what it says, answers JSON.
//
// | line | does |
// |---|---|
// | `count TEXT` | counts words, and how often each occurs |
// | `read PATH`, `list PATH` | by wasi:filesystem |
// | `env NAME`, `args` | by wasi:cli |
// | `nap MS` | by wasi:clocks, answers whether the clock went on as long |
// | `random` | `Math.random`, answers whether two differ |
// | `print TEXT` | `console.log` |
// | `get URL` | `fetch`, where the engine has it: SpiderMonkey |
// | `send ID TEXT`, `ask ID TEXT` | to another actor |
// | `keep TEXT`, `kept` | what one message leaves to the next |
// | `refuse` | answers a failure |
// | `raise` | throws, which is answered as a failure |
// | `crash` | throws what nobody catches |
// | `loop` | for ever |
// | `grow MIB` | holds so much memory |
//
// What the host refuses is thrown by the engine with the error of the WIT as its payload.

import { request, send } from 'airssys:wasm/messaging@0.1.0'
import { getArguments, getEnvironment } from 'wasi:cli/environment@0.2.12'
import { now, subscribeDuration } from 'wasi:clocks/monotonic-clock@0.2.12'
import { getDirectories } from 'wasi:filesystem/preopens@0.2.12'

const kept = []
const CRASH = new Error('asked to crash')
const FOLLOW = { symlinkFollow: true }

// UTF-8 by what both engines have: QuickJS has no TextDecoder.
const encode = (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (letter) => letter.charCodeAt(0))
const decode = (bytes) => decodeURIComponent(escape(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')))

/** A number as the engine hands 64 bits to the host: QuickJS as a number, SpiderMonkey as a bigint. */
const u64 = (number) => (typeof now() === 'bigint' ? BigInt(number) : number)

/** The open file or folder of an absolute path. */
function open(path, flags) {
  const [[root]] = getDirectories()
  return root.openAt(FOLLOW, path.replace(/^\/+/, ''), flags, { read: true })
}

function read(path) {
  const [file, parts] = [open(path, {}), []]
  for (let over = false; !over; ) {
    const [bytes, end] = file.read(u64(65_536), u64(parts.length))
    parts.push(...bytes)
    over = end
  }
  return decode(parts)
}

function list(path) {
  const [stream, names] = [open(path, { directory: true }).readDirectory(), []]
  for (let entry; (entry = stream.readDirectoryEntry()); ) names.push(entry.name)
  return names.sort()
}

function nap(milliseconds) {
  const [began, nanoseconds] = [now(), u64(Number(milliseconds) * 1_000_000)]
  subscribeDuration(nanoseconds).block()
  return now() - began >= nanoseconds
}

async function get(url) {
  const answer = await fetch(url)
  return `${answer.status} ${await answer.text()}`
}

function count(text) {
  const counts = {}
  for (const word of text.split(/\s+/).filter(Boolean).sort()) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

/** `ID TEXT` as the arguments of `send` and `request`. */
function letter(line) {
  const gap = line.indexOf(' ')
  return [line.slice(0, gap), encode(line.slice(gap + 1))]
}

const DOES = {
  count,
  read,
  list,
  env: (name) => getEnvironment().find(([key]) => key === name)?.[1] ?? null,
  args: () => getArguments(),
  nap,
  get,
  random: () => Math.random() !== Math.random(),
  print: (text) => (console.log(text), true),
  send: (line) => (send(...letter(line), 'text/plain'), true),
  ask: (line) => decode(request(...letter(line), 5_000)),
  keep: (text) => kept.push(text),
  kept: () => kept,
  refuse() {
    throw { code: 'refused', text: 'asked to refuse' }
  },
  raise() {
    return undefined.asked
  },
  crash() {
    throw CRASH
  },
  loop() {
    for (;;);
  },
  grow: (mebibytes) => Array.from({ length: Number(mebibytes) }, () => new Uint8Array(1 << 20).fill(1)).length,
}

/** The failure that answers what was thrown: in the words of this tool, of a file, of another actor, or the engine's. */
function failure(thrown) {
  if (thrown === CRASH) throw thrown
  const said = thrown?.payload ?? thrown
  if (typeof said.code === 'string') return said
  if (said === 'access' || said.tag === 'denied') return { code: 'denied', text: said.val ?? said }
  // The error codes of wasi:filesystem are words such as `no-entry`; SpiderMonkey throws `out of memory` as a text.
  if (/^[a-z-]+$/.test(said)) return { code: 'os-error', text: said }
  return { code: 'raised', text: String(said.message ?? said.tag ?? said) }
}

function answer(verb, value) {
  return encode(JSON.stringify({ [verb]: value }))
}

export const handler = {
  handle(message) {
    const line = decode(message.payload)
    const [verb] = line.split(' ', 1)
    try {
      const value = DOES[verb](line.slice(verb.length + 1))
      if (!(value instanceof Promise)) return answer(verb, value)
      return value.then((value) => answer(verb, value), (thrown) => Promise.reject(failure(thrown)))
    } catch (thrown) {
      throw failure(thrown)
    }
  },
}
