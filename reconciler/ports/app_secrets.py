"""The secrets that an app reads, and how they are made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from desired.model import Argv
from reconciler.ports.app import App


@frozen
class SecretNeed:
    """A secret that the app reads. `length` is None where length alone cannot make it: a maker must.

    `also` are names under which an app may have it too. `asks_length` says that the release itself names the length.
    """

    name: str
    length: int | None = None
    charset: str = ""
    also: tuple[str, ...] = field(default=(), eq=False)
    asks_length: bool = field(default=False, eq=False)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


@frozen
class SecretMakers:
    """Where secrets come from: `commands` print them and run in `folder`, the recipe's tests.

    `known` is a folder of secrets that the same app has elsewhere: what is there is taken over.
    """

    commands: Mapping[str, Argv]
    folder: Path
    known: Path | None = None


@frozen
class ProvidedSecrets:
    """What providing secrets came to: remarks, and the secrets with a maker that the release does not ask for."""

    remarks: tuple[str, ...] = ()
    unused_makers: tuple[str, ...] = ()


class Secrets(Protocol):
    """Makes what an app's secrets folder lacks; what is there already is kept."""

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """`log` learns that makers ran, never what they print.

        Raises RecipeError naming every secret that cannot be made or whose maker failed,
        InfrastructureError for a maker whose program is missing.
        """
        ...
