"""What a way can answer, and how the kind of a closed one follows from what was seen. Decides only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from desired.model import WayName


class WayAnswer(StrEnum):
    """The answer that a way gave.

    * YES: what was tried works.
    * NO: it does not work; `WayKind` says why.
    * SKIP: nothing could be tried or proved.
    * ERROR: this host is to blame, and nothing is known.
    """

    YES = "yes"
    NO = "no"
    SKIP = "skip"
    ERROR = "error"


class WayKind(StrEnum):
    """Why the answer of a way is NO.

    The way back deploys the older release over data of the newer one:

    * REFUSES: the older release does not come up. The newer one then still has all data.
    * HIDES: the older release comes up, but not with all data. The newer one then still has all data.
    * LOSES: what the newer release wrote is lost, and nothing else.
    * DAMAGES: data from before the newer release is gone or wrong, too.
    * BREAKS: the newer release does not come up any more on that data.

    A stop ends the release by SIGTERM, and later by a kill:

    * KILLED: the release does not end by itself in time.
    * UNCLEAN: after a kill, the release does not come up again with its data.
    * NO_RESTART: after it ended by itself, the release does not come up again with its data.

    A leap deploys the release over data of an older one:

    * REFUSES: the release does not come up. The older release still comes up after that, with all data.
    * HIDES: the release comes up, but not with all data. The older release still has all data after that.
    * DAMAGES: the older release comes up again after that, but without all data.
    * BREAKS: the older release does not come up any more after that.

    A fall kills the release while it first starts on older data:

    * TWICE: the release does not come up at the first start after the kill. The second start shows no danger.
    * DAMAGES: the release comes up without all data.
    * BREAKS: the release does not come up any more.
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
    WayKind.TWICE: "it does not come up at the first start after the kill",
}

_OTHER_WORDS: Final[Mapping[tuple[WayName, WayKind], str]] = {
    (WayName.LEAP, WayKind.BREAKS): "DANGER: after it the older release does not come up either",
    (WayName.FALL, WayKind.DAMAGES): "DANGER: it comes up without all the data that was there before",
    (WayName.FALL, WayKind.BREAKS): "DANGER: it does not come up again",
}

GRAVEST_FIRST: Final = (WayKind.BREAKS, WayKind.DAMAGES, WayKind.HIDES, WayKind.REFUSES, WayKind.TWICE)
"""The kinds of a leap and of a fall, which have several cases."""


def kind_words(way: WayName, kind: WayKind) -> str:
    """Return what `kind` means as words, such as "it does not end by itself and is killed".

    `kind` is why the answer of the way `way` is NO.
    """
    return _OTHER_WORDS.get((way, kind), KIND_WORDS[kind])


def is_danger(kind: WayKind | None) -> bool:
    """Return whether `kind`, the reason for a way's answer NO, means that data may be lost which was safe before.

    Return False if `kind` is None: then the answer is not NO.
    """
    return kind in {WayKind.DAMAGES, WayKind.BREAKS, WayKind.UNCLEAN, WayKind.NO_RESTART}


@frozen
class BackFacts:
    """What was seen of a way back: the older release deployed over data of the newer one, and then the newer one again.

    * `comes_up`: the older release became ready.
    * `passes`: data.check passed while the older release ran.
    * `is_whole_after`: the newer release, deployed again on that data, has all data.
    * `rises_after`: the newer release, deployed again on that data, comes up.
    * `keeps_older`: the newer release then has all data from before its own writes, even if these writes are lost.

    The last three are False if the older release passed, because the newer one is then not deployed again.
    """

    comes_up: bool
    passes: bool
    is_whole_after: bool = False
    rises_after: bool = False
    keeps_older: bool = False


def kind_of_back(facts: BackFacts) -> WayKind | None:
    """Decide whether a way back is open. Return None if it is, else the kind of failure that closes it.

    `facts` are what was seen when the way back was tried.
    """
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
    """Decide whether a stop works (the answer YES). Return None if it does, else the kind of failure (the answer NO).

    A stop is tried in two parts: SIGTERM and a new start; then, if the release came up again, a kill and a new start.

    * `facts`: how the release ended after SIGTERM.
    * `rises`: True if the release came up again with its data after each part that was tried.
    * `is_after_kill`: True if the second part was tried.
    """
    if not rises:
        return WayKind.UNCLEAN if is_after_kill or facts.killed else WayKind.NO_RESTART
    return WayKind.KILLED if facts.killed else None


@frozen
class LeapFacts:
    """What was seen of a leap: the release deployed over data of an older one, and then the older one again.

    * `comes_up`: the release became ready over the older data.
    * `passes`: data.check passed while the release ran.
    * `rises_after`: the older release, deployed again on that data, comes up.
    * `is_whole_after`: the older release then has all its data.

    The last two are False if the release passed, because the older one is then not deployed again.
    """

    comes_up: bool
    passes: bool
    rises_after: bool = False
    is_whole_after: bool = False


def kind_of_leap(facts: LeapFacts) -> WayKind | None:
    """Decide whether a leap over one older release's data worked. Return None if it did, else the kind of failure.

    `facts` are what was seen when the leap was tried.
    """
    if facts.comes_up and facts.passes:
        return None
    if facts.is_whole_after:
        return WayKind.HIDES if facts.comes_up else WayKind.REFUSES
    return WayKind.DAMAGES if facts.rises_after else WayKind.BREAKS


def kind_of_fall(*, comes_up: bool, passes: bool, starts: int, is_late: bool = False) -> WayKind | None:
    """Decide whether a release survived a fall. Return None if it did, else the kind of failure.

    In a fall, the release is killed while it first starts on older data, and is then started again.

    * `comes_up`: True if the release became ready at its last start after the kill.
    * `passes`: True if data.check passed after that start.
    * `starts`: how often the release was started after the kill: 1 or 2.
    * `is_late`: True if the second start or its data.check took too long, which shows no danger.
    """
    if starts > 1 and is_late:
        return WayKind.TWICE
    if not comes_up:
        return WayKind.BREAKS
    if not passes:
        return WayKind.DAMAGES
    return WayKind.TWICE if starts > 1 else None
