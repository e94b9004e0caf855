"""Stands between the stages and a world's ports: hears each call, and may answer it otherwise or end everything."""

from collections import Counter
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

Honest = Callable[[], object]


@frozen
class Call:
    """One call of a port; `number` counts those of the same port and method, from 1."""

    port: str
    method: str
    number: int
    args: tuple[object, ...]
    more: Mapping[str, object] = field(factory=dict)

    @property
    def name(self) -> str:
        return f"{self.port}.{self.method}"

    def __str__(self) -> str:
        return f"{self.name}#{self.number}"


@define
class Ear:
    """To be a world's `wrap`. `answer` gets each call and the way to carry it out; what it returns is the answer.

    Calls of the ports in `deaf` pass by unheard.
    """

    answer: Callable[[Call, Honest], object] = lambda _, honest: honest()
    deaf: frozenset[str] = frozenset({"clock", "progress"})
    heard: list[Call] = field(factory=list)
    _counts: Counter[str] = field(factory=Counter)

    def __call__(self, name: str, port: object) -> object:
        return port if name in self.deaf else _Heard(self, name, port)

    def hear(self, port: str, method: str, args: tuple[object, ...], more: dict[str, object], honest: Honest) -> object:
        self._counts[f"{port}.{method}"] += 1
        call = Call(port, method, self._counts[f"{port}.{method}"], args, more)
        self.heard.append(call)
        return self.answer(call, honest)


@frozen
class _Heard:
    """A port whose every method tells the ear first."""

    _ear: Ear
    _name: str
    _port: object

    def __getattr__(self, method: str) -> Callable[..., object]:
        carry_out = getattr(self._port, method)

        def call(*args: object, **more: object) -> object:
            return self._ear.hear(self._name, method, args, more, lambda: carry_out(*args, **more))

        return call
