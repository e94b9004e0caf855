"""Release tags are checked by the real git, gpg and ssh-keygen against the keys in a fleet's folder."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from desired.model import Recipe
from desired.releases import Release, Signature
from reconciler.errors import InfrastructureError
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.signed_tag import SignatureKind, signature_of
from reconciler.host.git.tag_signatures import import_keys
from state.folder.folder import StateFolder
from state.records import Answer
from tests.repositories import UpstreamRepository

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
IDENTITY = {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}


@frozen
class SignedUpstream:
    """An upstream with signed tags, the mirror of it, and the fleet's folder of keys."""

    upstream: UpstreamRepository
    mirrors: GitMirrors
    recipe: Recipe
    home: Path

    @property
    def keys(self) -> Path:
        return self.mirrors.keys

    def ssh_key(self, name: str, *, known: bool = True) -> str:
        """Make an SSH key, and let the fleet know it. Returns its path."""
        key = self.home / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
        if known:
            public = key.with_suffix(".pub").read_text()
            with (self.keys / "allowed_signers").open("a") as file:
                file.write(f"{name}@example.org {public}")
        return str(key)

    def gpg_key(self, name: str, expires: str = "never", *, known: bool = True) -> str:
        """Make an OpenPGP key, and let the fleet know it. Returns its address."""
        address = f"{name}@example.org"
        self.gpg("--passphrase", "", "--quick-generate-key", f"{name} <{address}>", "ed25519", "sign", expires)
        if known:
            self.export(name)
        return address

    def export(self, name: str) -> None:
        (self.keys / f"{name}.asc").write_bytes(self.gpg("--armor", "--export", f"{name}@example.org"))

    def gpg(self, *arguments: str) -> bytes:
        argv = ["gpg", "--batch", "--quiet", *arguments]
        return subprocess.run(argv, env={**PATH, **self._environment}, capture_output=True, check=True).stdout

    @property
    def _environment(self) -> dict[str, str]:
        return {"GNUPGHOME": str(self.home / "gnupg"), "HOME": str(self.home), **IDENTITY}

    def sign(self, tag: str, key: str) -> None:
        """Tag the head with a signature, by SSH if `key` is a path. An existing tag of that name is replaced."""
        form = "ssh" if "/" in key else "openpgp"
        options = ["-c", f"gpg.format={form}", "-c", f"user.signingkey={key}"]
        argv = ["git", *options, "tag", "--force", "--sign", "-m", f"Release {tag}", tag, "main"]
        environment = {**PATH, **self._environment}
        subprocess.run(argv, cwd=self.upstream.path, env=environment, capture_output=True, check=True)

    def fetch(self, *anew: str) -> None:
        """Update the mirror to what upstream has; tags in `anew` even if they are there."""
        tags = {tag: self.upstream.git("rev-parse", f"{tag}^{{commit}}") for tag in self.upstream.git("tag").split()}
        head = self.upstream.head() or ""
        self.mirrors.update(self.recipe, Answer("x", "main", head, tags), tags, anew)

    def check(self, *tags: str) -> dict[str, Signature]:
        commits = {tag: self.upstream.git("rev-parse", f"{tag}^{{commit}}") for tag in tags}
        return dict(self.mirrors.signatures("notes", [Release(tag, commit) for tag, commit in commits.items()]))

    def verdict(self, tag: str) -> str:
        """Fetch, and return the signer of a tag, or why its signature is refused."""
        self.fetch()
        signature = self.check(tag)[tag]
        return signature.signer or signature.fault


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[SignedUpstream]:
    upstream = UpstreamRepository.make(tmp_path / "upstream.git")
    upstream.commit()
    home = tmp_path / "home"
    (home / "gnupg").mkdir(parents=True, mode=0o700)
    (tmp_path / "keys").mkdir()
    mirrors = GitMirrors(StateFolder(tmp_path / "state"), PATH, ("file",), keys=tmp_path / "keys")
    recipe = Recipe("notes", f"file://{upstream.path}", Path("/nowhere"))
    yield SignedUpstream(upstream, mirrors, recipe, home)
    if shutil.which("gpgconf"):
        subprocess.run(["gpgconf", "--kill", "all"], env={**PATH, "GNUPGHOME": str(home / "gnupg")}, check=False)


