"""What is said where the library apprise is not installed, or its URLs are not there. It is not part of the lock."""

import sys
from datetime import UTC, datetime
from pathlib import Path

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
    for call in (lambda: notifier.send(LETTER), notifier.check):
        with pytest.raises(InfrastructureError) as failed:
            call()
        said = in_one_line(failed.value)
        assert said == "apprise is not installed; install it beside Canon: pip install 'canon-reconcile[apprise]'"


def test_a_missing_file_of_urls_is_an_error_before_the_library_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="the file with apprise's URLs"):
        AppriseNotifier(Apprise(str(tmp_path / "urls"))).send(LETTER)
