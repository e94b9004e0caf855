"""The members of a tar, whether their headers are those that are written today or have to be parsed."""

import io
import tarfile
from collections.abc import Iterator

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from state.snapshots.headers import header
from state.snapshots.manifest import SealedEntry
from state.snapshots.members import members
from state.snapshots.sealed_files import MismatchError


def entry(number: int, size: int) -> SealedEntry:
    return SealedEntry(f"file-{number}", "file", 0o600, 0, 0, 10**18, size)


def tar_of(entries: list[SealedEntry], parsed: list[bool]) -> bytes:
    """Return a tar whose files hold their number; a time in parts of a second makes a header that must be parsed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number, (one, is_parsed) in enumerate(zip(entries, parsed, strict=True)):
            info = header(one)
            info.pax_headers = {"mtime": "1000000000.5"} if is_parsed else {}
            tar.addfile(info, io.BytesIO(bytes([number]) * one.size))
    return made.getvalue()


def in_chunks(content: bytes, length: int) -> Iterator[bytes]:
    return (content[at : at + length] for at in range(0, len(content), length))


@given(
    files=st.lists(st.tuples(st.integers(0, 1200), st.booleans()), max_size=6),
    length=st.integers(1, 3000),
    reads=st.booleans(),
)
def test_each_member_comes_with_its_content_whoever_wrote_the_others(
    files: list[tuple[int, bool]], length: int, *, reads: bool
) -> None:
    entries = [entry(number, size) for number, (size, _) in enumerate(files)]
    tar = tar_of(entries, [is_parsed for _, is_parsed in files])
    found = []
    for number, member in enumerate(members(in_chunks(tar, length), entries)):
        found.append(member.entry)
        assert member.content is not None
        if reads:
            assert member.content.read(entries[number].size) == bytes([number]) * entries[number].size
    assert found == entries


IMPOSSIBLE = {
    "of no kind": evolve(entry(0, 3), type="door"),
    "a name that is no text": evolve(entry(0, 3), path="\ud800"),
    "a mode with too many digits": evolve(entry(0, 3), mode=1 << 60, path="é"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_entry_that_no_tar_can_have_differs_from_the_tar(name: str) -> None:
    with pytest.raises(MismatchError, match="differ at entry 1"):
        list(members(iter([tar_of([entry(0, 3)], [False])]), [IMPOSSIBLE[name]]))


@pytest.mark.parametrize("is_parsed", [False, True])
def test_a_member_after_the_last_entry_is_other_data(*, is_parsed: bool) -> None:
    entries = [entry(0, 3), entry(1, 0)]
    with pytest.raises(MismatchError, match="the tar is followed by other data"):
        list(members(iter([tar_of(entries, [is_parsed, is_parsed])]), entries[:1]))


@pytest.mark.parametrize("is_parsed", [False, True])
def test_an_entry_after_the_last_member_differs_from_the_tar(*, is_parsed: bool) -> None:
    entries = [entry(0, 3), entry(1, 0)]
    with pytest.raises(MismatchError, match="differ at entry 2"):
        list(members(iter([tar_of(entries[:1], [is_parsed])]), entries))
