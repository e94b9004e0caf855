"""What is recorded of a kept deployment: the parts that were deployed."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

Parts = Mapping[str, Mapping[str, str]]
"""The parts of a deployment, by name, such as "service app". Each has facts by name, such as its image."""


@frozen
class DeploymentRecord:
    """What is recorded of a kept deployment. `generation` is the generation that was deployed.

    `parts` are all parts that were deployed. `up_at` is the last time when a pass saw all of them up, None if none did.
    `missing` is the reason why the canonical is not deployed, "" if it was deployed.
    """

    generation: int
    parts: Parts
    up_at: datetime | None = None
    missing: str = ""
