"""The page of `reconcile report` without a browser: its form, its policy, its size, and hostile names."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import Factory, define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.ways import RecordedWay, WayResult
from reconciler.show.escape import escape
from reconciler.show.page.page import policy_of, render_page
from reconciler.show.page.page_facts import PageFacts
from tests.folders import entries_below, scratch_folder
from tests.page_world import facts_of, fleet_of, names_in, renamed, storied_world

VOID = {"meta", "br", "link", "img", "hr", "input"}
# HTML lets these end without a tag of their own: at the next one, or with their parent.
IMPLIED = {
    "tr": {"tr"},
    "th": {"th", "td", "tr"},
    "td": {"th", "td", "tr"},
    "caption": {"tr", "thead"},
    "li": {"li"},
    "dt": {"dd"},
    "dd": {"dt"},
    "p": {"p", "h3", "h4", "ol", "ul", "div", "details", "table"},
}
# Of the 2 MB, the rest is for longer names and paths.
LIMIT = 1_750_000


@define
class PageReader(HTMLParser):
    """Reads a page and fails where elements are not nested. `elements` has each with its attributes and its text."""

    elements: list[tuple[str, dict[str, str | None], list[str]]] = Factory(list)
    open: list[tuple[str, dict[str, str | None], list[str]]] = Factory(list)

    def __attrs_post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.open and tag in IMPLIED.get(self.open[-1][0], ()):
            self.open.pop()
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        element = (tag, dict(attrs), list[str]())
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1][0] in IMPLIED and self.open[-1][0] != tag:
            self.open.pop()
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1][2].append(data)

    def texts(self) -> Iterator[str]:
        return (data for _, _, texts in self.elements for data in texts)

    def values(self, name: str) -> list[str]:
        """Return the values of an attribute, of all elements that have it."""
        return [value for _, attributes, _ in self.elements if (value := attributes.get(name)) is not None]


def read(page: str) -> PageReader:
    reader = PageReader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def shape(page: str) -> list[tuple[str, frozenset[str]]]:
    """Return every element of a page with the names of its attributes: what no name can change."""
    return [(tag, frozenset(attributes)) for tag, attributes, _ in read(page).elements]


@pytest.fixture(scope="module")
def story() -> Iterator[PageFacts]:
    with scratch_folder() as root:
        world = storied_world(root)
        before = entries_below(world.state.root)
        yield facts_of(world)
        assert entries_below(world.state.root) == before


@pytest.fixture(scope="module")
def page(story: PageFacts) -> str:
    return render_page(story)


# ---- form ----


def test_elements_are_nested_and_ids_unique_and_links_lead_somewhere(page: str) -> None:
    reader = read(page)
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    links = [value for name in ("href", "aria-labelledby") for text in reader.values(name) for value in text.split()]
    assert len(links) > 50
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_nothing_is_loaded_and_no_script_or_style_attribute_is_there(page: str) -> None:
    reader = read(page)
    tags = {tag for tag, _, _ in reader.elements}
    assert (
        tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "audio", "video"}
        == set()
    )
    names = {name for _, attributes, _ in reader.elements for name in attributes}
    assert {name for name in names if name.startswith("on")} | names & {"src", "style", "srcset", "action"} == set()
    values = [value for _, attributes, _ in reader.elements for value in attributes.values() if value]
    assert [value for value in values if "//" in value] == []
    assert all(link.startswith("#") for link in reader.values("href"))


def test_the_policy_allows_this_style_sheet_and_nothing_else(page: str) -> None:
    reader = read(page)
    [style] = ["".join(texts) for tag, _, texts in reader.elements if tag == "style"]
    [policy] = [attributes["content"] for _, attributes, _ in reader.elements if "http-equiv" in attributes]
    assert policy == policy_of(style)
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in str(policy)
    assert not re.search(r"url\(|@import|</", style)


def test_every_picture_has_a_title_and_every_table_a_caption(page: str) -> None:
    reader = read(page)
    pictures = [each for tag, each, _ in reader.elements if (tag, each.get("role")) == ("svg", "img")]
    assert len(pictures) > 10
    assert all("aria-labelledby" in attributes for attributes in pictures)
    tags = [tag for tag, _, _ in reader.elements]
    assert tags.count("caption") == tags.count("table") > 5
    assert tags.count("h1") == tags.count("main") == tags.count("footer") == 1


# ---- what it says ----


def test_every_recipe_is_in_the_table_and_explained(page: str, story: PageFacts) -> None:
    ids = read(page).values("id")
    said = "".join(read(page).texts())
    for row, told in zip(story.report.rows, story.explained, strict=True):
        assert f"recipe-{row.recipe}" in ids
        assert escape(told.verdict) in said


def test_what_happened_is_on_the_page(page: str) -> None:
    said = "\n".join(read(page).texts())
    for part in (
        "forum",
        "tag 1.2.0 named",
        "rolled-back",
        "generation 3, 2026-11-15, by rollback",
        "a first run timed out: calendar 1.1.0 is not ready",
        "load 0.1",
        "it is being replaced",
        "the data of 1.0.0 is lost",
        "By the last answer that a pass recorded",
        "7 of 7 passes",
    ):
        assert part in said, part


def test_a_changed_ledger_is_said_above_all_else(story: PageFacts) -> None:
    page = render_page(evolve(story, broken_ledger="ledger: line 3 was changed"))
    assert page.index("line 3 was changed") < page.index("<main>")


@pytest.mark.parametrize("days", [-1, 1])
def test_a_whole_pass_of_the_future_is_called_so_on_the_page(story: PageFacts, days: int) -> None:
    page = render_page(evolve(story, last=evolve(story.last, finished_at=story.last.now + timedelta(days=days))))
    assert ("which is in the future: check the clock" in page) == (days > 0)


def test_a_fleet_of_which_nothing_is_known_has_a_page(tmp_path: Path) -> None:
    from tests.world import World

    world = World(tmp_path)
    world.declare("notes")
    page = render_page(facts_of(world))
    for part in ("Nothing needs you", "Nothing was tried yet", "No pass is recorded yet", "No trial names a timeout"):
        assert part in page
    read(page)


# ---- size, and hostile names ----


BROKEN = WayResult(
    "notes", WayName.BACK, WayAnswer.NO, Release("1.2.0", "b" * 40), kind=WayKind.BREAKS, reason="it exited " * 40
)
LONG_WAYS = tuple(RecordedWay(BROKEN, datetime(2026, 11, 29, tzinfo=UTC), by_pass=True) for _ in range(4))


def test_300_recipes_with_a_long_past_fit_into_2_mb_with_room_to_spare(story: PageFacts) -> None:
    many = fleet_of(story, 300 // len(story.report.rows) + 1)
    years = [evolve(each, at=each.at + timedelta(days=70 * year)) for year in range(4) for each in many.events]
    told = [evolve(each, ways=LONG_WAYS if each.step.finding.have else ()) for each in many.explained]
    page = render_page(evolve(many, events=years, explained=told))
    assert len(many.report.rows) > 300
    assert len(page.encode()) < LIMIT


ODD = (
    *("</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "' onload='x", "&lt;b&gt;"),
    *("]]>", "<!--", "\u202e\u200b", "\x00\x1b[2J", "javascript:alert(1)", "a\nb", "\ud800"),
)
HOSTILE = st.one_of(st.text(min_size=1), st.sampled_from(ODD))


@settings(max_examples=12)
@given(st.lists(HOSTILE, min_size=7, max_size=7, unique=True))
def test_no_name_or_text_changes_the_elements_of_a_page(story: PageFacts, page: str, hostile: list[str]) -> None:
    """Names are allow-listed long before; the page does not count on it."""
    names = dict(zip(names_in(story), hostile, strict=True))
    odd = render_page(with_texts(renamed(story, [names]), names))
    assert shape(odd) == shape(page)
    said = "".join(read(odd).texts())
    assert all(escape(name) in said for name in hostile)


def with_texts(facts: PageFacts, names: Mapping[str, str]) -> PageFacts:
    """Return facts in which the texts that others write are hostile too: verdicts, events, and versions."""
    odd = "".join(names.values())
    told = [evolve(each, verdict=each.verdict + odd) for each in facts.explained]
    events = [evolve(each, text=each.text + odd, by=odd, version=odd if each.version else "") for each in facts.events]
    return evolve(facts, explained=told, events=events, broken_ledger=facts.broken_ledger)
