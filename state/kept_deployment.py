"""What is recorded of a kept deployment: which parts were deployed, and when they were last up."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

Parts = Mapping[str, Mapping[str, str]]
"""The parts of a deployment, by name, such as "service app". Each has facts by name, such as its image."""


@frozen
class DeploymentRecord:
    """What is recorded of a kept deployment.

    * `generation`: the generation that was deployed.
    * `parts`: all parts that were deployed, each with facts about it.
    * `up_at`: when a pass last saw all parts up; None if no pass has yet.
    * `missing`: why the canonical is not deployed; "" if it is.
    """

    generation: int
    parts: Parts
    up_at: datetime | None = None
    missing: str = ""
