"""What a way can answer, and how the kind of a closed one follows from what was seen. Decides only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from desired.model import WayName


class WayAnswer(StrEnum):
    """The answer that a way gave. YES: the way back, or the stop, works. NO: it does not; `WayKind` says how.

    SKIP: nothing could be tried or proved. ERROR: this host is to blame.
    """

    YES = "yes"
    NO = "no"
    SKIP = "skip"
    ERROR = "error"


class WayKind(StrEnum):
    """In which way a release did not pass: why the answer is NO.

    Of the way back. REFUSES: the older release does not come up. HIDES: it comes up, but not with all data. In both
    cases the newer release has all data when it is deployed again. LOSES: only what the newer release wrote is lost.
    DAMAGES: older data is gone or wrong, too. BREAKS: the newer release does not come up any more on that data.

    Of a stop. KILLED: the release does not end by itself in time. UNCLEAN: after it was killed, it does not come up
    again with its data. NO_RESTART: it does not do so even after it ended by itself.

    Of a leap, where REFUSES and HIDES mean that the older release has all data when it is deployed again. DAMAGES: it
    has not. BREAKS: it does not come up any more.

    Of a fall. TWICE: the release comes up only when it is started a second time after the kill. DAMAGES: it comes up
    without all the data. BREAKS: it does not come up any more.
    """

    REFUSES = "refuses"
    HIDES = "hides"
    LOSES = "loses"
    DAMAGES = "damages"
    BREAKS = "breaks"
    KILLED = "killed"
    UNCLEAN = "unclean"
    NO_RESTART = "no-restart"
    TWICE = "twice"


KIND_WORDS: Final[Mapping[WayKind, str]] = {
    WayKind.REFUSES: "it does not come up, and leaves the data as it was",
    WayKind.HIDES: "it comes up without all the data, which is not lost",
    WayKind.LOSES: "what the newer release wrote is lost",
    WayKind.DAMAGES: "DANGER: it damages data that was there before",
    WayKind.BREAKS: "DANGER: after it the newer release does not come up either",
    WayKind.KILLED: "it does not end by itself and is killed",
    WayKind.UNCLEAN: "DANGER: after a kill it does not come up again with its data",
    WayKind.NO_RESTART: "DANGER: after a clean stop it does not come up again with its data",
    WayKind.TWICE: "it comes up only at the second start",
}

_OTHER_WORDS: Final[Mapping[tuple[WayName, WayKind], str]] = {
    (WayName.LEAP, WayKind.BREAKS): "DANGER: after it the older release does not come up either",
    (WayName.FALL, WayKind.DAMAGES): "DANGER: it comes up without all the data that was there before",
    (WayName.FALL, WayKind.BREAKS): "DANGER: it does not come up again",
}

GRAVEST_FIRST: Final = (WayKind.BREAKS, WayKind.DAMAGES, WayKind.HIDES, WayKind.REFUSES, WayKind.TWICE)
"""The kinds of a leap and of a fall, which have several cases."""


def kind_words(way: WayName, kind: WayKind) -> str:
    """Return in words what is wrong if `way` has the answer NO for the reason `kind`."""
    return _OTHER_WORDS.get((way, kind), KIND_WORDS[kind])


def is_danger(kind: WayKind | None) -> bool:
    """Return whether data may be lost that was safe before. `kind` is None if nothing is wrong."""
    return kind in {WayKind.DAMAGES, WayKind.BREAKS, WayKind.UNCLEAN, WayKind.NO_RESTART}


@frozen
class BackFacts:
    """What was seen of a way back.

    * `comes_up`: the older release became ready.
    * `passes`: data.check passed there.
    * `is_whole_after`: the newer release, deployed again on that data, has all of it.
    * `rises_after`: the newer release, deployed again on that data, comes up.
    * `keeps_older`: it still has what was there before it wrote more.
    """

    comes_up: bool
    passes: bool
    is_whole_after: bool = False
    rises_after: bool = False
    keeps_older: bool = False


def kind_of_back(facts: BackFacts) -> WayKind | None:
    """Return why the answer of a way back is NO; None if it is YES."""
    if facts.comes_up and facts.passes:
        return None
    if facts.is_whole_after:
        return WayKind.HIDES if facts.comes_up else WayKind.REFUSES
    if not facts.rises_after:
        return WayKind.BREAKS
    return WayKind.LOSES if facts.keeps_older else WayKind.DAMAGES


@frozen
class StopFacts:
    """How a release ended after SIGTERM.

    * `seconds`: how long it took until all its parts had ended.
    * `grace`: how long this may take, in seconds; None if that is not known.
    * `killed`: the parts that did not end by themselves, and were killed.
    * `exit_codes`: the exit code of each part, as far as it is known.
    """

    seconds: float
    grace: float | None
    killed: tuple[str, ...] = ()
    exit_codes: Mapping[str, int] = field(factory=dict)


def kind_of_stop(facts: StopFacts, *, rises: bool, is_after_kill: bool) -> WayKind | None:
    """Return why the answer of a stop is NO; None if it is YES.

    `rises` is True if the release came up again with its data each time: after the stop and, if that was clean, also
    after a kill. `is_after_kill` is True if the last of these times was after that kill.
    """
    if not rises:
        return WayKind.UNCLEAN if is_after_kill or facts.killed else WayKind.NO_RESTART
    return WayKind.KILLED if facts.killed else None


@frozen
class LeapFacts:
    """What was seen of a leap.

    * `comes_up`: the release became ready over the older data.
    * `passes`: data.check passed there.
    * `rises_after`: the older release, deployed again on that data, comes up.
    * `is_whole_after`: it has all of it.
    """

    comes_up: bool
    passes: bool
    rises_after: bool = False
    is_whole_after: bool = False


def kind_of_leap(facts: LeapFacts) -> WayKind | None:
    """Return why the answer of a leap is NO; None if it is YES."""
    if facts.comes_up and facts.passes:
        return None
    if facts.is_whole_after:
        return WayKind.HIDES if facts.comes_up else WayKind.REFUSES
    return WayKind.DAMAGES if facts.rises_after else WayKind.BREAKS


def kind_of_fall(*, comes_up: bool, passes: bool, starts: int) -> WayKind | None:
    """Return why the answer of a fall is NO; None if it is YES.

    `comes_up` and `passes` are of the last start after the kill: the release became ready, and data.check passed.
    `starts` is how often the release was started after the kill.
    """
    if not comes_up:
        return WayKind.BREAKS
    if not passes:
        return WayKind.DAMAGES
    return WayKind.TWICE if starts > 1 else None
