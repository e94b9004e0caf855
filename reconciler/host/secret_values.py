"""Makes the secrets of an app: random characters, or the output of a command that the fleet declares."""

import os
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from desired.model import Argv
from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host import app_directory
from reconciler.host.output import KIB, MIB, Log
from reconciler.host.processes.process_driver import INHERITED
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.host.text import last_words
from reconciler.ports.app import App
from reconciler.ports.app_secrets import ProvidedSecrets, SecretMakers, SecretNeed
from reconciler.redact import read_slot_secrets, redaction

_LARGEST = 64 * KIB
_MOST_STDERR = MIB
_DEADLINE = 120.0
_ALPHABETS = {"": string.ascii_letters + string.digits, "hex": "0123456789abcdef"}


@frozen
class _Refusal:
    """Why a secret could not be made. `of_host` is True if the reason is a program that is missing on this host."""

    reason: str
    of_host: bool = False


class HostSecrets:
    """Makes the secrets of apps: implements the port Secrets.

    A maker is a command, declared by the fleet, that prints a secret. A secret without a maker is random. A maker is
    not run if the release does not read its secret. `environment` is the environment of child processes. Makers get
    only the variables in it that apps get too.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name: environment[name] for name in INHERITED if name in environment}

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """Write the secrets of `needs` that the app does not have yet. A secret that the app already has stays.

        A missing secret is taken from the folder `makers.existing` if it is there, and made if not. The file `log` says
        of each how it was made, or why it was not; the secret itself is not in the file. Return remarks on secrets that
        stay without the declared length, and the names of makers whose secret is not in `needs`. If a secret cannot be
        made, go on with the others, and raise an error at the end: InfrastructureError if every reason is a program
        that this host lacks, RecipeError if not.
        """
        app_directory.create_folders(app)
        refusals: dict[str, _Refusal] = {}
        remarks: list[str] = []
        for need in needs:
            present = next((name for name in need.names if os.path.lexists(app.secrets / name)), None)
            if present is not None:
                remarks += _remark_on_length(app.secrets / present, need, makers)
                continue
            existing = _read_existing(makers.existing, need)
            secret = existing or self._make(app, need, makers)
            if isinstance(secret, _Refusal):
                refusals[need.name] = secret
                _write_to_log(log, need.name, secret.reason)
            else:
                _write(app.secrets / need.name, secret)
                _write_to_log(log, need.name, f"{'taken over' if existing else 'made'}, {len(secret)} bytes")
        if refusals:
            raise _error_of(app, refusals)
        read = {_normalise(name) for need in needs for name in need.names}
        return ProvidedSecrets(tuple(remarks), tuple(name for name in makers.commands if _normalise(name) not in read))

    def _make(self, app: App, need: SecretNeed, makers: SecretMakers) -> bytes | _Refusal:
        """Make the new secret `need`, and return it.

        If `makers` has a command for this secret, the secret is what the command prints. If not, the secret is random.
        If the secret cannot be made, return a _Refusal with the reason.
        """
        maker = _maker(makers, need)
        if maker is not None:
            return _printed_secret(app, maker, self._run(app, maker, makers.folder))
        if need.length is None:
            return _Refusal("has no length or no known charset in .env.sample, and no maker")
        alphabet = _ALPHABETS.get(need.charset, _ALPHABETS[""])
        return "".join(secrets.choice(alphabet) for _ in range(need.length)).encode("ascii")

    def _run(self, app: App, maker: Argv, folder: Path) -> CapturedOutput:
        place = {"HOME": str(app.folder / "home"), "TMPDIR": str(app.folder / "tmp"), "RECIPE": app.recipe}
        command = CommandSpec(maker, {**self._environment, **place}, folder, _DEADLINE, mark=app.mark)
        return capture(command, most=_LARGEST + 1, most_err=_MOST_STDERR)


def _read_existing(folder: Path | None, need: SecretNeed) -> bytes:
    """Return the secret `need` from a file in `folder`, under any of the secret's names.

    Return b"" if there is no such file, or only a link, or if `folder` is None.
    """
    paths = (folder / name for name in need.names) if folder else ()
    return next((path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()), b"")


def _maker(makers: SecretMakers, need: SecretNeed) -> Argv | None:
    """Return the command that makes the secret `need`; None if there is none.

    A command that is declared for exactly the secret's name comes first. If there is none, a command counts whose
    declared name differs only in case, or in dashes and underscores.
    """
    exact = next((makers.commands[name] for name in need.names if name in makers.commands), None)
    names = {_normalise(name) for name in need.names}
    return exact or next((maker for name, maker in makers.commands.items() if _normalise(name) in names), None)


def _normalise(name: str) -> str:
    """Return the name of a secret in lower case and with underscores, for comparison."""
    return name.lower().replace("-", "_")


def _remark_on_length(path: Path, need: SecretNeed, makers: SecretMakers) -> Iterator[str]:
    """Yield a remark if the existing secret in the file `path` does not have the length that the release declares.

    Yield nothing if a command (a maker) makes the secret, or if the release declares no length.
    """
    if not need.declares_length or path.is_symlink() or not path.is_file() or _maker(makers, need) is not None:
        return
    length = path.stat().st_size
    if length != need.length:
        yield (
            f"secret {need.name} has {length} characters, where the release asks for {need.length}: "
            "who upgrades keeps the one that they have"
        )


def _printed_secret(app: App, maker: Argv, output: CapturedOutput) -> bytes | _Refusal:
    """Return the secret that the command `maker` printed, without the last newline.

    `output` has what the command printed, and how it ended. If it failed, or printed nothing or too much, return a
    _Refusal with the reason.
    """
    program, result = escape_unprintable(maker[0]), output.result
    if result.missing:
        return _Refusal(f"{program}, which makes it, is not found in PATH", of_host=True)
    if output.cut or len(output.out) > _LARGEST:
        return _Refusal(f"{program} printed more than {_LARGEST} bytes")
    if result.timed_out:
        return _Refusal(f"{program} did not end within {_DEADLINE:.0f} s")
    if result.code is None:
        return _Refusal(f"{program} was stopped, because it wrote more than {_MOST_STDERR} bytes to stderr")
    if result.code != 0:
        return _Refusal(f"{program} ended with exit code {result.code}{_stderr_end(app, output)}")
    secret = output.out.removesuffix(b"\n")
    return secret or _Refusal(f"{program} printed nothing")


def _stderr_end(app: App, output: CapturedOutput) -> str:
    """Return the end of what a maker, a command that makes a secret, wrote to stderr. Secrets in it are masked.

    The text begins with a colon, such as ": no such key". It is "" if the maker wrote nothing to stderr.
    """
    known = redaction((output.out, *read_slot_secrets(app.folder.parent)))
    words = last_words(known.apply(output.err)[-KIB:])
    return f": {words}" if words else ""


def _write(path: Path, secret: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


def _write_to_log(log: Path, name: str, message: str) -> None:
    file = Log(log, redaction(()))
    file.feed(f"secret {name}: {message}\n".encode())
    file.close()


def _error_of(app: App, refusals: Mapping[str, _Refusal]) -> InfrastructureError | RecipeError:
    """Return (do not raise) one error that names all secrets that could not be made, and the reasons.

    `refusals` maps the name of each of these secrets to its reason. The error is an InfrastructureError if every reason
    is a program that this host lacks. In all other cases it is a RecipeError.
    """
    message = f"{app.recipe}: " + "; ".join(f"secret {name} {refusal.reason}" for name, refusal in refusals.items())
    if all(refusal.of_host for refusal in refusals.values()):
        return InfrastructureError(message, "install it, and name it in [recipe] requires")
    makers = ", ".join(f'{name} = ["…"]' for name in refusals)
    return RecipeError(message, f"declare commands that print them: [install] secrets = {{ {makers} }}")
