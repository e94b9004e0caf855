"""Synapse is of the release that is tried: the tag's part after the `+`."""

import os
import sys

from synapse import ask

found = ask("GET", "/_synapse/admin/v1/server_version")["server_version"]
if f"v{found}" != os.environ["VERSION"].partition("+")[2]:
    sys.exit(f"Synapse {found} answers, not {os.environ['VERSION']}")
print(f"Synapse {found} answers")
