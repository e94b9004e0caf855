"""Which release is wanted of tag lists shaped like those of public projects, and which tags are reported as unread."""

import pytest
from attrs import frozen

from desired.releases import AmbiguousVersion, NeverReleased, Release, Want
from desired.versions import version_key
from desired.want import resolve_want, unread_versions


@frozen
class Tags:
    """A list of tags, each on a commit of its own, and what follows; `newer` are the unread tags to be reported."""

    about: str
    tags: str
    want: str | None
    newer: str = ""
    allow: str = "*"
    ambiguous: str = ""


TABLE = [
    Tags("two numbers beside three", "1.6 1.7 1.8 1.9 1.10 1.5.1", "1.5.1", "1.10 1.9 1.8 1.7 1.6"),
    Tags("an older two-number tag", "1.4 1.5 1.5.1", "1.5.1"),
    Tags("the same without its zero", "1.5 1.5.0", "1.5.0"),
    Tags("calendar versions with leading zeros", "25.04.0 25.08.0 25.12.1", "25.12.1"),
    Tags("calendar versions, the newest unread", "25.04.0 24.12.1 25.08.0", "24.12.1", "25.08.0 25.04.0"),
    Tags("dates", "2026-01a 2026-07a 2025-11", None, "2026-07a 2026-01a 2025-11"),
    Tags("one number", "v24 v25 v26", None, "v26 v25 v24"),
    Tags("one number beside releases", "v25.0.1 v26", "v25.0.1", "v26"),
    Tags("a candidate beside its release", "1.2.0+v2.0.0 1.2.0+v2.0.0-rc.1", "1.2.0+v2.0.0"),
    Tags("a candidate before its release", "1.1.0+v1.9.0 1.2.0+v2.0.0-rc.1", "1.2.0+v2.0.0-rc.1"),
    Tags("candidates past nine", "1.2.0+v2.0.0-rc.9 1.2.0+v2.0.0-rc.10", "1.2.0+v2.0.0-rc.10"),
    Tags("every stage", "1.0.0+2-dev 1.0.0+2-alpha 1.0.0+2-beta 1.0.0+2-pre 1.0.0+2-rc 1.0.0+2", "1.0.0+2"),
    Tags("a nightly and a beta", "1.0.0+2.0.0-nightly.20260701 1.0.0+2.0.0-beta.1", "1.0.0+2.0.0-beta.1"),
    Tags("a variant", "1.0.0+2.0.0 1.0.0+2.0.0-rootless", "1.0.0+2.0.0-rootless"),
    Tags("a candidate of a variant", "1.0.0+2.0.0-fpm 1.0.0+2.0.0-rc.1-fpm", "1.0.0+2.0.0-fpm"),
    Tags(
        "social",
        "1.0.0+1.0.5-social-amd64 2.0.1+1.0.6-social-amd64 2.0.0+1.0.5-social-amd64",
        "2.0.1+1.0.6-social-amd64",
    ),
    Tags("a candidate of the recipe itself", "1.1.0 1.2.0-rc.1", "1.1.0", "1.2.0-rc.1"),
    Tags("a candidate of what was released", "1.2.0 1.2.0-rc.1 1.2.0-rc.2", "1.2.0"),
    Tags("candidates alone", "1.2.0-rc.1 1.2.0-beta", None, "1.2.0-beta 1.2.0-rc.1"),
    Tags("back-ports", "5.0.2+27.0.1-fpm 6.0.1+28.0.2-fpm 5.0.3+27.0.1-fpm", "6.0.1+28.0.2-fpm"),
    Tags("a v here and there", "v2.4.7 2.4.8 v2.4.9", "v2.4.9"),
    Tags("one version, two spellings, two commits", "1.4.0 v1.4.0", None, ambiguous="1.4.0 v1.4.0"),
    Tags("one candidate, two spellings", "1.0.0+2-rc1 1.0.0+2-rc.1", None, ambiguous="1.0.0+2-rc.1 1.0.0+2-rc1"),
    Tags("two spellings below their release", "1.0.0+2-rc1 1.0.0+2-rc.1 1.0.0+2", "1.0.0+2"),
    Tags("four numbers", "1.2.3 1.2.3.4 1.2.4", "1.2.4"),
    Tags("four numbers, the newest", "1.2.3 1.2.3.4", "1.2.3", "1.2.3.4"),
    Tags("words before the version", "1.0.0 release-2.0 release/1.9 notes-v0.9", "1.0.0", "release-2.0 release/1.9"),
    Tags("words, hashes and builds", "1.0.0 latest master 92fac7ac deadbee sha-1a2b3c4 nightly-20260701", "1.0.0"),
    Tags("what the range leaves out", "1.0.0 1.10 2.5", "1.0.0", "1.10", "<2"),
    Tags("nothing in the range", "1.0.0 2.5", None, "2.5", ">=2"),
    Tags("candidates in the range", "1.9.0+3.0.0-rc.1 2.0.0+3.0.0", "1.9.0+3.0.0-rc.1", allow="<2"),
    Tags("packed numbers of the app", "1.0.0+22.04 1.0.0+22.10", "1.0.0+22.10"),
]


def commits(tags: str) -> dict[str, str | None]:
    return {tag: f"{number:040x}" for number, tag in enumerate(tags.split(), 1)}


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.about)
def test_the_newest_release_is_wanted_of(case: Tags) -> None:
    tags = commits(case.tags)
    expected: Want = NeverReleased()
    if case.want is not None:
        commit = tags[case.want]
        assert commit is not None
        expected = Release(case.want, commit)
    elif case.ambiguous:
        expected = AmbiguousVersion(tuple(case.ambiguous.split()))
    assert resolve_want(tags, case.allow) == expected


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.about)
def test_unread_tags_that_look_newer_are_found_among(case: Tags) -> None:
    wanted = case.want or next(iter(case.ambiguous.split()), None)
    numbers = version_key(wanted)[:3] if wanted else ()
    assert unread_versions(commits(case.tags), case.allow, numbers) == tuple(case.newer.split())
