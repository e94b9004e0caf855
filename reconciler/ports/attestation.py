"""The protocol of what signs the evidence of promotions."""

from collections.abc import Mapping
from typing import Protocol


class Attestor(Protocol):
    """Puts statements into DSSE envelopes: JSON with a payload and its signatures.

    The envelope is signed if a key is configured.
    """

    def envelope(self, statement: Mapping[str, object], payload_type: str) -> Mapping[str, object]:
        """Return the DSSE envelope of a statement as plain JSON data.

        `payload_type` is the media type of the statement. Without a key, the envelope has no signature. Raise
        InfrastructureError if signing fails.
        """
