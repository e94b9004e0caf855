"""The secrets that an app reads, and how they are made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from desired.model import Argv
from reconciler.ports.app import App


@frozen
class SecretNeed:
    """A secret that an app reads, and what it has to look like.

    * `name`: the name of the secret, and of the file with its value.
    * `length`: how many random characters the secret has; None if random characters cannot work, so that a command must
      print the secret.
    * `charset`: "hex" if the characters are hexadecimal digits; else they are letters and digits.
    * `other_names`: further names that the file of this secret may have.
    * `declares_length`: True if the release itself sets the length.
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
    """The commands by which a recipe makes secrets.

    * `commands`: maps the name of a secret to its maker: a command that prints the secret.
    * `folder`: the folder of the recipe's tests, in which the commands run.
    * `existing`: the folder with the secrets of the same app in another slot, which are copied instead of made; None if
      there is no such folder.
    """

    commands: Mapping[str, Argv]
    folder: Path
    existing: Path | None = None


@frozen
class ProvidedSecrets:
    """What `Secrets.provide` returns.

    * `remarks`: texts for the report, such as that a secret has another length than the release asks for.
    * `unused_makers`: the names of secrets whose maker did not run, because the release does not read these secrets.
    """

    remarks: tuple[str, ...] = ()
    unused_makers: tuple[str, ...] = ()


class Secrets(Protocol):
    """Makes the secrets that are missing in an app's secrets folder. Existing secrets are kept."""

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """Make those secrets in `needs` that the app does not have yet. Return remarks, and which makers did not run.

        A secret is copied from another slot, printed by its maker in `makers`, or random. For each secret, add a line
        to the file `log`, without the secret itself. If some secrets cannot be made, make the others, and then raise
        one error on all that failed: InfrastructureError if only programs are missing on this host, else RecipeError.
        """
