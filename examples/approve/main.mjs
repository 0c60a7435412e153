// A guest asks for what it lacks, and the host decides.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { System } from '@airssys/wasm'

const guests = process.argv[2] ?? 'target/guests'
const folder = await mkdtemp(join(tmpdir(), 'airwasm-'))
const note = join(folder, 'note.txt')
await writeFile(note, 'a note')

const system = await System.open()
const broker = await system.spawn(await system.load(`${guests}/broker.wasm`), { name: 'broker' })

// Approves the note, for a minute.
async function decide() {
  for await (const { actor, detail } of system.events('capability.asked')) {
    if (detail.capability !== `fs.read ${note}`) continue
    await (await system.lookup(actor)).grant(detail.capability, { ttlMs: 60_000 })
  }
}

const decided = decide()
console.log(String(await broker.request(`ask 20000 fs.read ${note}`)))
console.log(String(await broker.request(`read ${note}`)))
await broker.request('ask 100 fs.read /etc/passwd').catch((e) => console.log(e.message))
await system.close()
await decided
await rm(folder, { recursive: true })
