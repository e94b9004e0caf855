"""Stories of a modelled fleet."""

from tests.modelled_world import ModelledWorld


def released(driven: ModelledWorld) -> None:
    driven.publish("alpha", "1.0.0")
    driven.one_pass(["alpha"])


def upgraded(driven: ModelledWorld) -> None:
    released(driven)
    driven.publish("alpha", "2.0.0")
