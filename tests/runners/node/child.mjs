// A process, or a worker, that uses the package by itself.

import { System } from '@airssys/wasm'
import { spawnGuest } from './helper.mjs'

const system = await System.open()
const hello = await spawnGuest(system, 'hello')
console.log(String(await hello.request('child')))
await system.close()
process.exit()
