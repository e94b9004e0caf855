"""Decides which upstreams are asked over HTTP by this process, and with which settings. Pure.

The settings are the ones that git would use. If git might understand a setting differently, git asks the upstream
instead of this process.
"""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from desired.declarations.passing import PASSED_TO_GIT

# Files with the certificates of public CAs, where distributions have them. Git's own libcurl uses the same ones.
CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine
)

# Userinfo, a port by name, an IPv6 address, a query or any escape leave the URL to git.
_URL = re.compile(
    r"(?P<host>(?P<scheme>https?)://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?)/[\w.~+/-]*", re.ASCII
)
_PROXY = re.compile(r"(?:http://)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?/?", re.ASCII)

_OPTION_OF = {
    "GIT_SSL_CAINFO": "CAINFO",
    "GIT_SSL_CAPATH": "CAPATH",
    "GIT_SSL_CERT": "SSLCERT",
    "GIT_SSL_KEY": "SSLKEY",
}
# Whether git honours the latter two depends on how its libcurl was built.
_LEFT_TO_GIT = frozenset(PASSED_TO_GIT) - {*_OPTION_OF, "GIT_SSH_COMMAND"} | {"SSL_CERT_FILE", "SSL_CERT_DIR"}


@frozen
class HttpRequest:
    """A POST request.

    * `url`: the whole URL. `host`: its beginning, with scheme, host and port: "https://example.org:8443".
    * `options`: further options of libcurl: values by name.
    """

    url: str
    host: str
    options: Mapping[str, str]


def ls_refs_url(upstream: str) -> str:
    """Return the URL to which git posts its command `ls-refs` for the repository with the URL `upstream`."""
    return f"{upstream.removesuffix('/')}/git-upload-pack"


def http_request(
    upstream: str, environment: Mapping[str, str], protocols: Sequence[str], bundle: str | None
) -> HttpRequest | None:
    """Return the request for the refs of the repository at the URL `upstream`; None if git has to ask instead.

    * `environment`: the environment of child processes. Its settings for proxies and TLS are used.
    * `protocols`: the protocols by which Canon may connect, such as "https".
    * `bundle`: the path of this host's CA certificates; None if there is none.

    git has to ask if `protocols` lacks the protocol of the URL, if the URL is unusual, such as one with a user name, or
    if git might understand a setting differently.
    """
    url = _URL.fullmatch(upstream)
    if url is None or url["scheme"] not in protocols or not _LEFT_TO_GIT.isdisjoint(environment):
        return None
    proxy = _proxy(environment, url["scheme"])
    tls = _tls(environment, bundle) if url["scheme"] == "https" else {}
    if proxy is None or tls is None:
        return None
    return HttpRequest(ls_refs_url(upstream), url["host"], {**proxy, **tls})


def _tls(environment: Mapping[str, str], bundle: str | None) -> Mapping[str, str] | None:
    """Return libcurl's options for TLS, as {NAME: VALUE}; None if git has to ask upstream instead.

    * `environment`: has variables of git that name files for TLS, such as GIT_SSL_CAINFO. They override `bundle`.
    * `bundle`: the path of this host's CA certificates; None if this host has no such file.

    git has to ask if neither `environment` nor `bundle` names a file of CA certificates. git has to ask also if a path
    in `environment` is relative: git runs in another folder, where the path would lead elsewhere.
    """
    options = {option: environment[name] for name, option in _OPTION_OF.items() if name in environment}
    trusted = {"CAINFO": bundle, **options} if bundle else options
    is_clear = "CAINFO" in trusted and all(path.startswith("/") for path in trusted.values())
    return trusted if is_clear else None


def _proxy(environment: Mapping[str, str], scheme: str) -> Mapping[str, str] | None:
    """Return libcurl's options for the proxy, as {NAME: VALUE}; None if git has to ask upstream instead.

    The options come from the variables in `environment` that git reads too. `scheme` is the scheme of the URL, "http"
    or "https". git has to ask if it might understand one of these variables differently than this process.
    """
    names = ("http_proxy",) if scheme == "http" else ("https_proxy", "HTTPS_PROXY")
    proxy = next((environment[name] for name in (*names, "all_proxy", "ALL_PROXY") if name in environment), "")
    excepted = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    # An older libcurl, which git may have, does not know networks such as 10.0.0.0/8.
    is_clear = not proxy or (_PROXY.fullmatch(proxy) and "/" not in excepted)
    # Set even where it is empty: libcurl would otherwise read the environment of this process.
    return {"PROXY": proxy, "NOPROXY": excepted} if is_clear else None
