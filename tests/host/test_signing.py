"""The evidence of a promotion is signed, and other programs verify it."""

import subprocess
from pathlib import Path

import pytest

from reconciler.core.test_result import PAYLOAD_TYPE, statement_of
from reconciler.errors import InfrastructureError
from reconciler.host.signing import NAMESPACE, KeyAttestor
from tests.envelopes import opened, validated
from tests.values import canonical

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
STATEMENT = statement_of(canonical("1.0.0", "1" * 40), "https://forge.example/notes.git")


@pytest.fixture
def ssh_key(tmp_path: Path) -> Path:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", key], check=True)
    return key


def verified_by_ssh(tmp_path: Path, key: Path, message: bytes, signature: bytes) -> bool:
    (tmp_path / "allowed").write_text(f"ada {key.with_suffix('.pub').read_text()}")
    (tmp_path / "signature").write_bytes(signature)
    options = ["-f", str(tmp_path / "allowed"), "-I", "ada", "-n", NAMESPACE, "-s", str(tmp_path / "signature")]
    done = subprocess.run(["ssh-keygen", "-Y", "verify", *options], input=message, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.needs("ssh-keygen")
def test_ssh_keygen_verifies_what_an_ssh_key_signed_and_refuses_another_byte(tmp_path: Path, ssh_key: Path) -> None:
    envelope = KeyAttestor(f"ssh:{ssh_key}", PATH).envelope(STATEMENT, PAYLOAD_TYPE)
    assert validated(envelope) == STATEMENT
    read = opened(envelope)
    (signature,) = read.signatures.values()
    signed = bytes.fromhex(signature.signature)
    assert signature.keyid.startswith("SHA256:")
    assert verified_by_ssh(tmp_path, ssh_key, read.pae(), signed)
    assert not verified_by_ssh(tmp_path, ssh_key, read.pae().replace(b"PASSED", b"FAILED"), signed)


@pytest.mark.needs("gpg")
def test_gpg_verifies_what_a_gpg_key_signed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".gnupg").mkdir(parents=True, mode=0o700)
    environment = {**PATH, "HOME": str(home)}
    try:
        made = [
            "gpg",
            "--batch",
            "--passphrase",
            "",
            "--quick-generate-key",
            "Ada <ada@example.org>",
            "ed25519",
            "sign",
        ]
        subprocess.run(made, env=environment, capture_output=True, check=True)
        listed = subprocess.run(
            ["gpg", "--list-keys", "--with-colons"], env=environment, capture_output=True, check=True
        )
        (key,) = [line.split(":")[9] for line in listed.stdout.decode().splitlines() if line.startswith("fpr")]
        read = opened(KeyAttestor(f"gpg:{key}", environment).envelope(STATEMENT, PAYLOAD_TYPE))
        (tmp_path / "signature").write_bytes(bytes.fromhex(read.signatures[key].signature))
        verify = ["gpg", "--verify", str(tmp_path / "signature"), "-"]
        assert (
            subprocess.run(verify, env=environment, input=read.pae(), capture_output=True, check=False).returncode == 0
        )
        other = subprocess.run(verify, env=environment, input=read.pae() + b" ", capture_output=True, check=False)
        assert other.returncode != 0
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False)


def test_without_a_key_the_envelope_has_no_signature() -> None:
    envelope = KeyAttestor("", PATH).envelope(STATEMENT, PAYLOAD_TYPE)
    assert (envelope["signatures"], validated(envelope)) == ([], STATEMENT)


@pytest.mark.needs("ssh-keygen")
def test_a_key_that_is_missing_is_a_fault_of_the_host(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"evidence cannot be signed with ssh:.*missing"):
        KeyAttestor(f"ssh:{tmp_path}/missing", PATH).envelope(STATEMENT, PAYLOAD_TYPE)
