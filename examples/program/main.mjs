// A guest runs a program: denied, granted, run, taken back.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const run = { op: 'run', program: '/usr/bin/printf', args: ['hello %s\n', 'world'] }

const system = await System.open()
// Runs programs for others, each by the grants of who asks; it has none itself.
await system.spawnProcesses({ name: 'processes' })
// The guest `relay` passes on what it is told: to whom, and what.
const relay = await system.load(`${guests}/relay.wasm`)
const tool = await system.spawn(relay, { name: 'tool', grants: ['message.request processes'] })
const asked = `processes ${JSON.stringify(run)}`
try {
  await tool.request(asked)
} catch (e) {
  if (e.code !== 'AIRWASM_DENIED') throw e
  console.log(e.message)
  console.log(e.policyLine)
}
const grant = await tool.grant('process.run /usr/bin/printf **')
console.log(String(await tool.request(asked)))
console.log(await grant.revoke(), 'programs cut')
await tool.request(asked).catch((e) => console.log(e.code.replace('AIRWASM_', ''), 'again'))
await system.close()
