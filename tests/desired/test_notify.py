"""`[notify]`: what it declares, and what is refused with its line and column."""

from datetime import timedelta
from pathlib import Path

import pytest

from desired.declarations.declared import read_fleet
from desired.notify import Apprise, Mail, Notify, Webhook, crosses_network, host_of
from tests.fleet_declarations import problem_texts, write_fleet

HEAD = "format = 1\nfleet.name = 'ci'\n"
MAIL = "[notify.mail]\nserver = 'smtp.example.org:587'\nto = ['ops@example.org']\nfrom = 'canon@example.org'\n"
EVERY_KEY = f"""{HEAD}[notify]
remind = "3d"
{MAIL}user = "canon"
password = "smtp-password"
encryption = "tls"
[notify.webhook]
url = "https://hooks.example.org/canon?x=1"
token = "/etc/canon/token"
[notify.apprise]
urls = "apprise-urls"
"""
SOURCE = "wants the absolute path of a file, or the name of a systemd credential"


def fleet_file(folder: Path, text: str) -> Path:
    return write_fleet(folder / "fleet", {}, fleet=text)


def test_every_key_is_read_and_without_the_table_nobody_is_notified(tmp_path: Path) -> None:
    declared = read_fleet(fleet_file(tmp_path, EVERY_KEY)).notify
    assert declared == Notify(
        remind=timedelta(days=3),
        mail=Mail("smtp.example.org:587", ("ops@example.org",), "canon@example.org", "canon", "smtp-password", "tls"),
        webhook=Webhook("https://hooks.example.org/canon?x=1", "/etc/canon/token"),
        apprise=Apprise("apprise-urls"),
    )
    assert declared.targets == ("mail", "webhook", "apprise")
    assert Notify().targets == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[notify.mail]\nuser = 'canon'\n",
            ["needs server", "needs to", "needs from", "3:9", "4:1: notify.mail.user needs password"],
        ),
        ("[notify.webhook]\n", ["3:9: notify.webhook needs url"]),
        ("[notify.apprise]\n", ["3:9: notify.apprise needs urls"]),
        (MAIL + "password = 'p'\n", ["7:1: notify.mail.password needs user"]),
        (MAIL.replace("['ops@example.org']", "[]"), ["5:1: notify.mail.to names nobody"]),
        (MAIL.replace("'ops@", "'Ops <ops@"), ["5:7: notify.mail.to[0] wants a mail address such as ops@example.org"]),
        (MAIL.replace(":587", ""), ["4:1: notify.mail.server wants a server and its port"]),
        (
            MAIL + "user = 'canon'\npassword = 'p'\nencryption = 'none'\n",
            ['9:1: notify.mail.encryption is "none", and the password would be sent unencrypted'],
        ),
        ("[notify.webhook]\nurl = 'ftp://a/b'\n", ["4:1: notify.webhook.url wants a URL without a user"]),
        ("[notify.webhook]\nurl = 'https://me:secret@a/b'\n", ["4:1: notify.webhook.url wants a URL without a user"]),
        (
            "[notify.webhook]\nurl = 'http://a/b'\ntoken = 't'\n",
            ["5:1: notify.webhook.token would be sent unencrypted: use https"],
        ),
        ("[notify.apprise]\nurls = 'json://a b'\n", [f"4:1: notify.apprise.urls {SOURCE}"]),
        ("[notify]\nmails = 1\n", ["4:1: notify.mails is not a known key; did you mean mail?"]),
    ],
)
def test_what_cannot_be_sent_or_would_show_a_secret_is_refused_where_it_stands(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    found = "\n".join(problem_texts(fleet_file(tmp_path, HEAD + text)))
    assert [each for each in expected if each not in found] == [], found


@pytest.mark.parametrize(
    ("address", "host", "crosses"),
    [
        ("smtp.example.org:25", "smtp.example.org", True),
        ("localhost:25", "localhost", False),
        ("http://127.0.0.1:8080/a", "127.0.0.1", False),
        ("http://[::1]/a?b", "[::1]", False),
        ("http://127.0.0.1.example.org", "127.0.0.1.example.org", True),
        ("http://hooks.example.org?u=localhost", "hooks.example.org", True),
    ],
)
def test_only_this_host_s_own_addresses_cross_no_network(address: str, host: str, *, crosses: bool) -> None:
    assert (host_of(address), crosses_network(address)) == (host, crosses)


@pytest.mark.parametrize(
    "text",
    [
        MAIL.replace("'smtp.", "'me:s3cret@smtp."),
        MAIL + "user = 'canon'\npassword = 's3cret pass!'\n",
        "[notify.webhook]\nurl = 'https://me:s3cret@a/b'\n",
        "[notify.webhook]\nurl = 'https://a b/s3cret-path'\n",
        "[notify.webhook]\nurl = 'https://a/b'\ntoken = 's3cret+token='\n",
        "[notify.apprise]\nurls = 'json://me:s3cret@a'\n",
    ],
)
def test_an_error_does_not_repeat_a_secret_that_stands_in_the_wrong_place(text: str, tmp_path: Path) -> None:
    (problem,) = problem_texts(fleet_file(tmp_path, HEAD + text))
    assert "s3cret" not in problem
    assert " wants " in problem
