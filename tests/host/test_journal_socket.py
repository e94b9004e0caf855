"""Entries as the journal gets them, and when a process runs under the journal."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.journal_socket import datagram, runs_under_journal, send_entries

ENTRIES = st.dictionaries(st.from_regex("[A-Z][A-Z_]{0,8}", fullmatch=True), st.text(st.characters(codec="utf-8")))
ROOT = Path(__file__).parent.parent.parent


def read_back(sent: bytes) -> Mapping[str, str]:
    """Read an entry as systemd documents its native protocol."""
    found: dict[str, str] = {}
    while sent:
        line, _, rest = sent.partition(b"\n")
        name, has_value, value = line.partition(b"=")
        if has_value:
            found[name.decode()], sent = value.decode(), rest
            continue
        size = int.from_bytes(rest[:8], "little")
        found[name.decode()], sent = rest[8 : 8 + size].decode(), rest[8 + size + 1 :]
    return found


@given(ENTRIES)
def test_an_entry_is_read_back_as_it_was_sent(entry: Mapping[str, str]) -> None:
    assert read_back(datagram(entry)) == entry


def test_each_entry_is_one_datagram(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        send_entries([{"RECIPE": "notes"}, {"RECIPE": "wiki"}], path)
        assert [journal.recv(1000) for _ in range(2)] == [b"RECIPE=notes\n", b"RECIPE=wiki\n"]


def test_a_missing_journal_raises_no_error(tmp_path: Path) -> None:
    send_entries([{"RECIPE": "notes"}], tmp_path / "missing")


def test_a_process_runs_under_the_journal_only_if_a_stream_is_the_named_one(tmp_path: Path) -> None:
    ask = "import os; from reconciler.host.journal_socket import runs_under_journal as under; print(under(os.environ))"

    def answer(stream: str | None) -> str:
        named = {"JOURNAL_STREAM": stream} if stream is not None else {}
        with (tmp_path / "out").open("w") as out:
            environment = {"PYTHONPATH": str(ROOT), **named}
            subprocess.run([sys.executable, "-c", ask], stdout=out, env=environment, check=True)
        return (tmp_path / "out").read_text().strip()

    (tmp_path / "out").touch()
    info = (tmp_path / "out").stat()
    assert answer(f"{info.st_dev}:{info.st_ino}") == "True"
    assert answer(f"{info.st_dev}:{info.st_ino + 1}") == "False"
    assert answer(None) == "False"
    assert runs_under_journal({**os.environ, "JOURNAL_STREAM": ""}) is False
