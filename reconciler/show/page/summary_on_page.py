"""The head of the page: how many recipes are in each bucket, which ones need a person, and how recipes differ."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from attrs import frozen

from reconciler.core.drift import DriftItem, DriftSide
from reconciler.core.explanation import Family
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, Row
from reconciler.show.labels import BUCKETS
from reconciler.show.page.recipe_on_page import RecipeOnPage
from reconciler.show.page.tones import BUCKET_TONES
from reconciler.show.text.drift_blocks import DRIFT_TITLES, drift_since


@frozen
class BucketShare:
    """One bucket in the bar of all buckets at the top of the page.

    * `label`: the name of the bucket.
    * `tone`: the word by which the style sheet chooses the colour of the bucket.
    * `count`: how many recipes are in the bucket.
    * `x`, `width`: where the bucket's part of the bar begins and how wide this part is, in percent of the bar.
    """

    label: str
    tone: str
    count: int
    x: str
    width: str


@frozen
class DriftLine:
    """One difference of one recipe, as the page shows it.

    * `what`: the kind of difference.
    * `reason`: a sentence about the difference; for an ignored difference, why it is ignored.
    * `since`: when the difference was first seen; None if that is not known.
    * `until`: for an ignored difference, the day from which on it counts again, such as "2026-12-24"; "" for any other.
    """

    recipe: str
    what: str
    reason: str
    since: datetime | None
    until: str = ""


@frozen
class DriftBlock:
    """A block of differences on the page: of one side (desired, actual or unseen), or all ignored differences.

    * `kind`: the word for the side, or "ignored".
    * `title`: the heading of the block.
    * `lines`: the differences.
    """

    kind: str
    title: str
    lines: tuple[DriftLine, ...]


def bucket_shares(report: Report) -> tuple[BucketShare, ...]:
    """Return every bucket that has at least one recipe, with its share of all recipes. The gravest comes first."""
    total = sum(report.counts.values())
    shares, begin = [], 0.0
    for bucket, count in report.counts.items():
        if count:
            width = 100 * count / total
            tone = BUCKET_TONES[bucket]
            shares.append(BucketShare(BUCKETS[bucket], tone, count, f"{begin:.4g}%", f"{width:.4g}%"))
            begin += width
    return tuple(shares)


def asking(recipes: Iterable[RecipeOnPage]) -> tuple[RecipeOnPage, ...]:
    """Return those of the recipes for which a person has to do something."""
    return tuple(recipe for recipe in recipes if recipe.explained.family is Family.NEEDS_YOU)


def drift_on_page(rows: Sequence[Row]) -> tuple[DriftBlock, ...]:
    """Return the blocks of differences on the page: a block for each side, and at the end one of ignored differences.

    The sides are what is desired, what is here, and what cannot be seen. Blocks without differences are left out.
    """
    found = [(row, item) for row in rows for item in row.drift.items]
    blocks = [DriftBlock(side.value, title, tuple(_counted(found, side))) for side, title in DRIFT_TITLES.items()]
    ignored = tuple(_line(row, item, str(row.drift.rule.until)) for row, item in found if item.ignored)
    blocks.append(DriftBlock("ignored", "ignored by [drift] ignore", ignored))
    return tuple(block for block in blocks if block.lines)


def _counted(found: Iterable[tuple[Row, DriftItem]], side: DriftSide) -> Iterator[DriftLine]:
    for row, item in found:
        if item.difference.side is side and not item.ignored and row.step.held_back is not HeldBack.EXCEPTED:
            yield _line(row, item)


def _line(row: Row, item: DriftItem, until: str = "") -> DriftLine:
    reason = row.drift.rule.reason if item.ignored else item.difference.reason
    return DriftLine(row.recipe, item.difference.what, reason, drift_since(row, item), until)
