"""Lists the objects of all slots. While a pass changes nothing, it uses each answer of the engine several times."""

import time
from collections.abc import Callable, Sequence

from attrs import define, field

from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import SLOT
from reconciler.host.swarm.services.remove_stack import KINDS, MarkedObjects
from reconciler.host.swarm.services.stack_state import with_container_ends

# A pass first looks for what dead passes left, and then for what is kept running: the same objects, asked for at once.
_FRESH_SECONDS = 5.0


@define(eq=False)
class SlotObjects:
    """Lists the objects on one engine that carry the label of a slot.

    An answer of the engine is used again for five seconds. After a call of `forget`, each answer is used only once: a
    pass that changes something must not get an old answer.
    """

    engine: Engine
    clock: Callable[[], float] = time.monotonic
    _remembers: bool = True
    _answers: dict[object, tuple[float, Sequence[Json]]] = field(factory=dict)

    def find(self, kind: str) -> Sequence[Json]:
        """Return the JSON of all objects of a kind, such as "volume", that belong to any slot."""
        return self._remembered(kind, lambda: self.engine.find(kind, f"label={SLOT}"))

    def find_all(self) -> MarkedObjects:
        """Return the JSON of all objects that belong to any slot, by kind."""
        return {kind: self.find(kind) for kind in KINDS}

    def tasks(self, services: tuple[str, ...]) -> Sequence[Json]:
        """Return the JSON of the tasks of the services with the ids `services`.

        The JSON of an ended task also says how the task ended.
        """
        return self._remembered(services, lambda: with_container_ends(self.engine, self.engine.tasks(services)))

    def forget(self) -> None:
        """Drop all kept answers of the engine, and keep none from now on: they would be wrong once apps change."""
        self._remembers = False
        self._answers.clear()

    def _remembered(self, key: object, ask: Callable[[], Sequence[Json]]) -> Sequence[Json]:
        at, answer = self._answers.get(key, (0.0, ()))
        if key in self._answers and self.clock() - at < _FRESH_SECONDS:
            return answer
        asked_at, answer = self.clock(), ask()
        if self._remembers:
            self._answers[key] = (asked_at, answer)
        return answer
