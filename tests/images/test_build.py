from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.images.build import BuildError, Image, closure, inputs, read_images

NAMES = "abcdef"


@st.composite
def families(draw: st.DrawFn) -> dict[str, list[Image]]:
    """Images of which each comes from scratch or from ones before it in the alphabet."""
    drawn: dict[str, list[Image]] = {}
    for name in NAMES:
        bases = ["scratch", *(image.title for images in drawn.values() for image in images)]
        chosen = draw(st.lists(st.sampled_from(bases), min_size=1, max_size=3))
        drawn[name] = [Image(name, str(number), base) for number, base in enumerate(chosen)]
    return drawn


def write(folder: Path, name: str, versions: str, dockerfile: str = "FROM scratch\n") -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "versions").write_text(versions)
    (folder / name / "Dockerfile").write_text(dockerfile)
    return folder / name


@given(families(), st.sets(st.sampled_from(NAMES), min_size=1))
def test_an_image_is_made_once_and_after_all_it_comes_from(images: dict[str, list[Image]], asked: set[str]) -> None:
    order = closure(asked, images)
    assert asked <= set(order)
    assert len(order) == len(set(order))
    for place, name in enumerate(order):
        origins = {image.base.partition(":")[0] for image in images[name]} - {"scratch"}
        assert origins <= set(order[:place])


@given(families())
def test_nothing_is_made_that_nobody_asked_for(images: dict[str, list[Image]]) -> None:
    order = closure(["f"], images)
    needed = {image.base.partition(":")[0] for name in order for image in images[name]} - {"scratch"}
    assert set(order) == needed | {"f"}


def test_images_that_come_from_each_other_are_refused() -> None:
    images = {"a": [Image("a", "1", "b:1")], "b": [Image("b", "1", "a:1")]}
    with pytest.raises(BuildError, match="from each other"):
        closure(["a"], images)


def test_an_image_from_nowhere_is_refused_by_its_name() -> None:
    with pytest.raises(BuildError, match=r"a:1: comes from b:2"):
        closure(["a"], {"a": [Image("a", "1", "b:2")], "b": [Image("b", "1", "scratch")]})


def test_versions_are_read_in_order_with_their_keys(tmp_path: Path) -> None:
    write(tmp_path, "app", "# two releases\n1.0 scratch  SUM=h1:x=\n\n2.0 scratch # newer\n")
    assert read_images(tmp_path) == {
        "app": [Image("app", "1.0", "scratch", {"SUM": "h1:x="}), Image("app", "2.0", "scratch")]
    }


def test_an_image_is_built_again_when_a_file_or_its_line_or_its_origin_changes(tmp_path: Path) -> None:
    write(tmp_path, "base", "1 scratch\n")
    folder = write(tmp_path, "app", "2 base:1 KEY=a\n3 base:1\n")

    def now(line: int = 0) -> str:
        images = read_images(tmp_path)
        return inputs(images["app"][line], images, tmp_path)

    seen = [now(), now(1)]
    (folder / "entry.sh").write_text("exec app\n")
    seen.append(now())
    (folder / "entry.sh").chmod(0o755)
    seen.append(now())
    (tmp_path / "base" / "Dockerfile").write_text("FROM scratch\nENV A=1\n")
    seen.append(now())
    (folder / "versions").write_text("2 base:1 KEY=b\n3 base:1\n")
    seen.append(now())
    assert len(set(seen)) == len(seen)


def test_an_image_is_left_alone_when_only_another_version_is_added(tmp_path: Path) -> None:
    folder = write(tmp_path, "app", "1 scratch\n")
    images = read_images(tmp_path)
    before = inputs(images["app"][0], images, tmp_path)
    (folder / "versions").write_text("1 scratch\n2 scratch\n")
    images = read_images(tmp_path)
    assert inputs(images["app"][0], images, tmp_path) == before
