"""The README's way from a host with Docker to a canonical on Swarm, followed word for word."""

import os
import re
from pathlib import Path

from state.registry import SqliteRegistry
from tests.command import BIN, TREE, Canon
from tests.swarm.engine import Engine

BLOCK = re.compile(r"<!-- tried by tests/swarm/test_readme.py: the stack -->\n```sh\n(.*?)```", re.DOTALL)


def test_the_readme_leads_from_docker_to_a_canonical_on_swarm(engine: Engine, tmp_path: Path) -> None:
    found = BLOCK.search((TREE / "README.md").read_text())
    assert found is not None
    path = f"{BIN}:{engine.client}:{os.environ['PATH']}"
    image = f"{engine.registry}/nginx:1.22.1"
    canon = Canon(tmp_path, {"DOCKER_HOST": engine.host, "IMAGE": image, "PATH": path})
    said = canon.shell(found[1])
    assert said.code == 0, said.out + said.err
    have = SqliteRegistry(canon.state / "canon.db").read().canonicals["page"]
    assert (have.version, have.lineage) == ("1.0.0+1.28", ("1.0.0+1.28",))
    assert re.search(r"^page 1\.0\.0\+1\.28 [0-9a-f]{40} http://127\.0\.0\.1:\d+", said.out, re.MULTILINE)
    assert engine.below(canon.state) == frozenset()
