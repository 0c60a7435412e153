"""The steps about the policy, and about what the host itself asks of it."""

from __future__ import annotations

from scenario_place import Place
from scenario_step import Step


class PolicySteps(Place):
    def op_policy_load(self, step: Step) -> None:
        self.system.policy_load(step.need("path"))

    def op_policy_explain(self, step: Step) -> None:
        explanation = self.system.policy_explain(step.need("actor"), step.need("capability"))
        step.same("expect_allowed", explanation.allowed)
        step.among("expect_text", str(explanation))
        step.same("expect_policy_line", explanation.policy_line or "")

    def op_policy_test(self, step: Step) -> None:
        report = self.system.policy_test()
        step.same("expect_passed", report.passed)
        step.same("expect_failed", len(report.failed))

    def op_check(self, step: Step) -> None:
        self.actor(step).check(step.need("capability"))
