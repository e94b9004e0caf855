"""How the images of other state folders on an engine are guarded, against a stand-in for the engine."""

from pathlib import Path

from reconciler.host.swarm.engine_images import EngineImages
from reconciler.host.swarm.services.pulled_images import pull_images
from reconciler.ports.app import App
from reconciler.ports.images import Images
from state.image_log import read_uses
from tests.host.swarm.engine_stand_in import Answer, Serve, gives

EMPTY = ("services", "configs", "secrets", "networks", "containers/json", "images/json")
NOTHING: dict[str, Answer] = {f"GET /{kind}": gives([]) for kind in EMPTY} | {"GET /volumes": gives({"Volumes": []})}


def of_state(state: str) -> dict[str, dict[str, str]]:
    return {"Labels": {"canon.slot": "/var/lib/canon/kept/notes", "canon.state": state}}


def test_other_state_folders_are_told_by_the_label_of_any_kind_of_object_and_our_own_is_none(serve: Serve) -> None:
    ours = {"GET /services": gives([{"ID": "s1", "Spec": of_state("ours")}])}
    stand_in = serve(NOTHING | ours)
    images: Images = EngineImages(stand_in.engine(CANON_STATE="ours"))
    assert list(images.others()) == []
    for line, answer in (
        ("GET /volumes", {"Volumes": [{"Name": "v1", **of_state("volume's")}]}),
        ("GET /networks", [{"Id": "n1", **of_state("network's")}]),
        ("GET /containers/json", [{"Id": "c1", **of_state("container's")}]),
        ("GET /services", [{"ID": "s2", "Spec": of_state("service's")}, {"ID": "s1", "Spec": of_state("ours")}]),
    ):
        stand_in.answers[line] = gives(answer)
    assert list(images.others()) == ["container's", "network's", "service's", "volume's"]
    asked = [request for request in stand_in.requests if request.line == "GET /volumes"]
    assert all("canon.state" in request.params["filters"][0] for request in asked)


def test_a_record_of_pulled_images_says_of_which_state_folder_and_which_engine(serve: Serve, tmp_path: Path) -> None:
    log = tmp_path / "images.jsonl"
    engine = serve(NOTHING).engine(CANON_STATE="ours")
    pull_images(engine, (), log, App("notes", tmp_path / "app", ""), "c1")
    assert [use.owner for use in read_uses(log)] == ["ours n1"] == [EngineImages(engine).owner]
