// Stopped at its budget, and it comes back.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'

const system = await System.open()
const events = system.events('actor.*')
const component = await system.load(`${guests}/looper.wasm`)
await system.supervisor({
  name: 'tools',
  backoff: { initialMs: 100, maxMs: 10_000 },
  children: [{ component, name: 'looper', budget: { cpuMs: 200 } }],
})
const looper = await system.lookup('looper')
await looper.request('loop').catch((e) => console.log(e.code, e.which))
console.log(String(await looper.request('hi'))) // The same actor: the request waits for the restart.
for await (const event of events) {
  console.log(event.kind, event.actor)
  if (event.kind === 'actor.restarted') break
}
await system.close()
