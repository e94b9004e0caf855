"""Files of several users in a snapshot: they keep their owners, and a root that may not set owners says so."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.state.file_trees import SNAPSHOTS

pytestmark = pytest.mark.needs("root", "setpriv")

ROOT = Path(__file__).parents[2]
UNPACK = """
import pickle, sys
from pathlib import Path
from state.snapshots.snapshots import SealedSnapshots
from state.state_errors import SnapshotError
try:
    SealedSnapshots().unpack(Path(sys.argv[1]), pickle.load(sys.stdin.buffer), Path(sys.argv[2]))
except SnapshotError as refused:
    print(refused.message, refused.hint, sep="; ")
"""


@pytest.mark.parametrize("name", ["file", "folder"])
def test_root_without_the_right_to_set_owners_says_which_one_it_lacks(tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    (source / "file").write_text("of another user")
    os.chown(source / name, 12345, 12345)
    seal = SNAPSHOTS.seal(source, tmp_path / "sealed", {})
    SNAPSHOTS.unpack(tmp_path / "sealed", seal, tmp_path / "by root")
    assert (tmp_path / "by root" / name).stat().st_uid == 12345

    unpack = [sys.executable, "-c", UNPACK, str(tmp_path / "sealed"), str(tmp_path / "out")]
    less = ["setpriv", "--inh-caps=-all", "--bounding-set=-chown", *unpack]
    done = subprocess.run(less, cwd=ROOT, input=pickle.dumps(seal), capture_output=True, check=True)
    said = done.stdout.decode()
    assert said.startswith(f"'{name}' belongs to user 12345, ")
    assert "CAP_CHOWN" in said
    assert not (tmp_path / "out").exists()
