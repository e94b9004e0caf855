from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.declarations.passing import PASSED_TO_GIT
from reconciler.host.git.http_request import HttpRequest, http_request

BUNDLE = "/etc/bundle.pem"
PROTOCOLS = ("https", "http")
names = st.sampled_from([*PASSED_TO_GIT, "http_proxy", "https_proxy", "ALL_PROXY", "no_proxy", "SSL_CERT_DIR", "PATH"])
environments = st.dictionaries(names, st.sampled_from(["", "/a", "http://proxy:3128", "socks5://proxy", "x"]))


def request(upstream: str, environment: dict[str, str] | None = None) -> HttpRequest | None:
    return http_request(upstream, environment or {}, PROTOCOLS, BUNDLE)


def test_a_request_goes_where_git_would_post_it() -> None:
    for upstream in ("https://forge.example/a/x.git", "https://forge.example/a/x.git/"):
        assert request(upstream) == HttpRequest(
            "https://forge.example/a/x.git/git-upload-pack",
            "https://forge.example",
            {"PROXY": "", "NOPROXY": "", "CAINFO": BUNDLE},
        )


def test_a_port_makes_another_host() -> None:
    asked = [request(f"http://forge.example{port}/x.git") for port in ("", ":80", ":8080")]
    assert len({each.host for each in asked if each}) == 3


@pytest.mark.parametrize(
    "upstream",
    [
        "https://ada@forge.example/x.git",
        "https://ada:secret@forge.example/x.git",
        "https://forge.example/x.git?a=b",
        "https://forge.example/x.git#main",
        "https://forge.example/a%20b.git",
        "https://forge.example/a b.git",
        "https://forge.example/x.git\n",
        "https://forge.example/é.git",
        "https://forgé.example/x.git",
        "https://[::1]/x.git",
        "https://forge.example:https/x.git",
        "https:///x.git",
        "ssh://forge.example/x.git",
        "git@forge.example:x.git",
        "file:///x.git",
        "/x.git",
        "ext::https://forge.example/x.git",
        "--upload-pack=https://forge.example/x.git",
    ],
)
def test_another_kind_of_url_is_left_to_git(upstream: str) -> None:
    assert request(upstream) is None


@given(st.text(max_size=40) | st.from_regex(r"https?://[ -~]{0,20}/[ -~]{0,20}", fullmatch=True))
def test_a_url_that_is_taken_means_one_thing(upstream: str) -> None:
    made = request(upstream)
    if made is not None:
        url = urlsplit(made.url)
        assert (url.username, url.password, url.query, url.fragment) == (None, None, "", "")
        assert made.url == f"{upstream.removesuffix('/')}/git-upload-pack"
        assert made.host == f"{url.scheme}://{url.netloc}"


def test_a_protocol_that_the_fleet_does_not_name_is_left_to_git() -> None:
    assert http_request("http://forge.example/x.git", {}, ("https",), BUNDLE) is None


def test_without_any_ca_bundle_https_is_left_to_git() -> None:
    assert http_request("https://forge.example/x.git", {}, PROTOCOLS, None) is None
    assert http_request("http://forge.example/x.git", {}, PROTOCOLS, None) is not None
    named = http_request("https://forge.example/x.git", {"GIT_SSL_CAINFO": "/mine"}, PROTOCOLS, None)
    assert named is not None
    assert named.options["CAINFO"] == "/mine"


@pytest.mark.parametrize("path", ["", "ca.pem", "./ca.pem", "pkcs11:token=x"])
def test_a_relative_path_is_left_to_git(path: str) -> None:
    for name in ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY"):
        assert request("https://forge.example/x.git", {name: path}) is None
        assert request("http://forge.example/x.git", {name: path}) is not None


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://b:1", "all_proxy": "http://c:1"}, "http://b:1"),
        ({"all_proxy": "c:1", "ALL_PROXY": "http://d:1"}, "c:1"),
        ({"ALL_PROXY": "http://d:1", "http_proxy": "http://e:1"}, "http://d:1"),
        ({"https_proxy": "", "ALL_PROXY": "http://d:1"}, ""),
        ({"http_proxy": "http://e:1"}, ""),
    ],
)
def test_the_proxy_is_the_one_that_git_takes(environment: dict[str, str], proxy: str) -> None:
    made = request("https://forge.example/x.git", environment)
    assert made is not None
    assert made.options["PROXY"] == proxy


@pytest.mark.parametrize("proxy", ["socks5://a:1", "https://a:1", "http://ada:secret@a:1", "http://a:1/x", "a b"])
def test_another_kind_of_proxy_is_left_to_git(proxy: str) -> None:
    assert request("https://forge.example/x.git", {"https_proxy": proxy}) is None


def test_a_network_that_needs_no_proxy_is_left_to_git() -> None:
    assert request("https://10.0.0.1/x.git", {"https_proxy": "http://a:1", "no_proxy": "10.0.0.0/8"}) is None
    assert request("https://10.0.0.1/x.git", {"no_proxy": "10.0.0.0/8"}) is not None


@given(environments)
def test_no_setting_is_passed_over(environment: dict[str, str]) -> None:
    """Every variable for TLS that is passed on is used, or git is asked."""
    made = request("https://forge.example/x.git", environment)
    if made is not None:
        expected = {name: value for name, value in environment.items() if name in PASSED_TO_GIT}
        expected.pop("GIT_SSH_COMMAND", None)
        assert {*expected.values()} <= {*made.options.values()}
        assert {"PROXY", "NOPROXY", "CAINFO"} <= made.options.keys()
        assert "SSL_CERT_DIR" not in environment
