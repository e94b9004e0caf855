"""Parses the YAML that Docker's client prints, by the quoting rules of Go's YAML writer."""

import math
import re
from typing import Any

import yaml

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.text import one_line


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads true, false, null and decimal numbers. Any other value without quotes is a string.

    Go's writer quotes a string only if it looks like true, false, null or a decimal number. PyYAML by itself would also
    read dates, and numbers in base 2, 8, 16 or 60.
    """

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - the base class declares it so

    def number(self, node: yaml.ScalarNode) -> float | str:
        """Return the value of `node` as a float. If it is too large for a float, return it as a string.

        Go does not take such a large value for a number, and so writes a string like it without quotes.
        """
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
    """Parse the output of `docker stack config`. Return the configuration.

    If the output is not a mapping, return a configuration without services. Raise InfrastructureError if it is not
    valid YAML.
    """
    try:
        document = yaml.load(printed, _Loader)  # noqa: S506 - a SafeLoader with fewer rules
    except (yaml.YAMLError, ValueError) as failure:
        reason = one_line(str(failure).encode())
        raise InfrastructureError(f"docker stack config: cannot read what it printed: {reason}") from None
    return document if isinstance(document, dict) else {"services": {}}
