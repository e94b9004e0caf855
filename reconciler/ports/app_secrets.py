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

    The characters are hexadecimal digits if `charset` is "hex", else letters and digits. `length` is None if random
    characters cannot work: then only a maker can make the secret, which is a command that prints it. `other_names` are
    other names that the file of this secret may have. `declares_length` is True if the release itself sets the length.
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
    """How secrets are made: `commands` maps the name of a secret to its maker, the command that prints the secret.

    The commands run in `folder`, the folder of the recipe's tests. `existing` is a folder with secrets of the same
    recipe's app in another slot: a secret that is there is copied, and not made. None if there is no such folder.
    """

    commands: Mapping[str, Argv]
    folder: Path
    existing: Path | None = None


@frozen
class ProvidedSecrets:
    """What `Secrets.provide` reports.

    `remarks` are for the report, such as that a secret has another length than the release asks for. `unused_makers`
    has the names of the secrets whose maker was not run because the release does not read them.
    """

    remarks: tuple[str, ...] = ()
    unused_makers: tuple[str, ...] = ()


class Secrets(Protocol):
    """Makes the secrets that are missing in an app's secrets folder. Existing ones are kept."""

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """Make the secrets in `needs` that are missing. Return remarks, and the makers that were not used.

        A secret is copied, or printed by its maker, or else random. Add a line to the file `log` for each secret that
        is made or cannot be made, without the secret itself. If some cannot be made, make the others, and raise one
        error with all of them: InfrastructureError if only programs are missing on this host, else RecipeError.
        """
