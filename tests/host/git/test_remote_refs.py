from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.host.git.remote_refs import MOST_REFS, digest_of, parse_ls_remote
from reconciler.host.text import decoded, ref_bytes
from state.records import Answer
from tests.repositories import HOSTILE_TAGS

# ---- reading an answer ----

names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(lambda name: name.encode())
oids = st.text("0123456789abcdef", min_size=40, max_size=40)


@st.composite
def answer_texts(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """What git prints of a well-formed repository, and the tags with what they peel to."""
    head, branch = draw(oids), draw(names)
    lines = [
        b"ref: refs/heads/" + branch + b"\tHEAD",
        head.encode() + b"\tHEAD",
        head.encode() + b"\trefs/heads/" + branch,
    ]
    tags: dict[str, str] = {}
    for name in draw(st.lists(names | st.sampled_from(HOSTILE_TAGS), unique=True, max_size=6)):
        named, peeled = draw(oids), draw(st.none() | oids)
        lines.append(named.encode() + b"\trefs/tags/" + name)
        if peeled:
            lines.append(peeled.encode() + b"\trefs/tags/" + name + b"^{}")
        tags[decoded(name)] = peeled or named
    return b"".join(line + b"\n" for line in lines), tags


@given(answer_texts())
def test_a_well_formed_answer_is_read_whole(drawn: tuple[bytes, dict[str, str]]) -> None:
    raw, tags = drawn
    answer = parse_ls_remote(raw)
    assert isinstance(answer, Answer)
    assert answer.tags == tags
    assert answer.digest == digest_of(raw)


@given(answer_texts(), st.data())
def test_an_answer_cut_within_a_line_is_never_taken_for_a_whole_one(
    drawn: tuple[bytes, dict[str, str]], data: st.DataObject
) -> None:
    raw, _ = drawn
    inside = [place for place in range(len(raw)) if not raw[:place].endswith(b"\n")]
    assert isinstance(parse_ls_remote(raw[: data.draw(st.sampled_from(inside))]), Unobservable)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reading(raw: bytes) -> None:
    reply = parse_ls_remote(raw)
    assert isinstance(reply, Answer) or (reply.reason.isprintable() and len(reply.reason) < 250)


@given(st.binary(max_size=60).filter(lambda name: b"\\" not in name))
def test_a_name_survives_the_way_to_text_and_back(name: bytes) -> None:
    assert ref_bytes(decoded(name)) == name


def test_an_answer_with_too_many_refs_is_unobservable() -> None:
    line = b"1" * 40 + b"\trefs/tags/x\n"
    reply = parse_ls_remote(line * (MOST_REFS + 1))
    assert reply == Unobservable(f"the answer names more than {MOST_REFS} refs")


def test_a_peeled_line_without_its_tag_is_unobservable() -> None:
    head = b"1" * 40
    raw = b"ref: refs/heads/main\tHEAD\n%s\tHEAD\n%s\trefs/heads/main\n%s\trefs/tags/1.0.0^{}\n" % (head, head, head)
    assert isinstance(parse_ls_remote(raw), Unobservable)
