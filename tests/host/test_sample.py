import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.sample import Sample, merge_env_sample, parse_sample, secret_of_setting, version_setting
from reconciler.ports.app_secrets import SecretNeed
from tests.host.almost_valid_files import TEXTS, parse_or_refuse

VARIABLES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name != "PATH" and not name.startswith(("CANON_", "SECRET_"))
)
LINES = st.lists(
    st.builds(
        "{}={}{}".format,
        st.sampled_from(["A", "B", "COMPOSE_FILE", "SECRET_X_VERSION", "SECRET_Y_VERSION", "#C"]),
        st.sampled_from(["", "v1", "v2", "'a b'", '"$A:x"', '"one\ntwo=2"']),
        st.sampled_from(["", " # length=8", " # why"]),
    ),
    max_size=6,
).map("\n".join)
VALUES = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"))


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@given(TEXTS)
def test_any_text_is_a_sample_or_refused_in_words(text: str) -> None:
    sample = parse_or_refuse(parse_sample, text, ".env.sample")
    if sample is not None:
        event("taken")
        assert "PATH" not in sample.settings
        assert not any("\0" in value for value in sample.settings.values())
        assert all(need.length is None or need.length > 0 for need in sample.secrets)


@given(st.dictionaries(VARIABLES, VALUES.filter(lambda value: "\r" not in value)), st.sampled_from("'\""))
def test_a_quoted_value_keeps_all_its_lines(settings: dict[str, str], quote: str) -> None:
    plain = {name: re.sub(r"""['"\\$`]""", "", value) for name, value in settings.items()}
    text = "".join(f"{name}={quote}{value}{quote} # why\n# {name}=no\n" for name, value in plain.items())
    assert parse_sample(text) == Sample(plain, ())
    event(f"several lines: {any(chr(10) in value for value in plain.values())}")


@given(st.dictionaries(VARIABLES, VALUES))
def test_a_quoted_sample_gives_back_the_values_it_was_written_from(settings: dict[str, str]) -> None:
    text = "".join(f"{name}={quoted(value)} # why\n" for name, value in settings.items())
    assert parse_sample(text) == Sample(settings, ())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("A= spaced out  ", "spaced out"),
        ("export A=1", "1"),
        ("A=x # why", "x"),
        ("A= # why", ""),
        ("A=x#y", "x#y"),
        ("A=#ffffff", "#ffffff"),
        ("A='x # y' # why", "x # y"),
        ("A='it is \\n'", "it is \\n"),
        ('A="x # \\"y\\"" # why', 'x # "y"'),
        ('A="one\\ntwo"', "one\ntwo"),
        ("A=$HOME/${X}", "$HOME/${X}"),
        ("A=b=c", "b=c"),
        ("A=it's", "it's"),
        ("A=1\nA=2", "2"),
        ("#A=0\nA=1\r", "1"),
        ("A = spaced", "spaced"),
        # Over several lines everything counts up to the quote that closes it.
        ('A="one\n\n  # two\nB=3 "  # why', "one\n\n  # two\nB=3 "),
        ("export A='one $x\n\"two\" \\'", 'one $x\n"two" \\'),
        ('A="say \\"one\ntwo\\" it\'s"', 'say "one\ntwo" it\'s'),
        ('A="one\r\ntwo"\r', "one\ntwo"),
        ('A="one\ntwo"\n#B="x\nA="three"', "three"),
    ],
)
def test_a_value_is_read_as_a_shell_minded_person_means_it(line: str, value: str) -> None:
    assert parse_sample(line) == Sample({"A": value}, ())


@pytest.mark.parametrize(
    ("comment", "need"),
    [
        ("", SecretNeed("x", None)),
        (" # length=32", SecretNeed("x", 32)),
        (" # length=64 charset=hex", SecretNeed("x", 64, "hex")),
        (" # charset=alphanumeric length=8, please", SecretNeed("x", None)),
        (" # length=8 generate=false", SecretNeed("x", None)),
        (" # length=20 charset=default", SecretNeed("x", 20)),
        (" # the length=8 of it", SecretNeed("x", 8)),
        # A maker may know what we do not.
        (" # length=8 charset=rot13", SecretNeed("x", None)),
    ],
)
def test_a_secret_is_declared_by_its_version_and_described_by_its_comment(comment: str, need: SecretNeed) -> None:
    if "please" in comment:
        with pytest.raises(RecipeError, match="length of secret x"):
            parse_sample(f"SECRET_X_VERSION=v1{comment}")
    else:
        assert parse_sample(f"SECRET_X_VERSION=v1{comment}") == Sample({}, (need,), {"x": "v1"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\n\nPATH=/x", ".env.sample:3: may not set PATH"),
        ("CANON_SLOT=/x", ".env.sample:1: may not set CANON_SLOT"),
        ("A='x", ".env.sample:1: the value of A has an unclosed quote or text after its quotes"),
        ('A="x" y', ".env.sample:1: the value of A has an unclosed quote or text after its quotes"),
        ('A="x\n\nB=y', ".env.sample:1: the value of A has an unclosed quote or text after its quotes"),
        ('A="x\n\0"', ".env.sample:2: holds a NUL byte"),
        ('A="x\ny"\nPATH=/x', ".env.sample:3: may not set PATH"),
        ("just words", ".env.sample:1: no setting"),
        ("1A=x", ".env.sample:1: no setting"),
        ("A=x\0", ".env.sample:1: holds a NUL byte"),
        ("SECRET_X_VERSION=v1 # length=0", ".env.sample:1: the length of secret x is not from 1 to 4096"),
        ("SECRET_X_VERSION=v1 # length=4097", ".env.sample:1: the length of secret x is not from 1 to 4096"),
        ("SECRET_X_VERSION=v1 # length=٣", ".env.sample:1: the length of secret x is not from 1 to 4096"),
    ],
)
def test_a_sample_that_cannot_be_obeyed_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        parse_sample(text)
    assert refusal.value.message == message


@given(st.from_regex(r"SECRET_[A-Z0-9_]{0,8}_VERSION", fullmatch=True))
def test_a_setting_that_has_the_version_of_a_secret_is_the_one_that_this_secret_asks_for(setting: str) -> None:
    secret = secret_of_setting(setting)
    event("of a secret" if secret else "of none")
    assert secret is None or version_setting(secret) == setting


@given(LINES, LINES)
def test_an_upgrade_keeps_earlier_settings_and_adds_new_ones(before: str, text: str) -> None:
    had, new = parse_sample(before), parse_sample(text)
    merged, added = merge_env_sample(before, text)
    both = parse_sample(merged)
    assert both.settings == {**new.settings, **had.settings}
    assert both.versions == {**new.versions, **had.versions}
    assert {need.name: need for need in both.secrets} == {need.name: need for need in (*new.secrets, *had.secrets)}
    names = {f"SECRET_{name.upper()}_VERSION" for name in {*new.versions} - {*had.versions}}
    assert {*added} == ({*new.settings} - {*had.settings}) | names
    event(f"new: {min(len(added), 2)}, kept: {min(len({*new.settings} & {*had.settings}), 2)}")
    assert merge_env_sample(merged, text) == (merged, ())
