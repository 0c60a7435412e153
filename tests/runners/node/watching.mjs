// Steps about monitors, links, topics, groups, timers, and letters that nobody read.

import { same } from './step.mjs'

const keep = (map, step, value) => step.get('as') !== undefined && map.set(step.values.as, value)

export const watching = {
  async monitor_start(world, step) {
    const down = (await world.actor(step, 'of')).monitor()
    down.catch(() => {}) // Its error is for monitor_await.
    world.monitors.set(step.need('as'), down)
  },
  async monitor_await(world, step) {
    const { reason, restarting, error } = await world.monitors.get(step.need('monitor'))
    const code = step.get('expect_code')
    // What a function of JavaScript throws has a name, which no scenario knows.
    same('reason', step.get('expect_reason'), reason.replace('Error: ', ''))
    same('restarting', step.get('expect_restarting'), restarting)
    same('code', code && `AIRWASM_${code}`, error?.code)
  },
  link: async (world, step) => (await world.actor(step, 'of')).link(await world.actor(step)),
  unlink: async (world, step) => (await world.actor(step, 'of')).unlink(await world.actor(step)),
  async subscribe(world, step) {
    keep(world.subscriptions, step, await (await world.actor(step)).subscribe(step.need('pattern')))
  },
  unsubscribe: (world, step) => world.subscriptions.get(step.need('subscription')).unsubscribe(),
  async publish(world, step) {
    const count = await world.system.publish(step.need('topic'), step.need('text'))
    same('count', step.get('expect_count'), count)
  },
  join: async (world, step) => (await world.actor(step)).join(step.need('group')),
  leave: async (world, step) =>
    same('left', step.get('expect_left'), await (await world.actor(step)).leave(step.need('group'))),
  async members(world, step) {
    const members = await world.system.members(step.need('group'))
    same('ids', step.need('expect_ids'), members.map(({ id }) => id).join(' '))
  },
  async broadcast(world, step) {
    const count = await world.system.broadcast(step.need('group'), step.need('text'))
    same('count', step.get('expect_count'), count)
  },
  async send_after(world, step) {
    const actor = await world.actor(step)
    keep(world.timers, step, await actor.sendAfter(step.need('text'), step.need('delay_ms')))
  },
  async send_every(world, step) {
    const actor = await world.actor(step)
    keep(world.timers, step, await actor.sendEvery(step.need('text'), step.need('period_ms')))
  },
  cancel_timer: async (world, step) =>
    same('cancelled', step.get('expect_cancelled'), await world.timers.get(step.need('timer')).cancel()),
  async dead_letters(world, step) {
    const letters = await world.system.deadLetters()
    same('count', step.get('expect_count'), letters.length)
    const [{ payload, reason, sender } = { payload: '', reason: '', sender: '' }] = letters
    const first = { text: String(payload), reason, sender }
    for (const key of Object.keys(first)) same(key, step.get(`expect_${key}`), first[key])
  },
}
