"""What signs the evidence of promotions."""

from collections.abc import Mapping
from typing import Protocol


class Attestor(Protocol):
    """Puts statements into envelopes, signed if a key is configured."""

    def envelope(self, statement: Mapping[str, object], payload_type: str) -> Mapping[str, object]:
        """Return the DSSE envelope of a statement as plain JSON data. Raise InfrastructureError if signing fails."""
