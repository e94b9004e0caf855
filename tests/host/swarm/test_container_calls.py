"""Tests scripts in containers, archives and logs over the engine's API, with a stand-in that serves the answers."""

import gzip
import json
import tarfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.output import FirstBytes
from reconciler.host.swarm.engine.container_calls import frames
from tests.host.swarm.engine_stand_in import (
    Answer,
    EngineRequest,
    Serve,
    frame,
    gives,
    hangs_up,
    refuses,
    sends,
    streams,
    waits,
)

CREATE, START, STATE = "POST /containers/c/exec", "POST /exec/x/start", "GET /exec/x/json"
NO_SHELL = 'OCI runtime exec failed: exec: "sh": executable file not found in $PATH: unknown'


def script(start: Answer, state: Answer, create: Answer | None = None) -> dict[str, Answer]:
    return {CREATE: create or gives({"Id": "x"}, 201), START: start, STATE: state}


def in_turn(*answers: Answer) -> Answer:
    """Answer with one after the other."""

    def answer(handler: BaseHTTPRequestHandler, request: EngineRequest) -> None:
        for each in answers:
            each(handler, request)

    return answer


def ended(code: int) -> Answer:
    return gives({"Running": False, "ExitCode": code})


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40))), st.integers(1, 30))
def test_frames_are_read_whole_however_the_answer_is_cut(sent: list[tuple[int, bytes]], size: int) -> None:
    answer = b"".join(frame(stream, data) for stream, data in sent)
    chunks = [answer[at : at + size] for at in range(0, len(answer), size)]
    assert list(frames(chunks)) == sent


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_frame_that_is_not_whole_is_dropped(data: bytes, draw: st.DataObject) -> None:
    whole = frame(1, data)
    cut = draw.draw(st.integers(0, len(whole) - 1))
    assert list(frames([frame(2, b"before"), whole[:cut]])) == [(2, b"before")]


@pytest.mark.parametrize("code", [0, 3, 137])
def test_a_script_has_its_own_exit_code_and_its_output_before_its_messages(serve: Serve, code: int) -> None:
    start = streams((1, b"17\n"), (2, b"warning\n"), (1, b"half "), (1, b"whole\n"))
    assert serve(script(start, ended(code))).engine().execute("c", "it", 20) == (code, b"half whole\nwarning\n")


def test_a_script_gets_to_the_containers_shell_as_it_is(serve: Serve) -> None:
    stand_in = serve(script(streams(), ended(0)))
    stand_in.engine().execute("c", "echo 'it'\"'\"'s' $HOME", 20)
    (create,) = [request for request in stand_in.requests if request.line == CREATE]
    assert json.loads(create.body)["Cmd"][-1] == "echo 'it'\"'\"'s' $HOME"


@pytest.mark.parametrize(
    ("start", "state"),
    [
        (streams((1, b"half")), gives({"Running": True, "ExitCode": None})),
        (streams((1, b"half")), gives({"Running": False, "ExitCode": None})),
        (streams((1, b"half")), hangs_up),
        (streams((1, b"half")), refuses("broken")),
        (streams((1, b"half")), sends(b"{")),
        (hangs_up, gives({"Running": True, "ExitCode": None})),
        (refuses("rpc error: broken"), gives({"Running": False, "ExitCode": 0})),
    ],
)
def test_a_lost_connection_is_not_taken_for_the_end_of_a_script(serve: Serve, start: Answer, state: Answer) -> None:
    with pytest.raises(InfrastructureError):
        serve(script(start, state)).engine().execute("c", "it", 20)


def test_a_script_whose_container_went_meanwhile_failed(serve: Serve) -> None:
    gone = refuses("No such exec instance: x", 404)
    assert serve(script(streams((1, b"half\n")), gone)).engine().execute("c", "it", 20) == (1, b"half\n")


@pytest.mark.parametrize("create", [refuses("Container c is not running", 409), refuses("No such container: c", 404)])
def test_a_container_that_does_not_run_is_the_recipes_fault(serve: Serve, create: Answer) -> None:
    with pytest.raises(RecipeError, match="docker exec: "):
        serve(script(streams(), ended(0), create)).engine().execute("c", "it", 20)


@pytest.mark.parametrize("code", [126, 127])
def test_a_container_without_a_shell_is_reported_with_dockers_message(serve: Serve, code: int) -> None:
    found, output = serve(script(refuses(NO_SHELL, 400), ended(code))).engine().execute("c", "it", 20)
    assert found == code
    assert NO_SHELL.encode() in output


