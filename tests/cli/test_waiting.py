"""What `--wait` does while another process holds a lock. Its sleeps take no time here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from desired.model import CanonicalPolicy, Keep
from reconciler.cli.waiting import Waiting, when_free
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import BusyError
from reconciler.host.git.quarantine import _try_lock
from reconciler.promotion.undeploy_conflicts import without_conflicts
from state.folder.lock import hold
from tests.world import World

LONGEST = timedelta(minutes=30)


@define
class WaitingWorld:
    """A world in which a command waits. `held` are the locks that another command has for `steps` sleeps."""

    world: World
    tries: list[str] = field(factory=list)
    steps: int = 0
    held: ExitStack = field(factory=ExitStack)

    def sleep(self, seconds: float) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.steps -= 1
        if self.steps == 0:
            self.held.close()

    def waits(self, enter: Callable[[], AbstractContextManager[object]]) -> None:
        """Wait until what `enter` returns can be entered."""

        @contextmanager
        def opened(name: str) -> Iterator[None]:
            self.tries.append(name)
            with enter():
                yield

        waiting = Waiting("notes", LONGEST, self.sleep)
        with when_free(self.world.host(), waiting, lambda: opened("first"), lambda: opened("again")):
            pass


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[WaitingWorld]:
    world = World(tmp_path)
    world.declare("notes")
    world.state.create()
    made = WaitingWorld(world)
    with made.held:
        yield made


@pytest.mark.parametrize("of", ["slot", "pass", "fetch"])
def test_a_command_that_waits_tries_again_only_once_the_lock_is_free_that_was_in_its_way(
    waiting: WaitingWorld, of: str
) -> None:
    world, waiting.steps = waiting.world, 20
    notes, host = world.declare("notes", canonical=CanonicalPolicy(Keep.RUNNING)), world.host()
    world.state.kept_slot("notes").mkdir(parents=True)
    incoming = world.state.root / ".notes.git.asked"
    fetch = incoming.with_name(".notes.git.asked.lock")
    lock = {"slot": world.state.slot_lock("notes"), "pass": world.state.lock, "fetch": fetch}[of]
    world.state.make_slot("notes")
    waiting.held.enter_context(hold(lock, "another command"))
    enter = {
        "slot": lambda: lock_slot(host, "notes", "trial"),
        "pass": lambda: without_conflicts(host, world.fleet, notes),
        "fetch": lambda: _try_lock(incoming),
    }[of]
    waiting.waits(enter)
    assert waiting.tries == ["first", "again"]
    assert waiting.steps == 0


def test_a_lock_whose_holder_cannot_be_seen_is_tried_ever_more_rarely(waiting: WaitingWorld, tmp_path: Path) -> None:
    def busy() -> AbstractContextManager[object]:
        raise BusyError("held by a process that cannot be seen from here", "wait", tmp_path / "nobody")

    with pytest.raises(BusyError):
        waiting.waits(busy)
    spans = LONGEST.total_seconds() / 30
    assert spans <= len(waiting.tries) <= spans + 10
