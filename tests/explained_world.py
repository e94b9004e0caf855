"""A world in memory whose user reads only what `reconcile explain` says, and does what it says."""

import shlex
from pathlib import Path
from typing import Self

from attrs import define, evolve

from reconciler.cli.accept_and_forget import _accept_lost_tags, _accept_moved_tag, _forget_orphan
from reconciler.core.explanation import Explanation
from reconciler.core.report import ReportCommand
from reconciler.show.text.explain import render_explanations
from reconciler.show.text.screen import PLAIN
from reconciler.stages.explaining import explanations
from reconciler.stages.observe import observe
from reconciler.stages.planning import RunRequest
from tests.rolled_back import go_back
from tests.world import World


@define
class ExplainedWorld:
    """A world with the recipe `notes`, released and promoted once. `unit` is the systemd unit of this shell."""

    world: World
    unit: str = ""

    @classmethod
    def settled(cls, root: Path, **more: object) -> Self:
        world = World(root)
        world.declare("notes", **more)
        world.tag("notes", "1.0.0+v1")
        world.run()
        return cls(world)

    def explain(self, name: str = "notes", *, ask: bool = True) -> Explanation:
        host = self.world.host()
        host = evolve(host, place=evolve(host.place, unit=self.unit))
        [told] = explanations(host, RunRequest(self.world.fleet, (name,), ReportCommand.PLAN), ask=ask)
        return told

    def text(self, name: str = "notes", *, ask: bool = True) -> str:
        return render_explanations([self.explain(name, ask=ask)], PLAIN, self.world.now)

    def head(self, name: str = "notes") -> str:
        """Return the text above the evidence: all that a hurried reader reads."""
        return self.text(name).partition("BEFORE A TRIAL")[0]

    def version(self, name: str = "notes") -> str:
        """Return the version of the canonical, "" if there is none."""
        have = self.world.records().canonicals.get(name)
        return have.version if have is not None else ""

    def commands(self, name: str = "notes") -> list[str]:
        """Return the commands that the text names, in its order."""
        lines = (line.strip() for line in self.head(name).splitlines())
        starts = ("reconcile ", "systemctl ", "git ", "command ")
        ends = (line.rpartition(": ")[2] for line in lines)
        return list(dict.fromkeys(end for end in ends if end.startswith(starts)))

    def do(self, command: str) -> None:
        """Do what a user would who types this command."""
        match shlex.split(command):
            case ["reconcile", "-r", name, "--retry", again]:
                self.world.run(name, retry=[again])
            case ["reconcile", "-r", name]:
                self.world.run(name)
            case ["reconcile", "accept", name, tag, "--reason", "…"]:
                self._accept(name, tag)
            case ["reconcile", "accept", name, "--reason", "…"]:
                self._accept(name, None)
            case ["reconcile", "forget", name, "--reason", "…"]:
                _forget_orphan(self.world.host(), name, "nobody needs it")
            case ["reconcile", "rollback", name, "--reason", "…"]:
                go_back(self.world, name)
            case ["reconcile", "rollback", name, "--to", number, "--reason", "…"]:
                go_back(self.world, name, int(number))
            case ["systemctl", "start", unit]:
                assert unit == self.world.unit
                self.world.run()
            case _:
                raise AssertionError(f"no user can do this: {command}")

    def _accept(self, name: str, tag: str | None) -> None:
        host = self.world.host()
        seen = observe(host, self.world.fleet, [name], self.world.records()).observations[name]
        memory, _ = _accept_moved_tag(host, seen, tag) if tag is not None else _accept_lost_tags(seen)
        host.registry.remember([memory], [])


def first_line(user: ExplainedWorld) -> str:
    return user.head().splitlines()[0]
