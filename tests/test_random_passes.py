"""Random passes and changes over a world in memory. After each, the world is compared with the model."""

from collections.abc import Sequence
from contextlib import ExitStack

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.folders import scratch_folder
from tests.modelled_fleet import NAMES
from tests.modelled_world import ModelledWorld
from tests.pass_model import rank
from tests.port_calls import KillPoint
from tests.world import Behaviour

BEHAVIOURS = {
    "good": Behaviour(),
    "does not start": Behaviour(starts=False),
    "breaks what has lived": Behaviour(breaks_lived=True),
    "loses data": Behaviour(loses_data=True),
    "fails its own tests": Behaviour(passes_custom=False),
    "writes into its checkout": Behaviour(writes_into_checkout=True),
    "slow": Behaviour(slow=True),
    "comes up only where it was": Behaviour(is_bound=True),
}
NAME = st.sampled_from(NAMES)
# Good ones above all: nothing else gives later releases data that has lived.
BEHAVIOUR = st.sampled_from(["good"] * 6 + list(BEHAVIOURS)[1:])
SOME = st.sets(NAME)
PICK = st.integers(0, 1000)


class Loop(RuleBasedStateMachine):
    """Has few rules, each of many kinds, so that most runs have passes, dry runs and kills between the changes."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.driven = ModelledWorld.beginning(self.stack.enter_context(scratch_folder()))

    def teardown(self) -> None:
        self.stack.close()

    @initialize(behaviours=st.tuples(BEHAVIOUR, BEHAVIOUR, BEHAVIOUR))
    def begin(self, behaviours: Sequence[str]) -> None:
        for name, behaviour in zip(NAMES, behaviours, strict=True):
            self.driven.publish(name, "2.0.0", BEHAVIOURS[behaviour])

    # ---- what changes ----

    @rule(name=NAME, behaviour=BEHAVIOUR, place=st.none() | st.integers(1, 3))
    def publish(self, name: str, behaviour: str, place: int | None) -> None:
        """A newer release, or an older one that was missing."""
        version = f"{place or self.driven.newest(name) + 1}.0.0"
        if version not in self.driven.tags(name):
            self.driven.publish(name, version, BEHAVIOURS[behaviour])

    @rule(
        kind=st.sampled_from(["move", "same commit, v", "other commit, v", "same commit, newer", "delete", "shrink"]),
        name=NAME,
        pick=PICK,
        behaviour=BEHAVIOUR,
    )
    def change_tags(self, kind: str, name: str, pick: int, behaviour: str) -> None:
        tags = sorted(self.driven.tags(name))
        if not tags:
            return
        tag = tags[pick % len(tags)]
        match kind:
            case "move":
                self.driven.publish(name, tag, BEHAVIOURS[behaviour])
            case "same commit, v":
                self.driven.publish_again(name, tag, f"v{rank(tag)}.0.0")
            case "other commit, v":
                self.driven.publish(name, f"v{rank(tag)}.0.0", BEHAVIOURS[behaviour])
            case "same commit, newer":
                self.driven.publish_again(name, tag, f"{self.driven.newest(name) + 1}.0.0")
            case _:
                self.driven.delete(name, [tag] if kind == "delete" else tags[pick % 2 :])

    @rule(kind=st.sampled_from(["commit", "down or up", "tests", "enrolled", "declared", "tool"]), name=NAME)
    def change_what_is_around(self, kind: str, name: str) -> None:
        match kind:
            case "commit":
                self.driven.world.commit(name)
            case "down or up":
                self.driven.fail_or_come_back(name)
            case "tests":
                self.driven.break_or_mend_the_tests(name)
            case "enrolled":
                self.driven.except_or_enrol(name)
            case "declared":
                self.driven.undeclare_or_declare(name)
            case _:
                self.driven.world.missing ^= {"tool"}

    @rule(kind=st.sampled_from(["flip", "delete", "mirror"]), name=NAME, at=st.integers(0, 20000), older=st.booleans())
    def damage(self, kind: str, name: str, at: int, *, older: bool) -> None:
        if kind == "mirror":
            self.driven.world.mirrors.pop(name, None)
        else:
            self.driven.damage(name, at if kind == "flip" else None, older=older)

    @rule(kind=st.sampled_from(["moved", "loss", "forget"]), name=NAME)
    def decide(self, kind: str, name: str) -> None:
        acts = {"moved": self.driven.accept_moved, "loss": self.driven.accept_loss, "forget": self.driven.forget}
        event(f"{kind}: {acts[kind](name)}")

    # ---- looking and acting ----

    @rule(names=SOME)
    def look(self, names: set[str]) -> None:
        self.driven.look(names)

    @rule(names=SOME, retry=st.sets(NAME, max_size=1), busy=st.none() | NAME)
    def act(self, names: set[str], retry: set[str], busy: str | None) -> None:
        for outcome in self.driven.one_pass(names, retry, busy):
            event(outcome)

    @rule()
    def act_twice(self) -> None:
        for outcome in self.driven.one_pass():
            event(outcome)
        self.driven.pass_that_does_only_what_is_left()

    @rule(number=st.integers(1, 40) | st.integers(1, 450), after=st.booleans(), times=st.integers(1, 2))
    def kill_passes(self, number: int, times: int, *, after: bool) -> None:
        event(f"killed: {self.driven.kill_passes(KillPoint(number, after=after), times)}")


TestLoop = Loop.TestCase
# The profiles count plain examples; one of these takes as long as some hundred of them.
TestLoop.settings = settings(max_examples=max(10, settings().max_examples // 4), stateful_step_count=30)
