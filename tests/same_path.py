"""Commands that find a folder of their own at a path where others find another: as in a container."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

from state.folder.folder import StateFolder
from tests.command import Canon

_BOUND = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'

needs_mounts = pytest.mark.needs("root", "unshare", "mount")


@frozen
class Bound:
    """A Canon whose state folder `canon.state` is found at `path`, by itself alone."""

    canon: Canon
    path: Path

    @classmethod
    def at(cls, path: Path, canon: Canon) -> "Bound":
        for folder in (path, canon.state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(canon, path)

    def argv(self, *words: str) -> list[str]:
        namespace = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BOUND, "sh"]
        return [*namespace, str(self.canon.state), str(self.path), "reconcile", *words]

    @property
    def environment(self) -> Mapping[str, str]:
        return {**self.canon.environment, "RECONCILE_STATE": str(self.path)}

    @property
    def state(self) -> StateFolder:
        """As we see it, who are in no namespace of its own."""
        return StateFolder(self.canon.state)
