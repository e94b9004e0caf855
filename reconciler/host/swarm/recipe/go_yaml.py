"""The YAML that Docker's client prints, by the rules of its own writer."""

import math
import re
from typing import Any

import yaml

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.text import one_line


class _Loader(yaml.SafeLoader):
    """Knows what Go's writer leaves without quotes: anything else that looks like more than a string is one.

    YAML 1.1, as read by default, also finds dates in there, numbers in base 2, 8, 16 and 60, and signs of its own.
    """

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - as it is in what this goes without

    def number(self, node: yaml.ScalarNode) -> float | str:
        """One too large for Go's numbers is a string to its writer."""
        value: float = self.construct_yaml_float(node)
        return str(node.value) if math.isinf(value) and "inf" not in node.value else value


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.number)


for _kind, _plain, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_plain})\Z"), list(_first))


def read_config(printed: bytes) -> Config:
    """What `docker stack config` printed. Raises InfrastructureError where it is not to be read."""
    try:
        document = yaml.load(printed, _Loader)  # noqa: S506 - a SafeLoader with fewer rules
    except (yaml.YAMLError, ValueError) as failure:
        said = one_line(str(failure).encode())
        raise InfrastructureError(f"docker stack config: cannot read what it printed: {said}") from None
    return document if isinstance(document, dict) else {"services": {}}
