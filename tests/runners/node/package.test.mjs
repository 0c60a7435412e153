// The package as it is published: two tarballs, installed into an empty folder.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { guest, root } from './helper.mjs'

const run = promisify(execFile)
const PLATFORM = '@airssys/wasm-linux-x64-gnu'

const PROGRAM = `
  const system = await System.open()
  const hello = await system.spawn(await system.load(process.argv[2]))
  console.log(String(await hello.request('installed')))
  await system.close()
`

async function folder(t) {
  const made = await mkdtemp(join(tmpdir(), 'airwasm-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

test('the packed package installs into an empty folder and runs', async (t) => {
  const [packed, app] = [await folder(t), await folder(t)]
  await run(join(root, 'bindings-node/pack'), [packed])
  const tarballs = await readdir(packed)
  assert.equal(tarballs.length, 2, tarballs.join())
  await writeFile(join(app, 'package.json'), '{"private":true}')
  const install = ['install', '--offline', '--no-audit', '--no-fund', ...tarballs.map((name) => join(packed, name))]
  await run('npm', install, { cwd: app })

  await writeFile(join(app, 'main.mjs'), `import { System } from '@airssys/wasm'\n${PROGRAM}`)
  await writeFile(join(app, 'main.cjs'), `const { System } = require('@airssys/wasm')\n;(async () => {${PROGRAM}})()`)
  for (const program of ['main.mjs', 'main.cjs']) {
    const { stdout } = await run(process.execPath, [program, guest('hello')], { cwd: app })
    assert.equal(stdout, 'hello installed\n')
  }
  const installed = await readdir(join(app, 'node_modules/@airssys/wasm'))
  assert.deepEqual(installed.sort(), [
    'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'dist', 'index.d.mts', 'index.d.ts', 'index.mjs', 'package.json',
  ])

  await rm(join(app, 'node_modules', PLATFORM), { recursive: true })
  await assert.rejects(run(process.execPath, ['main.mjs', guest('hello')], { cwd: app }), ({ stderr }) => {
    assert.match(stderr, new RegExp(`needs the package ${PLATFORM}, which is not installed: npm install ${PLATFORM}`))
    return true
  })
})

test('on a platform without a package the error says which there are', async (t) => {
  const app = await folder(t)
  const home = join(app, 'node_modules/@airssys/wasm')
  for (const file of ['package.json', 'index.mjs', 'dist']) {
    await cp(join(root, 'bindings-node', file), join(home, file), { recursive: true })
  }
  const lie = "Object.defineProperty(process, 'arch', { value: 'mips' }); require('@airssys/wasm')"
  await assert.rejects(run(process.execPath, ['--eval', lie], { cwd: app }), ({ stderr }) => {
    assert.match(stderr, /@airssys\/wasm-linux-mips-gnu, which does not exist yet; there is one for linux-x64-gnu/)
    return true
  })
})

test('what is committed names no registry and no machine', async () => {
  const lock = await readFile(join(root, 'bindings-node/package-lock.json'), 'utf8')
  const addresses = [...lock.matchAll(/"resolved": "([^"]*)"/g)].map(([, address]) => address)
  assert.deepEqual(addresses, ['npm/linux-x64-gnu'])
  const names = ['package.json', 'npm/linux-x64-gnu/package.json'].map((name) => join(root, 'bindings-node', name))
  const [main, platform] = await Promise.all(names.map(async (name) => JSON.parse(await readFile(name, 'utf8'))))
  assert.equal(main.version, platform.version)
  assert.deepEqual(main.optionalDependencies, { [platform.name]: platform.version })
})
