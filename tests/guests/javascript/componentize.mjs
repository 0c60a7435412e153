// Makes a component of an actor in JavaScript: node componentize.mjs <engine> <source> <wit> <world> <out>
// The engine is `spidermonkey` or `quickjs`. The libraries are found from the folder of this file.

import { readFile, writeFile } from 'node:fs/promises'

const ENGINES = {
  async spidermonkey(source, wit, world) {
    const { componentize } = await import('@bytecodealliance/componentize-js')
    return componentize({ sourcePath: source, witPath: wit, worldName: world })
  },
  async quickjs(source, wit, world) {
    const { componentize } = await import('componentize-qjs')
    // `sync`: the other one needs the component model's concurrency, which the profile `hardened` leaves out.
    return componentize({ jsSource: await readFile(source, 'utf8'), witPath: wit, world, sync: true })
  },
}

const [engine, source, wit, world, out] = process.argv.slice(2)
if (out === undefined || !Object.hasOwn(ENGINES, engine)) {
  console.error('usage: node componentize.mjs spidermonkey|quickjs <source> <wit> <world> <out>')
  process.exit(2)
}
await writeFile(out, (await ENGINES[engine](source, wit, world)).component)