def test_a_script_that_runs_out_of_time_has_no_exit_code(serve: Serve) -> None:
    release = threading.Event()
    stand_in = serve(script(waits(release), gives({"Running": True, "ExitCode": None})))
    assert stand_in.engine().execute("c", "sleep 60", 0.3) == (None, b"")
    release.set()
    assert stand_in.lines.count(CREATE) == 1


@pytest.mark.parametrize("kill", [streams(), refuses("no such process")])
def test_a_script_that_runs_out_of_time_is_killed_by_the_pid_that_it_has_in_its_container(
    serve: Serve, kill: Answer
) -> None:
    release = threading.Event()
    created = iter(["x", "killer"])

    def create(handler: BaseHTTPRequestHandler, request: EngineRequest) -> None:
        gives({"Id": next(created)}, 201)(handler, request)

    stand_in = serve(
        {
            CREATE: create,
            START: in_turn(streams((1, b"17\n"), (1, b"some\n")), waits(release)),
            "POST /exec/killer/start": kill,
        }
    )
    assert stand_in.engine().execute("c", "echo some; sleep 60", 0.5) == (None, b"some\n")
    release.set()
    _, killing = [json.loads(request.body)["Cmd"] for request in stand_in.requests if request.line == CREATE]
    assert killing[-1] == "17"
    assert "kill" in killing[2]


def member_of_archive(size: int) -> bytes:
    """Return a member of a tar archive: a file of this many zeros."""
    member = tarfile.TarInfo("data/file")
    member.size = size
    return member.tobuf() + bytes(size)


def gzipped(archive: bytes) -> Answer:
    """Answer with an archive as Docker does: compressed, because the client says that it can read that."""

    def answer(handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
        body = gzip.compress(archive)
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


END_OF_ARCHIVE = bytes(1024)


@pytest.mark.parametrize(("sent", "stored"), [(sends, bytes), (gzipped, gzip.decompress)])
def test_an_archive_is_copied_out_as_it_is(
    serve: Serve, sent: Callable[[bytes], Answer], stored: Callable[[bytes], bytes]
) -> None:
    archive = member_of_archive(512_000) + END_OF_ARCHIVE
    stand_in = serve({"GET /containers/c/archive": sent(archive)})
    out = FirstBytes(1_000_000)
    stand_in.engine().copy_out("c", "/volumes/data", out)
    assert stored(out.data) == archive
    assert stand_in.requests[-1].params == {"path": ["/volumes/data"]}


@pytest.mark.parametrize("sent", [sends, gzipped])
@pytest.mark.parametrize("archive", [member_of_archive(2048), member_of_archive(512) + bytes(512), b""])
def test_an_archive_without_its_end_is_the_hosts_fault(
    serve: Serve, sent: Callable[[bytes], Answer], archive: bytes
) -> None:
    engine = serve({"GET /containers/c/archive": sent(archive)}).engine()
    with pytest.raises(InfrastructureError, match="copy a volume: the archive ended early"):
        engine.copy_out("c", "/volumes/data", FirstBytes(10_000))


def test_an_archive_is_copied_in_as_it_is(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"tar" * 100_000)
    stand_in = serve({"PUT /containers/c/archive": gives({})})
    stand_in.engine().copy_in("c", "/volumes", tmp_path / "a.tar")
    assert stand_in.requests[-1].body == b"tar" * 100_000


@pytest.mark.parametrize("answer", [hangs_up, refuses("No such container: c", 404), refuses("no space left", 500)])
def test_a_copy_that_fails_is_the_hosts_fault(serve: Serve, tmp_path: Path, answer: Answer) -> None:
    (tmp_path / "a.tar").write_bytes(b"tar")
    engine = serve({"PUT /containers/c/archive": answer, "GET /containers/c/archive": answer}).engine()
    copies: list[Callable[[], None]] = [
        lambda: engine.copy_in("c", "/", tmp_path / "a.tar"),
        lambda: engine.copy_out("c", "/", FirstBytes(10)),
    ]
    for copy in copies:
        with pytest.raises(CanonError) as failure:
            copy()
        assert isinstance(failure.value, InfrastructureError)


@pytest.mark.parametrize("terminal", [True, False])
def test_logs_have_frames_except_of_a_service_with_a_terminal(serve: Serve, *, terminal: bool) -> None:
    lines = b"one\ntwo\n"
    stand_in = serve({"GET /services/s/logs": sends(lines) if terminal else streams((1, b"one\n"), (2, b"two\n"))})
    service = {"ID": "s", "Spec": {"TaskTemplate": {"ContainerSpec": {"TTY": terminal}}}}
    out = FirstBytes(100)
    stand_in.engine().logs(service, 7, out)
    assert (out.data, stand_in.requests[-1].params["tail"]) == (lines, ["7"])
