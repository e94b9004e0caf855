"""Tests upstreams behind a private CA and a proxy: git uses the variables that the fleet passes on."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from desired.model import Recipe
from desired.releases import Unobservable
from reconciler.errors import InfrastructureError
from reconciler.host.environment import child_environment
from reconciler.host.git.http_pool import AT_ONCE_PER_HOST
from reconciler.host.git.ls_remote import LsRemote
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.upstream import GitUpstream, reply_to
from reconciler.ports.repositories import TagQuery
from state.folder.folder import StateFolder
from state.records import Answer
from tests.faulty_git_server import REFS, ls_refs_answer
from tests.git_servers import CertificateAuthority, file_server, forge, make_certificate_authority
from tests.repositories import UpstreamRepository

# It comes with ca-certificates, which git needs for HTTPS, and so is on a fresh machine too.
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")

PATH = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return make_certificate_authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture
def upstream(tmp_path: Path) -> UpstreamRepository:
    """One release, laid out so that a server of plain files is enough."""
    made = UpstreamRepository.make(tmp_path / "repositories" / "notes.git")
    made.commit({"Procfile": b"web: true\n"})
    made.tag("1.0.0")
    made.git("update-server-info")
    return made


def passing(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of children if all of `environ` is passed on."""
    return child_environment(environ, {"PATH": PATH, **environ}, Path("/nowhere"))


def asked(url: str, environ: Mapping[str, str], protocol: str = "https") -> Answer | Unobservable:
    question = TagQuery(Recipe("notes", f"{url}/notes.git", Path("/nowhere")), None)
    reply = GitUpstream(passing(environ), (protocol,)).ask([question])["notes"]
    assert isinstance(reply, Answer | Unobservable)
    return reply


def test_an_upstream_behind_a_private_ca_is_asked_mirrored_and_checked_out(
    private: CertificateAuthority, upstream: UpstreamRepository, tmp_path: Path
) -> None:
    environ = {"GIT_SSL_CAINFO": str(private.certificate)}
    with file_server(upstream.path.parent, private) as url:
        answer = asked(url, environ)
        assert isinstance(answer, Answer), answer
        recipe = Recipe("notes", f"{url}/notes.git", Path("/nowhere"))
        mirrors = GitMirrors(StateFolder(tmp_path / "state"), passing(environ), ("https",))
        mirrors.update(recipe, answer, {"1.0.0": answer.head})
    assert answer.head == upstream.head()
    mirrors.checkout("notes", answer.head, tmp_path / "out")
    assert (tmp_path / "out" / "Procfile").read_bytes() == b"web: true\n"


def test_without_its_ca_such_an_upstream_is_neither_asked_nor_fetched(
    private: CertificateAuthority, upstream: UpstreamRepository, tmp_path: Path
) -> None:
    head = upstream.head() or ""
    with file_server(upstream.path.parent, private) as url:
        reply = asked(url, {})
        mirrors = GitMirrors(StateFolder(tmp_path / "state"), passing({}), ("https",))
        answer = Answer("", "main", head, {"1.0.0": head})
        with pytest.raises(InfrastructureError, match="certificate"):
            mirrors.update(Recipe("notes", f"{url}/notes.git", Path("/nowhere")), answer, {"1.0.0": head})
    assert isinstance(reply, Unobservable)
    assert "certificate" in reply.reason


def test_an_upstream_that_wants_a_certificate_gets_the_one_that_is_passed_on(
    private: CertificateAuthority, upstream: UpstreamRepository
) -> None:
    certificate, key = private.files("client")
    trusted = {"GIT_SSL_CAINFO": str(private.certificate)}
    with file_server(upstream.path.parent, private, clients=True) as url:
        named = asked(url, {**trusted, "GIT_SSL_CERT": str(certificate), "GIT_SSL_KEY": str(key)})
        assert isinstance(asked(url, trusted), Unobservable)
    assert isinstance(named, Answer), named


def test_an_upstream_behind_a_proxy_is_asked_through_it(upstream: UpstreamRepository) -> None:
    with file_server(upstream.path.parent) as proxy:
        seen = asked("http://forge.invalid", {"http_proxy": proxy}, "http")
        assert isinstance(asked("http://forge.invalid", {"http_proxy": proxy, "no_proxy": "*"}, "http"), Unobservable)
    assert isinstance(seen, Answer), seen


# ---- the same settings where git is not needed ----

LISTING = ls_refs_answer(f"{REFS[0]} symref-target:refs/heads/main", *REFS[1:])
WITHOUT_GIT = Unobservable("git is not installed")


