"""Tests which archives count as whole."""

import gzip
import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.swarm.engine.tar_end import TarEnd

BLOCK = 512
LONG = "long/" * 60
FILES = st.dictionaries(
    st.sampled_from(["a", "b", LONG + "c", "size=1"]),
    st.sampled_from([b"", b"x", bytes(4096), b"y" * 1500]),
    max_size=4,
)
KINDS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


def archive_of(files: dict[str, bytes], kind: int) -> bytes:
    """Return an archive with a folder, a link and these files, and with two blocks of zeros at its end."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as archive:
        for type_, name in ((tarfile.DIRTYPE, "data"), (tarfile.SYMTYPE, "data/link")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = type_, "a" if type_ == tarfile.SYMTYPE else ""
            archive.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(f"data/{name}")
            member.size, member.pax_headers = len(data), {"SCHILY.xattr.user.a": "\n11 size=77\n"}
            archive.addfile(member, io.BytesIO(data))
        end = archive.offset
    return made.getvalue()[:end] + bytes(2 * BLOCK)


def is_complete(archive: bytes, piece: int, *, is_gzip: bool = False) -> bool:
    end = TarEnd(is_gzip=is_gzip)
    for chunk in pieces(archive, piece):
        end.feed(chunk)
    return end.is_complete


def pieces(archive: bytes, size: int) -> Iterator[bytes]:
    return (archive[at : at + size] for at in range(0, len(archive), size))


@given(files=FILES, kind=KINDS, piece=st.integers(1, 3000), is_gzip=st.booleans())
def test_a_whole_archive_counts_as_whole_however_it_comes(
    files: dict[str, bytes], kind: int, piece: int, *, is_gzip: bool
) -> None:
    archive = archive_of(files, kind)
    sent = gzip.compress(archive) if is_gzip else archive
    assert is_complete(sent, piece, is_gzip=is_gzip)


@given(files=FILES, kind=KINDS, is_gzip=st.booleans(), data=st.data())
def test_an_archive_that_is_cut_does_not_count_as_whole_even_after_a_file_of_zeros(
    files: dict[str, bytes], kind: int, *, is_gzip: bool, data: st.DataObject
) -> None:
    """Its compression may still end as it should."""
    archive = archive_of(files, kind)
    blocks = st.integers(0, len(archive) // BLOCK - 1).map(lambda number: number * BLOCK)
    cut = archive[: data.draw(blocks | st.integers(0, len(archive) - 1))]
    assert not is_complete(gzip.compress(cut) if is_gzip else cut, 700, is_gzip=is_gzip)


def test_a_compressed_archive_that_is_cut_does_not_count_as_whole() -> None:
    sent = gzip.compress(archive_of({"a": b"x" * 3000}, tarfile.PAX_FORMAT))
    assert [cut for cut in range(len(sent)) if is_complete(sent[:cut], 100, is_gzip=True)] == []


@pytest.mark.parametrize("is_gzip", [True, False])
def test_what_is_no_archive_or_has_an_error_at_its_end_does_not_count_as_whole(*, is_gzip: bool) -> None:
    archive = archive_of({"a": b"x"}, tarfile.PAX_FORMAT)
    error = b'{"message":"unexpected EOF"}'
    whole = gzip.compress(archive) if is_gzip else archive
    assert is_complete(whole, 100, is_gzip=is_gzip)
    assert not is_complete(whole + error, 100, is_gzip=is_gzip)
    assert not is_complete(whole + error.ljust(BLOCK), 100, is_gzip=is_gzip)
    assert not is_complete(b"tar" * 1000 + bytes(1024), 100, is_gzip=is_gzip)


def test_a_size_that_only_a_pax_header_tells_counts() -> None:
    """So it is for files of 8 GiB and more. The file itself seems to end with the archive."""
    size = 2 * BLOCK
    header = tarfile.TarInfo("data/a")
    record = f"13 size={size}\n".encode()
    pax = tarfile.TarInfo("PaxHeaders.0/a")
    pax.type, pax.size = tarfile.XHDTYPE, len(record)
    assert len(record) == 13
    begin = pax.tobuf(tarfile.USTAR_FORMAT) + record.ljust(BLOCK, b"\0") + header.tobuf(tarfile.USTAR_FORMAT)
    assert not is_complete(begin + bytes(size), 100)
    assert is_complete(begin + bytes(size) + bytes(2 * BLOCK), 100)
