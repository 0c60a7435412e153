// A guest serves http on an address that it was granted.

import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'

const system = await System.open()
const component = await system.load(`${guests}/serve.wasm`)
const server = await system.spawn(component, {
  name: 'serve', httpListen: '127.0.0.1:0', grants: ['net.listen 127.0.0.1:*'],
})
const { listening } = await server.status()
const response = await fetch(`http://${listening}/hello`)
console.log(await response.text()) // hello
await system.close()
