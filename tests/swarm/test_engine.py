import pytest

from tests.images.build import Image, inputs, read_images, served
from tests.swarm.engine import Engine

IMAGES = read_images()


@pytest.mark.parametrize("image", [one for images in IMAGES.values() for one in images], ids=lambda image: image.title)
def test_the_registry_serves_each_image_as_its_folder_tells_it(engine: Engine, image: Image) -> None:
    assert engine.serves(image.title)
    assert served(image) == inputs(image, IMAGES), "another than this: python3 tests/images/build.py"


def test_the_client_resolves_compose_files(engine: Engine) -> None:
    assert "docker stack config" in engine.docker("stack", "config", "--help")


def test_the_engine_has_the_network_that_recipes_share_with_their_proxy(engine: Engine) -> None:
    told = engine.docker("network", "inspect", "--format", "{{.Driver}} {{.Attachable}}", "proxy")
    assert told == "overlay true"
