"""Makes the secrets that an app reads: by their length, or by a command of the fleet that prints one."""

import os
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from desired.model import Argv
from desired.unprintable import escape_unprintable
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host import app_directory as appfiles
from reconciler.host.output import KIB, Log
from reconciler.host.processes.process_driver import INHERITED
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.host.text import last_words
from reconciler.ports.app import App
from reconciler.ports.app_secrets import ProvidedSecrets, SecretMakers, SecretNeed
from reconciler.redact import read_slot_secrets, redaction

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

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        appfiles.create_folders(app)
        refusals: dict[str, _Refusal] = {}
        remarks: list[str] = []
        for need in needs:
            there = next((name for name in need.names if os.path.lexists(app.secrets / name)), None)
            if there is not None:
                remarks += _of_another_length(app.secrets / there, need, makers)
                continue
            had = _known(makers.existing, need)
            made = had or self._make(app, need, makers)
            if isinstance(made, _Refusal):
                refusals[need.name] = made
                _note(log, need.name, made.reason)
            else:
                _write(app.secrets / need.name, made)
                _note(log, need.name, f"{'taken over' if had else 'made'}, {len(made)} bytes")
        if refusals:
            raise _failure(app, refusals)
        asked = {_plain(name) for need in needs for name in need.names}
        return ProvidedSecrets(tuple(remarks), tuple(name for name in makers.commands if _plain(name) not in asked))

    def _make(self, app: App, need: SecretNeed, makers: SecretMakers) -> bytes | _Refusal:
        maker = _maker(makers, need)
        if maker is not None:
            return _judge(app, maker, self._ask(app, maker, makers.folder))
        if need.length is None:
            return _Refusal("has no length or no known charset in .env.sample, and no maker")
        alphabet = _ALPHABETS.get(need.charset, _ALPHABETS[""])
        return "".join(secrets.choice(alphabet) for _ in range(need.length)).encode("ascii")

    def _ask(self, app: App, maker: Argv, folder: Path) -> CapturedOutput:
        place = {"HOME": str(app.folder / "home"), "TMPDIR": str(app.folder / "tmp"), "RECIPE": app.recipe}
        command = CommandSpec(maker, {**self._environment, **place}, folder, _DEADLINE, mark=app.mark)
        return capture(command, most=_LARGEST + 1)


def _known(folder: Path | None, need: SecretNeed) -> bytes:
    """A secret that is had already, never through a link that an app may have put there; empty where it is not."""
    paths = (folder / name for name in need.names) if folder else ()
    return next((path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()), b"")


def _maker(makers: SecretMakers, need: SecretNeed) -> Argv | None:
    """The command that is declared for a secret: by its very name, or by one that differs in case and dashes alone."""
    exact = next((makers.commands[name] for name in need.names if name in makers.commands), None)
    plain = {_plain(name) for name in need.names}
    return exact or next((maker for name, maker in makers.commands.items() if _plain(name) in plain), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _of_another_length(path: Path, need: SecretNeed, makers: SecretMakers) -> Iterator[str]:
    """What is to be said of a secret that is there already: its length may be that of an older release."""
    if not need.declares_length or path.is_symlink() or not path.is_file() or _maker(makers, need) is not None:
        return
    have = path.stat().st_size
    if have != need.length:
        yield (
            f"secret {need.name} has {have} characters, where the release asks for {need.length}: "
            "who upgrades keeps the one that they have"
        )


def _judge(app: App, maker: Argv, told: CapturedOutput) -> bytes | _Refusal:
    """What a maker printed, without the line's end; or why that is no secret."""
    program, result = escape_unprintable(maker[0]), told.result
    if result.missing:
        return _Refusal(f"{program}, which makes it, is not found in PATH", of_host=True)
    if told.cut or len(told.out) > _LARGEST:
        return _Refusal(f"{program} printed more than {_LARGEST} bytes")
    if result.timed_out:
        return _Refusal(f"{program} did not end within {_DEADLINE:.0f} s")
    if result.code != 0:
        return _Refusal(f"{program} ended with exit code {result.code}{_complaint(app, told)}")
    secret = told.out.removesuffix(b"\n")
    return secret or _Refusal(f"{program} printed nothing")


def _complaint(app: App, told: CapturedOutput) -> str:
    """The end of what a maker wrote to its standard error, without any secret."""
    known = redaction((told.out, *read_slot_secrets(app.folder.parent)))
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
