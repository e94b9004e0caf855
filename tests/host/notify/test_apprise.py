"""What is said where the library apprise is not installed, or its URLs are not there. It is not part of the lock."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from desired.notify import Apprise
from reconciler.errors import InfrastructureError, in_one_line
from reconciler.host.notify.apprise_urls import AppriseNotifier
from reconciler.ports.notifier import Letter

LETTER = Letter("abc123", datetime(2026, 11, 29, 3, tzinfo=UTC), "canon ci: red", "PROBLEM\n", b"{}")


def test_without_the_library_the_error_says_how_to_install_it_and_hides_the_urls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (tmp_path / "urls").write_text("json://me:s3cret@hooks.example\n")
    notifier = AppriseNotifier(Apprise(str(tmp_path / "urls")))
    calls: list[Callable[[], str]] = [lambda: notifier.send(LETTER), notifier.check]
    for call in calls:
        with pytest.raises(InfrastructureError) as failed:
            call()
        said = in_one_line(failed.value)
        assert said == "apprise is not installed; install it beside Canon: pip install 'canon-reconcile[apprise]'"


def test_a_missing_file_of_urls_is_an_error_before_the_library_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="the file with apprise's URLs"):
        AppriseNotifier(Apprise(str(tmp_path / "urls"))).send(LETTER)


def a_library_in_which(works: Callable[[str], bool], got: list[str]) -> ModuleType:
    """Return a stand-in for apprise, which CI does not have. It sends to the URLs for which `works` is true."""

    class StandInSender:
        def add(self, url: str) -> bool:
            self.url = url
            return True

        def notify(self, title: str, body: str) -> bool:
            assert (title, body) == (LETTER.subject, LETTER.text)
            got.extend([self.url] if works(self.url) else [])
            return works(self.url)

    library = ModuleType("apprise")
    library.Apprise = StandInSender  # type: ignore[attr-defined]
    return library


def test_a_url_that_fails_is_named_by_its_number_and_keeps_no_other_from_its_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "urls").write_text("json://s3cret-a\n# none\njson://s3cret-b\njson://s3cret-c\n")
    notifier, got = AppriseNotifier(Apprise(str(tmp_path / "urls"))), list[str]()
    monkeypatch.setitem(sys.modules, "apprise", a_library_in_which(lambda url: not url.endswith("b"), got))
    assert notifier.send(LETTER) == "apprise could not send to its URL number 2 (it does not say why)"
    assert (got, notifier.check()) == (["json://s3cret-a", "json://s3cret-c"], "3 URLs are valid")
    monkeypatch.setitem(sys.modules, "apprise", a_library_in_which(lambda _: True, got))
    assert notifier.send(LETTER) == ""
    monkeypatch.setitem(sys.modules, "apprise", a_library_in_which(lambda _: False, got))
    with pytest.raises(InfrastructureError, match=r"URL number 1 .*, URL number 2 .*, URL number 3 ") as failed:
        notifier.send(LETTER)
    assert "s3cret" not in str(failed.value)
