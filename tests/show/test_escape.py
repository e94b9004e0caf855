import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reconciler.show.escape import escape, escape_lines, shorten, width

# Drawn far more often than at random: what steers a terminal, turns the reading direction, or draws nothing.
STEERING = "\x00\x07\x08\t\n\r\x1b\x7f\x80\x85\x9b\x9d\xa0\xad"
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
EMPTY = "\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2800\u3164\ufe0f\ufeff\uffa0\U000e0001\U000e0100"
HOMELESS = "\ud800\udfff\ue000\uffff\u0378\U0010ffff"
HOSTILE = STEERING + TURNING + EMPTY + HOMELESS

ANY = st.text(st.characters(codec=None))
TEXTS = st.text(st.one_of(st.sampled_from(HOSTILE), st.sampled_from("ab \\漢é\u0301…→"), st.characters(codec=None)))


@given(TEXTS)
def test_escaped_text_is_printable_and_on_one_line(text: str) -> None:
    shown = escape(text)
    assert shown.isprintable()
    assert not set(shown) & set(HOSTILE)


@given(TEXTS)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert escape(escape(text)) == escape(text)


@given(TEXTS, TEXTS)
def test_each_character_is_escaped_independently(one: str, other: str) -> None:
    assert escape(one + other) == escape(one) + escape(other)


@given(st.text("abcdefghijklmnopqrstuvwxyz ÄÖÜß漢字→…\\\"'<>&"))
def test_printable_text_is_not_changed(text: str) -> None:
    assert escape(text) == text


def test_every_hostile_character_is_escaped_in_ascii() -> None:
    for char in HOSTILE:
        shown = escape(f"a{char}b")
        assert shown.isascii(), hex(ord(char))
        assert shown.startswith("a\\"), hex(ord(char))
        assert shown.endswith("b")


def test_an_escape_names_the_character() -> None:
    assert escape("\x1b]0;owned\x07") == r"\x1b]0;owned\x07"
    assert escape("1.0\u202e0.2") == r"1.0\u202e0.2"
    assert escape("PASS\rFAIL\n") == r"PASS\rFAIL\n"


def test_no_character_of_a_category_without_a_glyph_gets_through() -> None:
    let_through = [
        char
        for char in map(chr, range(0x110000))
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and char in escape(char)
    ]
    assert let_through == []


# ---- lines ----


@given(TEXTS)
def test_lines_are_printable_and_as_many_as_there_are_newlines(text: str) -> None:
    lines = escape_lines(text)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == (text.removesuffix("\n").count("\n") + 1 if text else 0)


def test_a_log_keeps_its_lines_and_loses_its_tabs() -> None:
    assert escape_lines("one\r\n\ttwo\nthree\n") == ("one", "        two", "three")


def test_a_carriage_return_inside_a_line_is_escaped() -> None:
    assert escape_lines("FAIL\rPASS\n") == (r"FAIL\rPASS",)


# ---- width ----


@given(TEXTS, st.integers(-3, 40))
def test_a_shortened_text_fits(text: str, cells: int) -> None:
    shown = shorten(text, cells)
    assert width(shown) <= max(cells, 0)
    assert shown.isprintable()


@given(TEXTS)
def test_only_a_text_that_does_not_fit_is_cut(text: str) -> None:
    whole = escape(text)
    assert shorten(text, width(whole)) == whole
    if width(whole) > 1:
        assert shorten(text, width(whole) - 1).endswith("…")


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    assert (width("abc"), width("漢字"), width("e\u0301"), width("→…")) == (3, 4, 1, 2)
    assert shorten("漢字漢字", 5) == "漢字…"
