// Steps about the policy.

import { part, same } from './step.mjs'

export const policy = {
  policy_load: (world, step) => world.system.policyLoad(step.need('path')),
  async policy_explain(world, step) {
    const explained = await world.system.policyExplain(step.need('actor'), step.need('capability'))
    same('allowed', step.get('expect_allowed'), explained.allowed)
    part('text', step.get('expect_text'), String(explained))
    same('policy line', step.get('expect_policy_line'), explained.policyLine ?? '')
  },
  async policy_test(world, step) {
    const { passed, failed } = await world.system.policyTest()
    same('passed', step.get('expect_passed'), passed)
    same('failed', step.get('expect_failed'), failed.length)
  },
  check: async (world, step) => (await world.actor(step)).check(step.need('capability')),
}