def test_a_plain_tag_and_an_annotated_tag_without_a_signature_are_refused(signed: SignedUpstream) -> None:
    signed.upstream.tag("1.0.0")
    signed.upstream.tag("1.1.0", annotated=True)
    assert signed.verdict("1.0.0") == "the tag is not annotated, so it has no signature"
    assert signed.verdict("1.1.0") == "the tag has no signature"


@pytest.mark.needs("ssh-keygen")
def test_a_tag_signed_by_an_ssh_key_is_good_only_if_the_fleet_knows_the_key(signed: SignedUpstream) -> None:
    signed.sign("1.0.0", signed.ssh_key("mallory", known=False))
    assert signed.verdict("1.0.0") == "the tag is signed by an SSH key, and the fleet has no such keys"
    signed.sign("1.1.0", signed.ssh_key("ada"))
    assert signed.verdict("1.1.0").startswith("ada@example.org (SHA256:")
    assert signed.verdict("1.0.0").startswith("it is signed by the key SHA256:")
    assert signed.verdict("1.0.0").endswith(", which is no key of the fleet")


@pytest.mark.needs("gpg")
def test_a_tag_signed_by_gpg_is_good_only_if_the_fleet_has_the_key_and_it_is_not_revoked(
    signed: SignedUpstream,
) -> None:
    ada, mallory = signed.gpg_key("ada"), signed.gpg_key("mallory", known=False)
    signed.sign("1.0.0", ada)
    signed.sign("1.1.0", mallory)
    assert signed.verdict("1.0.0").startswith("ada <ada@example.org> (")
    assert signed.verdict("1.1.0").endswith(", which is no key of the fleet")
    assert import_keys(signed.keys, PATH) == 1
    # gpg puts a colon before each revocation that it makes, against use by accident.
    for path in (signed.home / "gnupg" / "openpgp-revocs.d").glob("*.rev"):
        path.write_text(path.read_text().replace("\n:-----BEGIN", "\n-----BEGIN"))
        signed.gpg("--import", str(path))
    signed.export("ada")
    assert signed.verdict("1.0.0") == "it is signed by a key that is revoked"


@pytest.mark.needs("gpg")
def test_a_key_file_that_gpg_cannot_read_is_a_fault_of_this_host(signed: SignedUpstream) -> None:
    signed.sign("1.0.0", signed.gpg_key("ada"))
    signed.fetch()
    (signed.keys / "ada.asc").write_text("no key\n")
    with pytest.raises(InfrastructureError, match="cannot be imported"):
        signed.check("1.0.0")
    signed.export("ada")
    (signed.home / "bin").mkdir()
    (signed.home / "bin" / "git").symlink_to("/usr/bin/git")
    poor = {"PATH": str(signed.home / "bin")}
    mirrors = GitMirrors(signed.mirrors.state, poor, ("file",), keys=signed.keys)
    with pytest.raises(InfrastructureError, match="gpg: not found in PATH"):
        mirrors.signatures("notes", [Release("1.0.0", signed.upstream.head() or "")])


