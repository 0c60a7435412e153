// A policy file: what it denies, why, its own tests, and loaded again.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
const [policy, docs] = [join(folder, 'policy.yaml'), join(folder, 'docs')]
const pay = join(docs, 'private/pay.txt')
await mkdir(join(docs, 'private'), { recursive: true })
await writeFile(pay, 'what everybody earns')
const write = (deny) => writeFile(policy, `
version: 1
rules:
  - name: readers
    actors: [tools/reader/*]
    allow: ["fs.read ${docs}/**"]
    deny: ${deny}
tests:
  - { actor: tools/reader/0, allow: "fs.read ${docs}/guide.md" }
`)

await write(`["fs.read ${docs}/private/**"]`)
const system = await System.open({ policy })
const reader = await system.spawn(await system.load(`${guests}/reader.wasm`), { name: 'tools/reader/0' })
try {
  await reader.request(pay)
} catch (e) {
  if (e.code !== 'AIRWASM_DENIED') throw e
  console.log(e.message)
  console.log('by', e.rule)
}
console.log(String(await system.policyExplain('tools/reader/0', `fs.read ${pay}`)))
const { passed, failed } = await system.policyTest()
console.log(passed, failed)

await write('[]')
await system.policyLoad(policy) // All or nothing, and for those that live.
console.log(String(await reader.request(pay)))
await system.close()
await rm(folder, { recursive: true })
