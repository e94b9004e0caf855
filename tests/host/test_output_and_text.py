import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.unprintable import escape_unprintable
from reconciler.host.output import FirstBytes, LastBytes, Log
from reconciler.host.text import last_words, lines_printable, one_line
from reconciler.redact import read_slot_secrets, redaction

CANARY = b'c4nary-Trills+/="\xc3\xbc'
chunked = st.lists(st.binary(max_size=30), max_size=12)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


# ---- text ----


@given(st.binary(max_size=300))
def test_a_line_is_printable_short_and_one(data: bytes) -> None:
    line = one_line(data, 80)
    assert line.isprintable()
    assert len(line) <= 80


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_the_end_of_a_long_message_is_kept(data: bytes, end: bytes) -> None:
    line = last_words(data + b" " + end, 80)
    assert line.isprintable()
    assert len(line) <= 80
    assert line.endswith(one_line(end, 1000)[-40:])


@given(st.text(max_size=100))
def test_printable_text_is_left_alone_and_all_other_is_made_so(text: str) -> None:
    assert escape_unprintable(text).isprintable()
    if text.isprintable():
        assert escape_unprintable(text) == text


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"\x1b[2J", "\\x1b[2J"),
        ("\u202egreen".encode(), "\\u202egreen"),
        ("\u009b31m".encode(), "\\x9b31m"),
        (b"\xff", "\\xff"),
        (b"a\tb\r\nc\n", "a\tb\nc\n"),
        (b"PASS\rFAIL", "PASS\\rFAIL"),
    ],
)
def test_control_characters_are_escaped(data: bytes, shown: str) -> None:
    assert lines_printable(data) == shown


# ---- redaction ----


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        base64.b64encode(CANARY),
        base64.urlsafe_b64encode(CANARY),
        quote(CANARY, safe="").encode(),
        json.dumps(CANARY.decode())[1:-1].encode(),
        json.dumps(CANARY.decode(), ensure_ascii=False)[1:-1].encode(),
    ],
)
def test_a_secret_is_found_in_every_spelling(spelling: bytes) -> None:
    assert redaction([CANARY]).apply(b"before " + spelling + b" after") == b"before [redacted] after"


def test_a_secret_of_several_lines_is_found_line_by_line() -> None:
    known = redaction([b"-----BEGIN KEY-----\nMIIBVwIBADANBg\n-----END KEY-----\n"])
    assert known.apply(b"x MIIBVwIBADANBg y") == b"x [redacted] y"


def test_a_secret_that_is_the_beginning_of_another_leaves_nothing_of_both() -> None:
    assert redaction([b"opensesame", b"opensesame-two"]).apply(b"opensesame-two") == b"[redacted]"


def test_short_values_and_no_values_take_nothing_out() -> None:
    assert redaction([b"", b"a", b"true"]).apply(b"a true story") == b"a true story"


def test_the_secrets_of_a_slot_are_those_of_all_its_apps(tmp_path: Path) -> None:
    for app, secret in (("notes", b"first-secret"), ("accounts", b"second-secret")):
        (tmp_path / app / "secrets").mkdir(parents=True)
        (tmp_path / app / "secrets" / "key").write_bytes(secret)
    (tmp_path / "notes" / "secrets" / "link").symlink_to("/etc/passwd")
    assert sorted(read_slot_secrets(tmp_path)) == [b"first-secret", b"second-secret"]
    assert read_slot_secrets(tmp_path / "absent") == ()


# ---- sinks ----


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10), st.integers(1, 100))
def test_first_bytes_keeps_the_beginning_and_notes_that_there_was_more(data: bytes, cuts: list[int], most: int) -> None:
    sink = FirstBytes(most)
    wants_more = [sink.feed(chunk) for chunk in split(data, cuts)]
    assert sink.data == data[:most]
    assert sink.overflowed is (len(data) > most)
    assert wants_more[-1] is not sink.overflowed


@given(chunked, st.integers(1, 50))
def test_last_bytes_keeps_the_end_and_counts_the_rest(chunks: list[bytes], most: int) -> None:
    sink = LastBytes(most)
    for chunk in chunks:
        assert sink.feed(chunk)
    whole = b"".join(chunks)
    assert sink.data == whole[-most:]
    assert (sink.size, sink.left_out) == (len(whole), len(whole) - len(sink.data))


def logged(tmp_path: Path, chunks: list[bytes], secrets: tuple[bytes, ...] = (), most: int = 1 << 20) -> str:
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    log = Log(path, redaction(secrets), most=most, tail=100)
    for chunk in chunks:
        assert log.feed(chunk)
    log.close()
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text("utf-8")


@given(st.lists(st.sampled_from([CANARY, b"word ", b"\n", "ü€😀".encode(), b"\r\n", b"\xff"]), max_size=12), st.data())
def test_a_log_is_the_same_however_the_output_comes(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8))
    text = logged(folder, split(whole, cuts), (CANARY,))
    assert text == logged(folder, [whole], (CANARY,))
    assert text == lines_printable(whole.replace(CANARY, b"[redacted]"))


def test_a_log_is_bounded_and_states_how_many_bytes_it_left_out(tmp_path: Path) -> None:
    text = logged(tmp_path, [b"head " * 200, b"x" * 100_000, b"the end"], most=1000)
    assert text.startswith("head " * 200)
    assert text.endswith("\n[99907 bytes left out]\n" + "x" * 93 + "the end")
    assert len(text) < 1200


def test_a_log_adds_to_what_is_there_and_follows_no_link(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for word in (b"one\n", b"two\n"):
        log = Log(path, redaction([]))
        log.feed(word)
        log.close()
        assert log.tail == word.decode()
    assert path.read_bytes() == b"one\ntwo\n"
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        Log(tmp_path / "link", redaction([]))
