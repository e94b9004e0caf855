"""The README's way from a host with Docker to a canonical on Swarm, followed word for word."""

import os
import re
from pathlib import Path

from state.registry.registry import SqliteRegistry
from tests.reconcile_command import BIN, TREE, CanonCommand
from tests.repositories import UpstreamRepository
from tests.swarm.local_engine import LocalEngine
from tests.swarm.recipe_upstreams import release

BLOCK = re.compile(
    r"<!-- tried by tests/swarm/test_readme.py: (?P<name>[a-z ]+) -->\n```sh\n(?P<text>.*?)```", re.DOTALL
)
WIKI = "1.0.0+1"


def test_the_readme_leads_from_docker_to_a_canonical_on_swarm(engine: LocalEngine, tmp_path: Path) -> None:
    blocks = {match["name"]: match["text"] for match in BLOCK.finditer((TREE / "README.md").read_text())}
    upstream = UpstreamRepository.make(tmp_path / "wiki.git")
    release(upstream, "wiki", WIKI)
    path = f"{BIN}:{engine.client}:{os.environ['PATH']}"
    image = f"{engine.registry}/nginx:1.22.1"
    canon = CanonCommand(tmp_path, {"DOCKER_HOST": engine.host, "IMAGE": image, "PATH": path})
    said = canon.shell(blocks["the stack"])
    assert said.code == 0, said.out + said.err
    # In the same shell, as far as a reader goes; apart, as far as each may take long on a busy machine.
    shell = 'export RECONCILE_FLEET="$PWD/fleet" RECONCILE_STATE="$PWD/state"'
    wiki = canon.shell(f"{shell}\nUPSTREAM=file://{upstream.path}\n{blocks['the wiki']}")
    assert wiki.code == 0, wiki.out + wiki.err
    have = SqliteRegistry(canon.state / "canon.db").read().canonicals
    assert {name: one.lineage for name, one in have.items()} == {"page": ("1.0.0+1.28",), "wiki": (WIKI,)}
    assert re.search(r"^page 1\.0\.0\+1\.28 [0-9a-f]{40} http://127\.0\.0\.1:\d+", said.out, re.MULTILINE)
    assert engine.below(canon.state) == frozenset()
