"""The protocol of what signs the evidence of promotions."""

from collections.abc import Mapping
from typing import Protocol


class Attestor(Protocol):
    """Puts statements about promotions into DSSE envelopes: JSON with a payload and its signatures.

    An envelope is signed if a key is configured.
    """

    def envelope(self, statement: Mapping[str, object], payload_type: str) -> Mapping[str, object]:
        """Return the DSSE envelope that contains `statement`, as JSON data.

        `payload_type` is the media type of the statement. If no key is configured, the list of signatures is empty.
        Raise InfrastructureError if signing fails.
        """
