// Denied, granted for a minute, taken back.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
const note = join(folder, 'note.txt')
await writeFile(note, 'a note')

const system = await System.open()
const reader = await system.spawn(await system.load(`${guests}/reader.wasm`), { name: 'reader' })
try {
  await reader.request(note)
} catch (e) {
  if (e.code !== 'AIRWASM_DENIED') throw e
  console.log(e.message)
  console.log(e.policyLine)
}
const grant = await reader.grant(`fs.read ${folder}/**`, { ttlMs: 60_000 })
console.log(String(await reader.request(note)))
console.log(await grant.revoke(), 'open files cut')
await reader.request(note).catch((e) => console.log(e.message))
await system.close()
await rm(folder, { recursive: true })