@pytest.mark.needs("ssh-keygen")
def test_the_signed_tag_of_another_release_and_a_changed_tag_are_refused(signed: SignedUpstream) -> None:
    signed.sign("1.0.0", signed.ssh_key("ada"))
    signed.upstream.git("update-ref", "refs/tags/2.0.0", signed.upstream.git("rev-parse", "1.0.0"))
    assert signed.verdict("2.0.0") == "the tag was signed as 1.0.0, and not as 2.0.0"
    forged = signed.upstream.git("cat-file", "tag", "1.0.0").replace("tag 1.0.0", "tag 3.0.0") + "\n"
    oid = signed.upstream.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=forged.encode())
    signed.upstream.git("update-ref", "refs/tags/3.0.0", oid)
    assert "not good" in signed.verdict("3.0.0")


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize("task", ["find-principals", "check-novalidate", "verify"])
def test_an_ssh_keygen_that_is_killed_is_a_fault_of_this_host_and_refuses_no_tag(
    signed: SignedUpstream, task: str
) -> None:
    signed.sign("1.0.0", signed.ssh_key("ada"))
    signed.sign("1.1.0", signed.ssh_key("mallory", known=False))
    signed.fetch()
    (signed.home / "bin").mkdir()
    program = signed.home / "bin" / "ssh-keygen"
    program.write_text(f'#!/bin/sh\n[ "$2" = {task} ] && kill -9 $$\nexec /usr/bin/ssh-keygen "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{signed.home / 'bin'}:{PATH['PATH']}"}
    mirrors = GitMirrors(signed.mirrors.state, environment, ("file",), keys=signed.keys)
    tag = "1.1.0" if task == "check-novalidate" else "1.0.0"
    # git itself is ended if it was still writing to the killed program.
    ended = "(.*died of signal 9|git was ended by SIGPIPE)"
    with pytest.raises(InfrastructureError, match=f"signature of {tag} could not be checked: {ended}"):
        mirrors.signatures("notes", [Release(tag, signed.upstream.head() or "")])


@pytest.mark.needs("ssh-keygen")
def test_git_without_a_folder_for_temporary_files_is_a_fault_of_this_host(signed: SignedUpstream) -> None:
    signed.sign("1.0.0", signed.ssh_key("ada"))
    signed.fetch()
    environment = {**PATH, "TMPDIR": str(signed.home / "gone")}
    mirrors = GitMirrors(signed.mirrors.state, environment, ("file",), keys=signed.keys)
    with pytest.raises(InfrastructureError, match="could not be checked: could not create temporary file"):
        mirrors.signatures("notes", [Release("1.0.0", signed.upstream.head() or "")])


@pytest.mark.needs("ssh-keygen")
def test_a_key_that_the_fleet_lets_expire_is_not_called_a_key_of_nobody(signed: SignedUpstream) -> None:
    signed.sign("1.0.0", signed.ssh_key("ada"))
    signers = signed.keys / "allowed_signers"
    signers.write_text(signers.read_text().replace(" ssh-", ' valid-before="20200101" ssh-'))
    assert "allowed_signers:1: key has expired" in signed.verdict("1.0.0")


@pytest.mark.parametrize(
    ("kind", "said", "fault"),
    [
        (SignatureKind.PGP, "[GNUPG:] NODATA 1", "its signature cannot be read"),
        (SignatureKind.PGP, "[GNUPG:] ERRSIG AB 22 8 00 1 4", "its signature is of a kind that gpg does not check"),
        (SignatureKind.PGP, "[GNUPG:] NEWSIG\n[GNUPG:] NEWSIG", "it has more than one signature"),
        (SignatureKind.PGP, "[GNUPG:] NEWSIG", None),
        (SignatureKind.PGP, "[GNUPG:] BADSIG AB ada\nerror: gpg died of signal 9", None),
        (SignatureKind.SSH, "Couldn't verify signature: memory allocation failed", None),
        (SignatureKind.SSH, 'Good "git" signature with ED25519 key SHA256:x', None),
        (SignatureKind.SSH, "", None),
    ],
)
def test_a_signature_is_refused_only_by_words_that_judge_it(kind: SignatureKind, said: str, fault: str | None) -> None:
    signature = signature_of(kind, said.encode(), succeeded=False)
    assert (signature.fault if signature is not None else None) == fault


@pytest.mark.needs("ssh-keygen")
def test_a_tag_that_is_signed_later_on_the_same_commit_is_good_once_it_is_fetched_anew(signed: SignedUpstream) -> None:
    signed.upstream.tag("1.0.0", annotated=True)
    assert signed.verdict("1.0.0") == "the tag has no signature"
    signed.sign("1.0.0", signed.ssh_key("ada"))
    assert signed.verdict("1.0.0") == "the tag has no signature"
    signed.fetch("1.0.0")
    assert signed.verdict("1.0.0").startswith("ada@example.org (SHA256:")


@pytest.mark.needs("ssh-keygen")
def test_every_tag_that_is_asked_for_is_checked_and_one_that_is_not_here_is_left_out(signed: SignedUpstream) -> None:
    key, tags = signed.ssh_key("ada"), ("1.3.0", "1.2.0", "1.1.0", "1.0.0")
    for tag in tags:
        signed.sign(tag, key)
    assert signed.check("1.2.0") == {}
    signed.fetch()
    signed.sign("1.4.0", key)
    assert {tag: each.fault for tag, each in signed.check("1.4.0", *tags).items()} == dict.fromkeys(tags, "")
