"""What is compressed comes back, whatever the sizes in which it is written and read."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.snapshots.compression import CompressingWriter, ForwardReader, decompressed, plain

CHUNKS = st.lists(st.binary(max_size=30), max_size=12)
STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=12)


@given(CHUNKS)
def test_a_compressed_file_has_what_was_written(written: list[bytes]) -> None:
    file = io.BytesIO()
    writer = CompressingWriter(file)
    for data in written:
        writer.write(data)
    writer.finish()
    file.seek(0)
    assert b"".join(decompressed(file)) == b"".join(written)
    assert writer.size == len(b"".join(written))


@given(CHUNKS, STEPS)
def test_peeking_reading_and_skipping_forward_gives_what_a_plain_file_gives(
    chunks: list[bytes], steps: list[tuple[bool, int]]
) -> None:
    reader, file = ForwardReader(iter(chunks)), io.BytesIO(b"".join(chunks))
    for skips, count in steps:
        if skips:
            reader.seek(reader.tell() + count)
            file.seek(min(file.tell() + count, len(file.getvalue())))
        else:
            ahead = reader.peek(count)
            assert ahead == reader.read(count) == file.read(count)
        assert reader.tell() == file.tell()


def test_a_reader_does_not_go_back() -> None:
    reader = ForwardReader(plain(io.BytesIO(b"data")))
    assert reader.read(2) == b"da"
    with pytest.raises(OSError, match="only forward"):
        reader.seek(1)


def test_content_far_greater_than_its_file_is_given_in_chunks_of_at_most_one_mebibyte() -> None:
    file = io.BytesIO()
    writer = CompressingWriter(file)
    for _ in range(64):
        writer.write(bytes(1 << 20))
    writer.finish()
    assert len(file.getvalue()) < 1 << 16
    file.seek(0)
    assert max(len(chunk) for chunk in decompressed(file)) <= 1 << 20