def asked_without_git(url: str, environ: Mapping[str, str], protocol: str = "https") -> Answer | Unobservable:
    question = TagQuery(Recipe("notes", f"{url}/notes.git", Path("/nowhere")), None)
    reply = GitUpstream(passing(environ) | {"PATH": "/nowhere"}, (protocol,)).ask([question])["notes"]
    assert isinstance(reply, Answer | Unobservable)
    return reply


def test_a_private_ca_is_trusted_in_process_as_a_file_or_a_folder(
    private: CertificateAuthority, tmp_path: Path
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    shutil.copy(private.certificate, folder / "ca.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    with file_server(tmp_path, private, listing=LISTING) as url:
        for environ in ({"GIT_SSL_CAINFO": str(private.certificate)}, {"GIT_SSL_CAPATH": str(folder)}):
            assert isinstance(asked_without_git(url, environ), Answer), environ


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "GIT_SSL_CIPHER_LIST", ""])
def test_a_ca_that_git_may_not_trust_is_left_to_git(private: CertificateAuthority, tmp_path: Path, name: str) -> None:
    environ = {"SSL_CERT_FILE": str(private.certificate)} if name == "SSL_CERT_FILE" else {}
    if name.startswith("GIT"):
        environ = {name: "ALL", "GIT_SSL_CAINFO": str(private.certificate)}
    with file_server(tmp_path, private, listing=LISTING) as url:
        assert asked_without_git(url, environ) == WITHOUT_GIT


def test_a_client_certificate_that_is_passed_on_is_shown_in_process(
    private: CertificateAuthority, tmp_path: Path
) -> None:
    certificate, key = private.files("client")
    trusted = {"GIT_SSL_CAINFO": str(private.certificate)}
    with file_server(tmp_path, private, clients=True, listing=LISTING) as url:
        named = asked_without_git(url, {**trusted, "GIT_SSL_CERT": str(certificate), "GIT_SSL_KEY": str(key)})
        assert isinstance(named, Answer), named
        assert asked_without_git(url, trusted) == WITHOUT_GIT


def test_a_proxy_is_used_in_process_and_left_out_where_no_proxy_says_so(tmp_path: Path) -> None:
    with file_server(tmp_path, listing=LISTING) as proxy:
        assert isinstance(asked_without_git("http://forge.invalid", {"http_proxy": proxy}, "http"), Answer)
        assert isinstance(asked_without_git("http://forge.invalid", {"ALL_PROXY": proxy}, "http"), Answer)
        excepted = {"http_proxy": proxy, "no_proxy": "forge.invalid"}
        assert asked_without_git("http://forge.invalid", excepted, "http") == WITHOUT_GIT
        overridden = {"http_proxy": "", "ALL_PROXY": proxy}
        assert asked_without_git("http://forge.invalid", overridden, "http") == WITHOUT_GIT


def test_a_forge_over_tls_without_http2_gets_eight_requests_at_once(
    private: CertificateAuthority, tmp_path: Path
) -> None:
    environ = {"GIT_SSL_CAINFO": str(private.certificate), "PATH": "/nowhere"}
    with file_server(tmp_path, private, listing=LISTING, together=AT_ONCE_PER_HOST) as url:
        queries = [TagQuery(Recipe(f"r{n}", f"{url}/r{n}.git", Path("/nowhere")), None) for n in range(16)]
        replies = GitUpstream(passing(environ) | environ, ("https",), 10.0).ask(queries)
    assert {type(reply) for reply in replies.values()} == {Answer}


@pytest.mark.needs("lighttpd-tls")
def test_a_forge_over_tls_and_http2_answers_as_it_answers_git(private: CertificateAuthority, tmp_path: Path) -> None:
    environ = {"GIT_SSL_CAINFO": str(private.certificate)}
    with forge(tmp_path / "forge", private) as served:
        commit = served.repository("notes").commit()
        UpstreamRepository(served.root / "notes.git").tag("1.0.0", commit, annotated=True)
        queries = [TagQuery(Recipe(f"r{n}", served.address("notes"), Path("/nowhere")), None) for n in range(100)]
        replies = GitUpstream(passing(environ) | {"PATH": "/nowhere"}, ("https",)).ask(queries)
        listed = LsRemote(passing(environ), ("https",)).list(served.address("notes"), 30.0)
    expected = reply_to(queries[0], listed)
    assert isinstance(expected, Answer), expected
    for reply in replies.values():
        assert isinstance(reply, Answer)
        assert (reply.branch, reply.head, reply.tags) == (expected.branch, expected.head, {"1.0.0": commit})
        assert reply.digest.split()[0] == expected.digest
