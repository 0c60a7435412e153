// A guest is denied the network, is granted one path of one server for a minute, and has it taken back.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const server = createServer((_, response) => response.end('Ada, Bob')).listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `http://127.0.0.1:${server.address().port}/v1`

const system = await System.open()
const fetcher = await system.spawn(await system.load(`${guests}/fetch.wasm`), { name: 'fetch' })
try {
  await fetcher.request(`${base}/users`)
} catch (e) {
  if (e.code !== 'AIRWASM_DENIED') throw e
  console.log(e.message)
  console.log(e.policyLine)
}
const grant = await fetcher.grant(`http GET ${base}/**`, { ttlMs: 60_000 })
console.log(String(await fetcher.request(`${base}/users`)))
console.log(await grant.revoke(), 'connections cut')
await fetcher.request(`${base}/users`).catch((e) => console.log(e.message))
await system.close()
server.close()
