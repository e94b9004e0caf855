"""Which images are removed: only what Canon pulled, and never what anything needs."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.image_prune import (
    ImagePrune,
    PresentImage,
    StoredApp,
    images_to_prune,
    kept_releases,
    only_marks_of,
    still_useful,
)
from state.image_use import ImageUse, UsedImage

IDS = ("sha256:a", "sha256:b", "sha256:c")
TAGS = ("app:1", "app:2", "db:1", "mine:1")
RELEASES = st.tuples(st.sampled_from(["notes", "wiki"]), st.sampled_from(["c1", "c2", "c3"]))
USED = st.builds(UsedImage, st.sampled_from(TAGS[:3]), st.sampled_from(IDS), st.booleans())
USES = st.lists(
    st.builds(
        lambda release, images: ImageUse(release[0], release[1], tuple(images)),
        RELEASES,
        st.lists(USED, min_size=1, max_size=3),
    ),
    max_size=6,
)
PRESENT = st.lists(
    st.builds(
        PresentImage,
        st.sampled_from(IDS),
        st.lists(st.sampled_from(TAGS), max_size=2, unique=True).map(tuple),
        st.just(1),
        st.booleans(),
    ),
    unique_by=lambda image: image.id,
)
OLD = PresentImage("sha256:a", ("app:1",), 7, in_use=False)
PULLED = ImageUse("notes", "c1", (UsedImage("app:1", "sha256:a", pulled=True),))
KEPT = ImageUse("notes", "c2", (UsedImage("app:2", "sha256:b", pulled=True),))


@given(PRESENT, USES, st.sets(RELEASES), st.sets(st.sampled_from(["notes", "wiki"])))
def test_no_image_is_removed_that_canon_did_not_pull_or_that_anything_needs(
    present: list[PresentImage], uses: list[ImageUse], kept: set[tuple[str, str]], busy: set[str]
) -> None:
    for image in images_to_prune(present, uses, kept, busy).images:
        assert not image.in_use
        assert any(used.pulled for use in uses for used in use.images if used.id == image.id)
        assert "mine:1" not in image.tags
        for use in uses:
            if (use.recipe, use.commit) in kept or use.recipe in busy:
                assert all(used.id != image.id and used.reference not in image.tags for used in use.images)


@given(PRESENT, USES, st.sets(RELEASES, min_size=1))
def test_nothing_is_removed_while_the_images_of_a_generation_are_not_known(
    present: list[PresentImage], uses: list[ImageUse], kept: set[tuple[str, str]]
) -> None:
    plan = images_to_prune(present, uses, kept, ())
    unknown = {release for release in kept if not any((each.recipe, each.commit) == release for each in uses)}
    assert {*plan.unknown} == unknown
    assert not (plan.unknown and plan.images)


def test_an_image_goes_once_no_generation_has_its_release() -> None:
    uses = [PULLED, KEPT]
    assert images_to_prune([OLD], uses, {("notes", "c1"), ("notes", "c2")}, ()) == ImagePrune()
    assert images_to_prune([OLD], uses, {("notes", "c2")}, ()) == ImagePrune((OLD,))
    assert images_to_prune([OLD], uses, {("notes", "c2")}, ("notes",)) == ImagePrune()
    assert images_to_prune([evolve(OLD, in_use=True)], uses, {("notes", "c2")}, ()) == ImagePrune()


def test_an_image_that_was_there_before_or_that_somebody_named_stays() -> None:
    before = evolve(PULLED, images=(UsedImage("app:1", "sha256:a", pulled=False),))
    assert images_to_prune([OLD], [before], (), ()) == ImagePrune()
    assert images_to_prune([evolve(OLD, tags=("app:1", "mine:1"))], [PULLED], (), ()) == ImagePrune()
    assert images_to_prune([evolve(OLD, tags=())], [PULLED], (), ()).images


def test_a_tag_that_moved_stays_where_a_generation_names_it_though_by_another_id() -> None:
    moved = evolve(OLD, id="sha256:c")
    uses = [PULLED, ImageUse("wiki", "c9", (UsedImage("app:1", "sha256:c", pulled=True),))]
    assert images_to_prune([moved], uses, {("notes", "c1")}, ()) == ImagePrune()
    assert images_to_prune([moved], uses, (), ()) == ImagePrune((moved,))


@given(USES, st.sets(st.sampled_from(IDS)), st.sets(RELEASES))
def test_records_stay_for_generations_and_images_that_are_there_and_forget_who_pulled_the_others(
    uses: list[ImageUse], present: set[str], kept: set[tuple[str, str]]
) -> None:
    left = still_useful(uses, present, kept)
    for use in uses:
        useful = (use.recipe, use.commit) in kept or any(image.id in present for image in use.images)
        ids = tuple((image.reference, image.id) for image in use.images)
        found = [each for each in left if (each.recipe, each.commit) == (use.recipe, use.commit)]
        assert (ids in [tuple((image.reference, image.id) for image in each.images) for each in found]) == useful
    pulled = {image.id for use in uses for image in use.images if image.pulled}
    assert {image.id for use in left for image in use.images if image.pulled} == pulled & present
    assert still_useful(left, present, kept) == left


def test_needed_are_the_images_of_each_app_with_images_and_those_recorded_of_others() -> None:
    apps = [
        StoredApp("web", 1, "web", "c1", has_images=True),
        StoredApp("web", 1, "notes", "c1", has_images=False),
        StoredApp("wiki", 2, "wiki", "c1", has_images=False),
    ]
    assert kept_releases(apps, [PULLED]) == {("web", "c1"), ("notes", "c1")}


@given(st.lists(st.tuples(st.sampled_from(["here", "there", ""]), st.sampled_from([PULLED, KEPT]))))
def test_of_other_state_folders_and_engines_it_is_known_what_was_deployed_and_not_who_pulled(
    drawn: list[tuple[str, ImageUse]],
) -> None:
    uses = [evolve(use, owner=owner) for owner, use in drawn]
    left = only_marks_of("here", uses)
    assert [image.pulled for use in left for image in use.images] == [owner == "here" for owner, _ in drawn]
    assert [(use.recipe, use.commit, use.images[0].id) for use in left] == [
        (use.recipe, use.commit, use.images[0].id) for use in uses
    ]
    assert only_marks_of("here", left) == left
