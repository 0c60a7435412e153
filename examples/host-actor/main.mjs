// A JavaScript function as an actor: a guest asks it for a row.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const rows = new Map([['42', 'Ada']])

const system = await System.open()
await system.spawnHost((message) => rows.get(String(message.payload)), { name: 'db' }) // may return a promise
const component = await system.load(`${guests}/relay.wasm`)
const report = await system.spawn(component, { name: 'report', grants: ['message.request db'] })
console.log(String(await report.request('default/db/0 42')))
await system.close()
