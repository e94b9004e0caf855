"""What a trial by hand tests without --ref, and whose fault it is where there is no such release."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Signature, Unobservable
from reconciler.cli.release_to_try import release_to_try
from reconciler.core.observation import Observation
from reconciler.errors import InfrastructureError, UsageError
from reconciler.stages.observe import observe
from tests.values import commit, observation
from tests.world import World

A, B = commit("a"), commit("b")
TAGS = st.dictionaries(st.sampled_from(["1.0.0", "1.1.0", "v1.1.0", "latest"]), st.sampled_from([A, B]))


@given(TAGS)
def test_where_upstream_was_seen_a_missing_release_is_never_called_a_fault_of_the_host(tags: dict[str, str]) -> None:
    apart = "1.1.0" in tags and tags.get("v1.1.0", tags["1.1.0"]) != tags["1.1.0"]
    seen = observation(tags, before={})
    with TemporaryDirectory() as folder:
        host = World(Path(folder)).host()
    if tags.keys() - {"latest"} and not apart:
        assert release_to_try(host, seen, None).version in tags
        return
    with pytest.raises(UsageError) as caught:
        release_to_try(host, seen, None)
    reason = "several tags are its newest version: 1.1.0, v1.1.0" if apart else "upstream has no release"
    assert caught.value.message == f"notes: nothing to try: {reason}"
    assert caught.value.hint == "name what to try: --ref REF"


def test_a_range_that_leaves_no_release_is_named(tmp_path: Path) -> None:
    seen = observation({"1.0.0": A})
    with pytest.raises(UsageError, match=r"upstream has no release in >=2$"):
        release_to_try(World(tmp_path).host(), evolve(seen, recipe=evolve(seen.recipe, allow=">=2")), None)


def test_where_upstream_was_not_seen_nothing_is_called_a_wrong_use(tmp_path: Path) -> None:
    unseen = evolve(observation({"1.0.0": A}), answer=Unobservable("upstream is down"))
    with pytest.raises(InfrastructureError, match=r"nothing to try: upstream is down"):
        release_to_try(World(tmp_path).host(), unseen, None)


def signed(tmp_path: Path) -> tuple[World, Observation]:
    world = World(tmp_path)
    world.declare("notes", signed=True)
    world.tag("notes", "1.0.0")
    return world, observe(world.host(), world.fleet, ["notes"], world.records()).observations["notes"]


def test_an_unsigned_newest_release_is_to_be_named(tmp_path: Path) -> None:
    world, seen = signed(tmp_path)
    world.run()
    with pytest.raises(UsageError, match=r"1\.0\.0 is unsigned: the tag has no signature") as caught:
        release_to_try(world.host(), seen, None)
    assert caught.value.hint == "to try it all the same: --ref 1.0.0"
    world.signatures[world.origins["notes"].tags["1.0.0"]] = Signature(signer="ada")
    assert release_to_try(world.host(), seen, None).version == "1.0.0"


def test_a_release_whose_tag_is_not_in_our_mirror_yet_is_not_called_unsigned(tmp_path: Path) -> None:
    world, seen = signed(tmp_path)
    with pytest.raises(
        InfrastructureError, match=r"the signature of 1\.0\.0 cannot be checked: our mirror lacks its tag"
    ):
        release_to_try(world.host(), seen, None)
