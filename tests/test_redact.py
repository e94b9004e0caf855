from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.host.output import Log
from reconciler.host.text import lines_printable
from reconciler.redact import RedactedStream, Redaction, redaction

# Few letters: then secrets are often the beginning of one another, and overlap.
secrets = st.lists(st.text("abc", min_size=1, max_size=5).map(str.encode), max_size=4)
chunks = st.lists(st.text("abcd", max_size=6).map(str.encode), max_size=8)


def expected(spellings: Sequence[bytes], text: bytes) -> bytes:
    """Return `text` with all spellings replaced, by a search for each of them at each byte."""
    shown, end = b"", 0
    for place in range(len(text)):
        longest = max((len(each) for each in spellings if text.startswith(each, place)), default=0)
        if longest and place >= end:
            shown += b"[redacted]"
        end = max(end, place + longest)
        shown += text[place : place + 1] if place >= end else b""
    return shown


@given(secrets, chunks)
@example([b"abc", b"abcabc"], [b"abc", b"abcd"])
@example([b"aab", b"abc"], [b"aa", b"bc"])
def test_however_text_is_cut_into_chunks_no_byte_of_any_secret_is_left(
    spellings: list[bytes], pieces: list[bytes]
) -> None:
    known = Redaction(tuple(sorted(spellings, key=lambda each: (-len(each), each))))
    stream = RedactedStream(known)
    output = b"".join([*map(stream.feed, pieces), stream.flush()])
    assert output == known.apply(b"".join(pieces)) == expected(spellings, b"".join(pieces))


@given(st.text("ab", min_size=6, max_size=9), st.text("ab", max_size=5), st.data())
def test_a_log_shows_nothing_of_a_secret_that_begins_with_another_one(
    short: str, more: str, data: st.DataObject
) -> None:
    both = [short.encode(), (short + more).encode()]
    text = f"before {short}{more} after\r\n".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    with TemporaryDirectory() as folder:
        log = Log(Path(folder) / "log", redaction(both))
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            log.feed(text[start:end])
        log.close()
        assert (Path(folder) / "log").read_bytes() == b"before [redacted] after\n"


@given(st.lists(st.binary(max_size=5), max_size=6))
def test_a_log_without_secrets_is_the_same_however_it_comes(pieces: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder) / "log", redaction([]))
        for piece in pieces:
            log.feed(piece)
        log.close()
        assert (Path(folder) / "log").read_bytes() == lines_printable(b"".join(pieces)).encode()
