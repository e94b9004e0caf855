from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Unobservable
from reconciler.host.git.ls_refs import ls_refs_request, ls_remote_text, packet
from reconciler.host.git.remote_refs import parse_ls_remote
from state.records import Answer
from tests.repositories import HOSTILE_TAGS

names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(lambda name: name.encode())
oids = st.text("0123456789abcdef", min_size=40, max_size=40).map(str.encode)


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Packets of a whole answer to `ls-refs` without the flush, and what `git ls-remote --symref` prints of it."""
    head, branch = draw(oids), b"refs/heads/" + draw(names)
    packets = [packet(b"%s HEAD symref-target:%s\n" % (head, branch)), packet(b"%s %s\n" % (head, branch))]
    printed = b"ref: %s\tHEAD\n%s\tHEAD\n%s\t%s\n" % (branch, head, head, branch)
    for name in draw(st.lists(names | st.sampled_from(HOSTILE_TAGS), unique=True, max_size=6)):
        named, peeled = draw(oids), draw(st.none() | oids)
        packets.append(packet(b"%s refs/tags/%s%s\n" % (named, name, b" peeled:" + peeled if peeled else b"")))
        printed += b"%s\trefs/tags/%s\n" % (named, name)
        printed += b"%s\trefs/tags/%s^{}\n" % (peeled, name) if peeled else b""
    return packets, printed


def test_a_request_asks_for_head_branches_and_tags_with_what_they_lead_to() -> None:
    assert ls_refs_request() == (
        b"0014command=ls-refs\n"
        b"0001"
        b"0009peel\n"
        b"000csymrefs\n"
        b"0014ref-prefix HEAD\n"
        b"001bref-prefix refs/heads/\n"
        b"001aref-prefix refs/tags/\n"
        b"0000"
    )


@given(st.binary(max_size=60_000))
def test_the_length_of_a_packet_counts_itself(line: bytes) -> None:
    assert int(packet(line)[:4], 16) == len(packet(line)) == len(line) + 4


@given(answers())
def test_a_whole_answer_is_what_git_prints(drawn: tuple[list[bytes], bytes]) -> None:
    packets, printed = drawn
    assert ls_remote_text(b"".join(packets) + b"0000") == printed
    assert isinstance(parse_ls_remote(printed), Answer)


@given(answers(), st.data())
def test_an_answer_that_is_cut_anywhere_is_none(drawn: tuple[list[bytes], bytes], data: st.DataObject) -> None:
    whole = b"".join(drawn[0]) + b"0000"
    assert ls_remote_text(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(answers(), st.binary(min_size=1, max_size=8))
def test_nothing_follows_the_flush(drawn: tuple[list[bytes], bytes], more: bytes) -> None:
    assert ls_remote_text(b"".join(drawn[0]) + b"0000" + more) is None


@given(answers(), st.data())
def test_a_byte_that_is_changed_never_adds_or_loses_a_line(
    drawn: tuple[list[bytes], bytes], data: st.DataObject
) -> None:
    """What is read of a forged answer is one line a packet, so that no name can forge a ref of another name."""
    packets, printed = drawn
    whole = bytearray(b"".join(packets) + b"0000")
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    text = ls_remote_text(bytes(whole))
    if text is not None:
        assert text.count(b"\n") <= printed.count(b"\n")
        assert isinstance(parse_ls_remote(text), Answer | Unobservable)


@given(answers(), st.lists(names, max_size=3))
def test_refs_that_were_not_asked_for_are_left_out(drawn: tuple[list[bytes], bytes], others: list[bytes]) -> None:
    packets, printed = drawn
    more = [packet(b"%s refs/%s/%s\n" % (b"1" * 40, kind, name)) for name in others for kind in (b"pull", b"notes")]
    assert ls_remote_text(b"".join((*packets, *more)) + b"0000") == printed


@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_reading(answer: bytes) -> None:
    text = ls_remote_text(answer)
    assert text is None or text.endswith(b"\n")


def test_an_answer_without_refs_is_left_to_git() -> None:
    assert ls_remote_text(b"0000") is None
    assert ls_remote_text(b"") is None
    assert ls_remote_text(packet(b"%s refs/pull/1/head\n" % (b"1" * 40)) + b"0000") is None
