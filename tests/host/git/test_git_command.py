import pytest

from desired.declarations.passing import PASSED_TO_GIT
from reconciler.host.git.git_command import error_line, git_argv, git_environment


def test_no_setting_of_the_host_or_of_a_user_reaches_git() -> None:
    hostile = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_EXEC_PATH": "/x",
        "HOME": "/root",
        "PATH": "/bin",
    }
    environment = git_environment(hostile, ("https", "ssh"))
    assert not environment.keys() & {"GIT_CONFIG_COUNT", "GIT_SSL_NO_VERIFY", "GIT_EXEC_PATH"}
    assert environment["HOME"] == "/nonexistent"
    assert environment["PATH"] == "/bin"
    assert environment["GIT_ALLOW_PROTOCOL"] == "https:ssh"


def test_without_protocols_none_may_be_spoken() -> None:
    assert git_environment({})["GIT_ALLOW_PROTOCOL"] == "none"


def test_a_fleet_may_say_how_ssh_is_called_and_a_proxy_is_passed_on() -> None:
    base = {"GIT_SSH_COMMAND": "ssh -i /etc/keys/deploy", "HTTPS_PROXY": "http://proxy:3128"}
    environment = git_environment(base)
    assert {name: environment[name] for name in base} == base
    assert git_environment({})["GIT_SSH_COMMAND"] == "ssh -oBatchMode=yes"


def test_variables_for_tls_and_proxies_reach_git() -> None:
    base = {name: f"/etc/{name}" for name in PASSED_TO_GIT}
    plain = {"SSL_CERT_FILE": "/a", "SSL_CERT_DIR": "/b", "http_proxy": "c", "all_proxy": "d", "no_proxy": "e"}
    environment = git_environment({**base, **plain})
    assert {name: environment[name] for name in (*base, *plain)} == {**base, **plain}
    assert {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_PROXY_SSL_CAINFO"} <= base.keys()


def test_a_setting_of_one_call_holds_over_the_profile() -> None:
    argv = git_argv("fetch", settings={"core.fsync": "none"})
    assert "core.fsync=none" in argv
    assert "core.fsync=all" not in argv
    assert argv[-1] == "fetch"


@pytest.mark.parametrize(
    ("err", "line"),
    [
        (b"warning: x\nfatal: repository 'y' not found\n", "repository 'y' not found"),
        (
            b"Host key verification failed.\r\nfatal: Could not read from remote repository.\n",
            "Host key verification failed.",
        ),
        (b"fatal: unable to access 'https://ada:opensesame@forge/x': gone", "unable to access 'https://forge/x': gone"),
        (b"remote: \x1b[2Jyou are fine\nfatal: no\x1b]0;title\x07\n", "no\\x1b]0;title\\x07"),
        (b"", "no reason given"),
    ],
)
def test_a_complaint_is_the_line_that_tells_why(err: bytes, line: str) -> None:
    assert error_line(err) == line
