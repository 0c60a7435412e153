"""The steps about supervisors, their children, monitors and links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import airwasm
from scenario_behaviours import behave
from scenario_place import Place
from scenario_step import Step, guest_options, host_options

Spec: TypeAlias = airwasm.ActorSpec | airwasm.HostSpec | airwasm.SupervisorSpec


class Declaration(NamedTuple):
    """What a scenario says of a child before anything starts; a spec is made anew for each use."""

    name: str
    make: Callable[[], Spec]
    below: list[str]


def rules(step: Step) -> dict[str, Any]:
    options = step.pick("strategy", "intensity", "period_ms", "give_up", "auto_shutdown")
    return options | {"backoff": airwasm.Backoff(**step.pick("initial_ms"))}


def shown(nodes: Iterable[airwasm.TreeNode]) -> str:
    """A tree as the text of `expect_tree`."""
    below = {node.status.id: shown(node.children) for node in nodes}
    return " ".join(
        f"{node.status.id}[{node.status.state}]" + (f"({below[node.status.id]})" if node.children else "")
        for node in nodes
    )


class SupervisionSteps(Place):
    def __init__(self, folder: str, runner: asyncio.Runner, cached: bool) -> None:
        super().__init__(folder, runner, cached)
        self.declared: dict[str, Declaration] = {}
        self.monitors: dict[str, asyncio.Future[airwasm.Down]] = {}

    def specs(self, aliases: Iterable[str]) -> list[Spec]:
        return [self.declared[alias].make() for alias in aliases]

    def name_live(self, aliases: Iterable[str]) -> None:
        """From here on the aliases of children and of those below them name the live actors."""
        for alias in aliases:
            self.actors[alias] = self.system.lookup(self.declared[alias].name)
            self.name_live(self.declared[alias].below)

    def op_supervisor(self, step: Step) -> None:
        children = step.pop("children", "").split()
        self.keep(step, self.system.supervisor(step.need("name"), self.specs(children), **rules(step)))
        self.name_live(children)

    def op_child(self, step: Step) -> None:
        name, below = step.need("name"), step.pop("supervisor_of", "").split()
        supervised = step.pick("significant", "shutdown_ms", "restart")
        if "component" in step:
            component, options = self.component(step.need("component")), guest_options(step) | supervised

            def make() -> Spec:
                return airwasm.ActorSpec(component, name, **options)

        elif "behaviour" in step:
            behaviour, options = step.need("behaviour"), host_options(step) | supervised

            def make() -> Spec:
                return airwasm.HostSpec(behave(behaviour, self.folder, self.system), name, **options)

        else:
            options = rules(step) | supervised

            def make() -> Spec:
                return airwasm.SupervisorSpec(name, self.specs(below), **options)

        make()  # What is wrong with it is this step's error.
        self.declared[step.need("as")] = Declaration(name, make, below)

    def op_start_child(self, step: Step) -> None:
        child = step.need("child")
        self.system.start_child(self.actor(step, "supervisor"), self.declared[child].make())
        self.name_live([child])

    def op_terminate_child(self, step: Step) -> None:
        self.system.terminate_child(self.actor(step, "supervisor"), self.actor(step, "child"))

    def op_restart_child(self, step: Step) -> None:
        self.system.restart_child(self.actor(step, "supervisor"), self.actor(step, "child"))

    def op_delete_child(self, step: Step) -> None:
        self.system.delete_child(self.actor(step, "supervisor"), self.actor(step, "child"))

    def op_children(self, step: Step) -> None:
        self.same_ids(step, (child.id for child in self.system.children(self.actor(step, "of"))))

    def op_tree(self, step: Step) -> None:
        step.same("expect_tree", shown(self.system.tree()))

    def op_monitor_start(self, step: Step) -> None:
        self.monitors[step.need("as")] = self.begin(self.actor(step, "of").monitor_async)

    def op_monitor_await(self, step: Step) -> None:
        monitor = self.monitors[step.need("monitor")]
        down: airwasm.Down = self.wait(lambda: monitor)
        # Python puts the kind of what was raised before its text.
        step.same("expect_reason", down.reason.replace("RuntimeError: ", ""))
        step.same("expect_restarting", down.restarting)
        step.same("expect_code", down.error and down.error.name)

    def op_link(self, step: Step) -> None:
        self.actor(step, "of").link(self.actor(step))

    def op_unlink(self, step: Step) -> None:
        self.actor(step, "of").unlink(self.actor(step))
