"""An upstream on a served forge, and our mirror of it: for the tests of mirrors and checkouts."""

import re
from collections.abc import Callable
from pathlib import Path

from desired.model import Recipe
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.upstream import GitUpstream
from reconciler.ports.repositories import MirrorRefs, MirrorUpdate, TagQuery
from state.folder.folder import StateFolder
from state.records import Answer
from tests.git_servers import Forge
from tests.repositories import git

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
ROOT = Path(__file__).parents[2]


class MirroredUpstream:
    """One upstream on the forge, and our mirrors of it."""

    def __init__(self, served: Forge, folder: Path) -> None:
        name = re.sub(r"\W+", "-", folder.name)
        self.upstream = served.repository(name)
        self.recipe = Recipe("notes", served.address(name), Path("/nowhere"))
        self.mirrors = GitMirrors(StateFolder(folder), ENVIRONMENT, ("http",))

    @property
    def copy(self) -> Path:
        return self.mirrors.state.mirror("notes")

    def answer(self) -> Answer:
        reply = GitUpstream(ENVIRONMENT, ("http",)).ask([TagQuery(self.recipe, None)])["notes"]
        assert isinstance(reply, Answer)
        return reply

    def follow(self) -> MirrorUpdate:
        """Update to just what upstream says now."""
        answer = self.answer()
        return self.mirrors.update(self.recipe, answer, commits_of(answer))

    def look(self) -> MirrorRefs:
        refs = self.mirrors.refs("notes")
        assert isinstance(refs, MirrorRefs)
        return refs


def commits_of(answer: Answer) -> dict[str, str]:
    return {name: commit for name, commit in answer.tags.items() if commit}


# ---- refusing ----


def change(world: MirroredUpstream) -> Callable[[], None]:
    """Publish a release, and hand over a check that the mirror is as it was before and still takes the release."""
    world.upstream.commit({"a": b"1"})
    world.upstream.tag("1.0.0")
    world.follow()
    before = world.look()
    world.upstream.commit({"a": b"2"})
    world.upstream.tag("1.1.0", annotated=True)

    def unharmed() -> None:
        assert world.look() == before
        git(world.copy, "fsck", "--strict", "--no-dangling")
        assert [path.name for path in world.mirrors.state.mirrors.iterdir() if not path.name.endswith(".lock")] == [
            "notes.git"
        ]
        world.follow()
        assert world.look().tags.keys() >= {"1.0.0", "1.1.0"}

    return unharmed
