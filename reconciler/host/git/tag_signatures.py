"""Checks the signatures of release tags with the keys of the fleet. git calls gpg for OpenPGP and ssh-keygen for SSH.

Only the keys in the fleet's folder count. The user's own keyring and settings of git are not read.
"""

import shutil
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attrs import frozen

from desired.declarations.sources import ALLOWED_SIGNERS, pgp_keys
from desired.releases import Release, Signature
from reconciler.errors import InfrastructureError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.git.git_command import error_line
from reconciler.host.git.repository import Repository
from reconciler.host.git.signed_tag import SignatureKind, TagObject, read_batch, refused_before, signature_of
from reconciler.host.run import CapturedOutput, capture

_SECONDS: Final = 60.0
# Nothing but the fleet's own keys decides, no key is looked up elsewhere, and no agent is started and left running.
_GPG_CONF: Final = "trust-model always\nno-auto-key-retrieve\nno-autostart\n"
PROGRAMS: Final[Mapping[SignatureKind, str]] = {SignatureKind.PGP: "gpg", SignatureKind.SSH: "ssh-keygen"}
"""The program that git runs to check each kind of signature."""


def check_tags(repository: Repository, keys: Path, releases: Sequence[Release]) -> dict[str, Signature]:
    """Check the signatures of the tags of `releases` with the keys in the folder `keys`. Return the results by tag.

    The results are in the order of `releases`. A tag is left out if `repository` lacks it, or if the tag is on another
    commit than the release. Raise InfrastructureError if a signature cannot be checked, for example because gpg is
    missing.
    """
    held = repository.refs().tags
    there = {
        each.version: held[each.version].named
        for each in releases
        if each.version in held and held[each.version].peeled == each.commit
    }
    objects = read_batch(repository.run("cat-file", "--batch", stdin=_lines(there.values())))
    with _key_checker(repository, keys) as checker:
        return {tag: checker.check(tag, objects.get(oid)) for tag, oid in there.items()}


def import_keys(keys: Path, environment: Mapping[str, str]) -> int:
    """Try to import all OpenPGP key files in the folder `keys`, into a temporary keyring of gpg. Return their number.

    `environment` is the environment of gpg. Raise InfrastructureError if gpg is missing, or refuses a file.
    """
    files = pgp_keys(keys)
    if files:
        with TemporaryDirectory(prefix="canon-keys-") as home:
            _fill_keyring(Path(home), files, environment)
    return len(files)


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


@frozen
class _KeyChecker:
    """Checks the signatures of tags of one repository with the keys in the folder `keys`.

    `home` is a temporary folder for the keyring of gpg. The keyring is filled before the first OpenPGP signature is
    checked.
    """

    repository: Repository
    keys: Path
    home: Path

    def check(self, tag: str, tag_object: TagObject | None) -> Signature:
        if fault := refused_before(tag, tag_object, self._has_keys):
            return Signature(fault=fault)
        assert tag_object is not None  # noqa: S101  refused before
        self._prepare(tag_object.kind)
        output = self.repository.try_run(*self._settings(), "verify-tag", "--raw", tag_object.oid, variables=self._home)
        signature = None
        if output.result.code is not None and output.result.code >= 0:
            signature = signature_of(tag_object.kind, output.err, succeeded=output.ok)
        if signature is None:
            raise InfrastructureError(f"the signature of {tag} could not be checked: {self._why_unchecked(output)}")
        return signature

    def _why_unchecked(self, output: CapturedOutput) -> str:
        """Return why git could not judge a signature. Raise InfrastructureError if git itself did not run."""
        if output.result.missing or output.result.timed_out:
            self.repository.printed("verify-tag", output)
        code = output.result.code
        if code is not None and code < 0 and not output.err.strip():
            # By SIGPIPE if git was still writing to the program that checks, and that program was killed.
            return f"git was ended by {signal.Signals(-code).name}"
        return error_line(output.err)

    def _has_keys(self, kind: SignatureKind) -> bool:
        return bool(pgp_keys(self.keys)) if kind is SignatureKind.PGP else (self.keys / ALLOWED_SIGNERS).is_file()

    @property
    def _home(self) -> Mapping[str, str]:
        return {"GNUPGHOME": str(self.home)}

    def _settings(self) -> Iterator[str]:
        settings = {
            "gpg.program": "gpg",
            "gpg.ssh.program": "ssh-keygen",
            "gpg.ssh.allowedSignersFile": str((self.keys / ALLOWED_SIGNERS).absolute()),
        }
        for name, value in settings.items():
            yield from ("-c", f"{name}={value}")

    def _prepare(self, kind: SignatureKind) -> None:
        """Prepare to check signatures of this kind. For OpenPGP, fill the keyring if it is empty.

        Raise InfrastructureError if the program that checks such signatures is missing, or if the keys cannot be
        imported.
        """
        environment = {**self.repository.environment, **self._home}
        if kind is SignatureKind.SSH:
            _require(PROGRAMS[kind], environment)
        elif not any(self.home.iterdir()):
            _fill_keyring(self.home, pgp_keys(self.keys), environment)


@contextmanager
def _key_checker(repository: Repository, keys: Path) -> Iterator[_KeyChecker]:
    with TemporaryDirectory(prefix="canon-keys-") as home:
        yield _KeyChecker(repository, keys, Path(home))


def _fill_keyring(home: Path, files: Sequence[Path], environment: Mapping[str, str]) -> None:
    """Import the OpenPGP keys in `files` (at least one file) into a new keyring of gpg in the folder `home`.

    Raise InfrastructureError if gpg is missing or fails.
    """
    _require(PROGRAMS[SignatureKind.PGP], environment)
    (home / "gpg.conf").write_text(_GPG_CONF, "ascii")
    argv = ("gpg", "--batch", "--quiet", "--import", *(str(file.absolute()) for file in files))
    output = capture(CommandSpec(argv, {**environment, "GNUPGHOME": str(home)}, Path("/"), _SECONDS))
    if not output.ok:
        folder = files[0].parent
        raise InfrastructureError(
            f"the keys in {folder} cannot be imported: {error_line(output.err)}", "see: gpg --show-keys"
        )


def _require(program: str, environment: Mapping[str, str]) -> None:
    if shutil.which(program, path=environment.get("PATH", "")) is None:
        raise InfrastructureError(
            f"{program}: not found in PATH", "it checks signed tags ([release] signed): install it"
        )
