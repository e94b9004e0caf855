"""Releases: their versions and signatures, and which one is wanted."""

from attrs import frozen


@frozen
class Version:
    """The text of a release tag, and its sort key. Compare versions by the key, never by the text."""

    text: str
    key: tuple[int, int, int, tuple[tuple[int, int], ...]]


@frozen
class Release:
    """A release: the name of its tag (`version`), and its commit."""

    version: str
    commit: str


@frozen
class Signature:
    """The checked signature of a release tag. `signer` is who signed it. `fault` is why it is not good; "" if it is."""

    signer: str = ""
    fault: str = ""


@frozen
class NeverReleased:
    """Why no release is wanted: no tag of the recipe is an allowed release."""


@frozen
class AmbiguousVersion:
    """Why no release is wanted: the greatest version has several tags, which name different commits."""

    tags: tuple[str, ...]


@frozen
class Unobservable:
    """Upstream, or something else, could not be read. `reason` says why. An upstream without tags is NeverReleased."""

    reason: str


Want = Release | NeverReleased | AmbiguousVersion | Unobservable
