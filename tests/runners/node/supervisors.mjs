// Steps about supervisors and their children.

import { behave } from './behaviours.mjs'
import { guestOptions, hostOptions, supervisorSpec } from './specs.mjs'
import { same } from './step.mjs'

const words = (text) => text?.split(' ').filter(Boolean) ?? []

/** A supervisor and its children, of whose declarations a spec can be made as often as needed. */
function supervisorOf(world, step, key) {
  const [spec, aliases] = [supervisorSpec(step), words(step.get(key))]
  const below = () => aliases.map((alias) => world.declared.get(alias))
  return { name: spec.name, below, make: () => ({ ...spec, children: below().map(({ make }) => make()) }) }
}

async function declaration(world, step) {
  const supervised = step.pick(['significant', 'shutdown_ms'])
  const [component, behaviour] = [step.get('component'), step.get('behaviour')]
  if (component !== undefined) {
    const spec = { component: await world.component(component), ...supervised, ...guestOptions(step) }
    return { name: spec.name, below: () => [], make: () => spec }
  }
  if (behaviour === undefined) return supervisorOf(world, step, 'supervisor_of')
  const spec = { ...supervised, ...hostOptions(step) }
  return { name: spec.name, below: () => [], make: () => ({ handler: behave(behaviour, world), ...spec }) }
}

/** From here on the aliases of children and of those below them name the live actors. */
async function nameLive(world, children) {
  for (const { alias, name, below } of children) {
    world.actors.set(alias, await world.system.lookup(name))
    await nameLive(world, below())
  }
}

/** The supervisor that a step names; one that was looked up has its methods on the system. */
const pair = async (world, step) => [await world.actor(step, 'supervisor'), await world.actor(step, 'child')]

const shown = (nodes) =>
  nodes.map(({ status, children }) => `${status.id}[${status.state}]${children.length ? `(${shown(children)})` : ''}`).join(' ')

export const supervisors = {
  async child(world, step) {
    const alias = step.need('as')
    world.declared.set(alias, { alias, ...(await declaration(world, step)) })
  },
  async supervisor(world, step) {
    const { make, below } = supervisorOf(world, step, 'children')
    world.keepActor(step, await world.system.supervisor(make()))
    await nameLive(world, below())
  },
  async start_child(world, step) {
    const supervisor = await world.actor(step, 'supervisor')
    const child = world.declared.get(step.need('child'))
    await world.system.startChild(supervisor, child.make())
    await nameLive(world, [child])
  },
  terminate_child: async (world, step) => world.system.terminateChild(...(await pair(world, step))),
  restart_child: async (world, step) => world.system.restartChild(...(await pair(world, step))),
  delete_child: async (world, step) => world.system.deleteChild(...(await pair(world, step))),
  async children(world, step) {
    const children = await world.system.children(await world.actor(step, 'of'))
    same('ids', step.need('expect_ids'), children.map(({ id }) => id).join(' '))
  },
  tree: async (world, step) => same('tree', step.need('expect_tree'), shown(await world.system.tree())),
}
