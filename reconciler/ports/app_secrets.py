"""The secrets that an app reads, and how they are made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from desired.model import Argv
from reconciler.ports.app import App


@frozen
class SecretNeed:
    """A secret that the app reads: `length` random characters.

    The characters are hexadecimal digits if `charset` is "hex", else letters and digits. `length` is None if a random
    secret cannot work: only a maker, which is a command that prints the secret, can make it. `other_names` are other
    names that the file of this secret may have. `declares_length`: the release itself sets the length.
    """

    name: str
    length: int | None = None
    charset: str = ""
    other_names: tuple[str, ...] = field(default=(), eq=False)
    declares_length: bool = field(default=False, eq=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return all names that the file of this secret may have."""
        return (self.name, *self.other_names)


@frozen
class SecretMakers:
    """How secrets are made: `commands` maps the name of a secret to the command that prints the secret.

    The commands run in `folder`, the folder of the recipe's tests. `existing` is a folder with secrets of the same
    recipe's app in another slot: a secret that is there is copied, and not made.
    """

    commands: Mapping[str, Argv]
    folder: Path
    existing: Path | None = None


@frozen
class ProvidedSecrets:
    """Remarks on the secrets, and the names of the makers whose secret the release does not read."""

    remarks: tuple[str, ...] = ()
    unused_makers: tuple[str, ...] = ()


class Secrets(Protocol):
    """Makes the secrets that are missing in an app's secrets folder. Existing ones are kept."""

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """Make the secrets in `needs` that are missing. The file `log` gets a line for each maker that ran, no secrets.

        Raise RecipeError with every secret that cannot be made or whose maker failed, and InfrastructureError if the
        program of a maker is missing on this host.
        """
