"""The compose file of an app that is made to fail."""

from collections.abc import Mapping

from tests.swarm.stacks import (
    SERVER,
    Service,
    service,
)

LABELS = {SERVER: "80"}


def app(script: str, condition: str = "any", labels: Mapping[str, str] = LABELS, **deploy: object) -> Service:
    """The service by which tests would reach a stack."""
    made = service(script, condition)
    return {**made, "deploy": {**made["deploy"], "labels": labels, **deploy}}
