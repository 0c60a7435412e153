// A hundred requests at once.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'

const system = await System.open()
const hello = await system.spawn(await system.load(`${guests}/hello.wasm`), { name: 'hello' })
// Aborting a signal cancels its requests.
const signal = AbortSignal.timeout(10_000)
const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => hello.request(`${n}`, { signal })))
console.log(answers.length, 'answers')
await system.close()
