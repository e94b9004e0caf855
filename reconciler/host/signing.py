"""Puts statements into DSSE envelopes, and signs them with ssh-keygen or gpg."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.run import capture

if TYPE_CHECKING:
    from securesystemslib.signer._signature import Signature

NAMESPACE: Final = "canon"
"""The namespace of the signatures that ssh-keygen makes. To verify one: `ssh-keygen -Y verify -n canon`."""

_SECONDS: Final = 60.0
_SSH, _GPG = "ssh:", "gpg:"


@frozen
class KeyAttestor:
    """Puts statements into DSSE envelopes, and signs the envelopes: implements the port Attestor.

    `key` is "ssh:" and the path of a key, "gpg:" and the id of a key, or "" for no signature. `environment` is the
    environment of child processes.
    """

    key: str
    environment: Mapping[str, str]

    def envelope(self, statement: Mapping[str, object], payload_type: str) -> Mapping[str, object]:
        from securesystemslib.dsse import Envelope

        payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode("ascii")
        envelope = Envelope(payload, payload_type, {})
        if self.key:
            signature = self._signature(envelope.pae())
            envelope.signatures[signature.keyid] = signature
        return dict(envelope.to_dict())

    def _signature(self, message: bytes) -> "Signature":
        """Return the signature of the bytes `message` by the key `key`.

        The key id in the signature is the fingerprint of an ssh key, or the declared id of a gpg key. Raise
        InfrastructureError if the program that signs fails or is missing.
        """
        from securesystemslib.signer._signature import Signature

        if self.key.startswith(_SSH):
            file = self.key.removeprefix(_SSH)
            signed = self._run(("ssh-keygen", "-Y", "sign", "-f", file, "-n", NAMESPACE), message)
            listed = self._run(("ssh-keygen", "-l", "-f", file)).decode("ascii", "replace").split()
            return Signature(listed[1], signed.hex())
        name = self.key.removeprefix(_GPG)
        signed = self._run(("gpg", "--batch", "--local-user", name, "--detach-sign"), message)
        return Signature(name, signed.hex())

    def _run(self, argv: tuple[str, ...], stdin: bytes = b"") -> bytes:
        """Run the program `argv`, which signs, with `stdin` as its input. Return what it printed.

        Raise InfrastructureError if the program fails or is missing.
        """
        output = capture(CommandSpec(argv, self.environment, Path("/"), _SECONDS, stdin))
        if output.result.missing:
            raise InfrastructureError(f"{argv[0]}: not found in PATH", f"it signs evidence with {self.key}: install it")
        if not output.ok:
            lines = output.err.decode("utf-8", "backslashreplace").strip().splitlines()
            why = lines[-1] if lines else "no reason given"
            raise InfrastructureError(f"evidence cannot be signed with {self.key}: {why}", "see [fleet] sign")
        return output.out
