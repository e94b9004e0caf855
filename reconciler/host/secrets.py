"""Makes the secrets that an app reads: by their length, or by a command of the fleet that prints one."""

import os
import secrets
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from desired.model import Argv
from reconciler.crossing import App, Makers, SecretNeed
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host import appfiles
from reconciler.host.processes.driver import INHERITED
from reconciler.host.run import Order, Told, capture
from reconciler.host.sinks import KIB, Log
from reconciler.host.text import last_words, printable
from reconciler.redact import redaction, slot_secrets

_LARGEST = 64 * KIB
_DEADLINE = 120.0
_ALPHABETS = {"": string.ascii_letters + string.digits, "hex": "0123456789abcdef"}


@frozen
class _Refusal:
    """Why a secret could not be made; `of_host` says that a program is missing, which is no fault of the recipe."""

    reason: str
    of_host: bool = False


class HostSecrets:
    """Of `environment` makers get what apps inherit.

    A maker goes before a length. One for a secret that the release does not read is not run: releases differ.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name: environment[name] for name in INHERITED if name in environment}

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: Makers, log: Path) -> None:
        appfiles.make(app)
        refusals: dict[str, _Refusal] = {}
        for need in needs:
            if os.path.lexists(app.secrets / need.name):
                continue
            had = _known(makers.known, need)
            made = had or self._make(app, need, makers)
            if isinstance(made, _Refusal):
                refusals[need.name] = made
                _note(log, need.name, made.reason)
            else:
                _write(app.secrets / need.name, made)
                _note(log, need.name, f"{'taken over' if had else 'made'}, {len(made)} bytes")
        if refusals:
            raise _failure(app, refusals)

    def _make(self, app: App, need: SecretNeed, makers: Makers) -> bytes | _Refusal:
        maker = makers.commands.get(need.name)
        if maker is not None:
            return _judge(app, maker, self._ask(app, maker, makers.folder))
        if need.length is None:
            return _Refusal("has no length or no known charset in .env.sample, and no maker")
        alphabet = _ALPHABETS.get(need.charset, _ALPHABETS[""])
        return "".join(secrets.choice(alphabet) for _ in range(need.length)).encode("ascii")

    def _ask(self, app: App, maker: Argv, folder: Path) -> Told:
        place = {"HOME": str(app.folder / "home"), "TMPDIR": str(app.folder / "tmp"), "RECIPE": app.recipe}
        order = Order(maker, {**self._environment, **place}, folder, _DEADLINE, mark=app.mark)
        return capture(order, most=_LARGEST + 1)


def _known(folder: Path | None, need: SecretNeed) -> bytes:
    """A secret that is had already, never through a link that an app may have put there; empty where it is not."""
    path = folder / need.name if folder else None
    return path.read_bytes() if path and path.is_file() and not path.is_symlink() else b""


def _judge(app: App, maker: Argv, told: Told) -> bytes | _Refusal:
    """What a maker printed, without the line's end; or why that is no secret."""
    program, finished = printable(maker[0]), told.finished
    if finished.missing:
        return _Refusal(f"{program}, which makes it, is not found in PATH", of_host=True)
    if told.cut or len(told.out) > _LARGEST:
        return _Refusal(f"{program} printed more than {_LARGEST} bytes")
    if finished.timed_out:
        return _Refusal(f"{program} did not end within {_DEADLINE:.0f} s")
    if finished.code != 0:
        return _Refusal(f"{program} ended with exit code {finished.code}{_complaint(app, told)}")
    secret = told.out.removesuffix(b"\n")
    return secret or _Refusal(f"{program} printed nothing")


def _complaint(app: App, told: Told) -> str:
    """The end of what a maker wrote to its standard error, without any secret."""
    known = redaction((told.out, *slot_secrets(app.folder.parent)))
    words = last_words(known.apply(told.err)[-KIB:])
    return f": {words}" if words else ""


def _write(path: Path, secret: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


def _note(log: Path, name: str, words: str) -> None:
    file = Log(log, redaction(()))
    file.feed(f"secret {name}: {words}\n".encode())
    file.close()


def _failure(app: App, refusals: Mapping[str, _Refusal]) -> InfrastructureError | RecipeError:
    """All of it in one error: the recipe's fault, unless nothing but programs are missing."""
    told = "; ".join(f"secret {name} {refusal.reason}" for name, refusal in refusals.items())
    message = f"{app.recipe}: {told}"
    if all(refusal.of_host for refusal in refusals.values()):
        return InfrastructureError(message, "install it, and name it in [recipe] requires")
    makers = ", ".join(f'{name} = ["…"]' for name in refusals)
    return RecipeError(message, f"declare commands that print them: [install] secrets = {{ {makers} }}")
