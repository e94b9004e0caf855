"""Ways in which a generation fails when it is checked for a rollback."""

from tests.world import Behaviour, World

# ---- refused ----


def cut(world: World) -> None:
    [tar] = world.state.canonical("notes", 1).glob("snapshot.tar*")
    tar.write_bytes(tar.read_bytes()[:-100])


def fails_to_start(world: World) -> None:
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(starts=False)


def loses_data(world: World) -> None:
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(loses_data=True)


def writes_into_its_checkout(world: World) -> None:
    world.behaviours[world.origins["notes"].tags["1.0.0"]] = Behaviour(writes_into_checkout=True)


def lacks_the_commit(world: World) -> None:
    world.mirrors["notes"].objects.discard(world.origins["notes"].tags["1.0.0"])
