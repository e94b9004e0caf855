"""The page of `reconcile report` in Chromium: contrast and roles by axe-core, light and dark, narrow and wide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from reconciler.show.page.page import render_page
from tests.folders import scratch_folder
from tests.page_world import storied_page

pytestmark = pytest.mark.needs("chromium", "browser-driver")
WIDTHS = (360, 1400)
PROGRAM = "/usr/bin/chromium"


@frozen
class BrowserPage:
    """Opens one page in a browser that runs. `address` is the page's."""

    browser: Any
    address: str

    def opened(self, width: int = 1400, scheme: str = "light", **more: object) -> Any:  # noqa: ANN401  without types
        """Return the page, opened in a window of its own. It fails if the page loads anything beside itself."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **more
        )
        page = context.new_page()
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url))
        page.on("console", lambda message: loaded.append(message.text))
        page.goto(self.address)
        assert loaded == [self.address]
        return page


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserPage]:
    from playwright.sync_api import sync_playwright

    with scratch_folder() as root:
        html = render_page(storied_page(root))
    file = tmp_path_factory.mktemp("page") / "canon.html"
    file.write_text(html, encoding="utf-8")
    with sync_playwright() as playwright:
        # Root may not use Chromium's own sandbox; the page is ours. In a container, /dev/shm may be too small.
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield BrowserPage(browser, file.as_uri())
        browser.close()


def unfold(page: Any, where: str = "main") -> None:  # noqa: ANN401  without types
    page.evaluate(f"document.querySelectorAll('{where} details').forEach(each => each.open = true)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_wrong(chromium: BrowserPage, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.opened(width, scheme)
    # The evidence of one recipe stands for that of all: axe takes long for each element that is shown.
    unfold(page, "#recipe-wiki")
    results = Axe().run(page).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in results["violations"]] == []
    passed = {each["id"] for each in results["passes"]}
    assert {"color-contrast", "svg-img-alt", "landmark-one-main", "bypass", "aria-required-children"} <= passed


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(chromium: BrowserPage, width: int) -> None:
    page = chromium.opened(width)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_light_and_dark_differ_and_follow_the_reader(chromium: BrowserPage) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    assert chromium.opened(scheme="light").evaluate(colour) == "rgb(255, 255, 255)"
    assert chromium.opened(scheme="dark").evaluate(colour) == "rgb(17, 22, 29)"


def test_the_page_is_whole_without_script(chromium: BrowserPage) -> None:
    page = chromium.opened(java_script_enabled=False)
    assert page.get_by_role("heading", name="Each recipe, explained").is_visible()
    assert page.get_by_role("table").first.is_visible()


def test_the_table_is_a_table_also_on_a_phone(chromium: BrowserPage) -> None:
    page = chromium.opened(360)
    table = page.get_by_role("table", name="recipes: the release that is wanted")
    assert table.get_by_role("row").count() == 8
    assert table.get_by_role("rowheader", name="wiki").is_visible()
    assert page.get_by_role("img", name="Lineage of the data of wiki").count() == 1


def test_the_keyboard_reaches_the_table_and_the_evidence(chromium: BrowserPage) -> None:
    page = chromium.opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the table of recipes"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "archive"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.locator("#recipe-archive details").first.get_attribute("open") is not None


def test_on_paper_the_evidence_is_there_and_the_links_between_sections_are_not(
    chromium: BrowserPage, tmp_path: Path
) -> None:
    page = chromium.opened(794)
    assert not page.locator("#recipe-wiki table").is_visible()
    page.emulate_media(media="print", color_scheme="light")
    assert page.locator("#recipe-wiki table").is_visible()
    assert not page.get_by_role("navigation").is_visible()
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
