// Load a component, spawn it, ask it.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'

const system = await System.open() // `await using` closes it where the syntax exists
const hello = await system.spawn(await system.load(`${guests}/hello.wasm`), { name: 'hello' })
console.log(String(await hello.request('world')))
await system.close()
