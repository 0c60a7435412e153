// Steps about regions.

import { same } from './step.mjs'

export const regions = {
  region_create: (world, step) => world.system.regionCreate(step.need('region'), step.need('bytes')),
  async region_read(world, step) {
    const [name, offset] = [step.need('region'), step.get('offset') ?? 0]
    const read = await world.system.regionRead(name, offset, step.need('bytes'))
    const filled = new Uint8Array(read.length)
    await world.system.regionReadInto(name, offset, filled)
    same('both ways to read', true, read.equals(filled))
    same('text', step.get('expect_text'), String(read).replaceAll('\0', '.'))
  },
  region_write: (world, step) =>
    world.system.regionWrite(step.need('region'), step.get('offset') ?? 0, step.need('text')),
  region_remove: (world, step) => world.system.regionRemove(step.need('region')),
  async regions(world, step) {
    const all = await world.system.regions()
    const shown = all.map(({ name, bytes, owner, open }) => `${name}[${bytes} ${owner ?? '-'} ${open}]`)
    same('regions', step.need('expect_regions'), shown.join(' '))
  },
}
