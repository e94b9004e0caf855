"""Tags whose names are attacks: listed as no releases, escaped, and harmless."""

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.folders import entries_below
from tests.repositories import HOSTILE_TAGS


def test_hostile_names_are_listed_escaped_and_have_no_effect(settled: OneRecipeFleet) -> None:
    kept = settled.promoted_state()
    around = entries_below(settled.folder / "fleet")
    for name in HOSTILE_TAGS:
        settled.upstream.tag(name)
    told = settled.json("--dry-run")
    row = told.row("jot")
    assert (told.code, row["cause"], len(row["not_releases"])) == (0, "in-sync", len(HOSTILE_TAGS))
    assert {"--upload-pack=x", "$(id)", "1.0.0\u202e0.9", "1.0.0\u009b31m"} <= set(row["not_releases"])

    said = settled.run("-o", "wide")
    assert (said.code, said.err) == (0, "")
    assert all(line.isprintable() for line in said.out.splitlines())
    [listed] = [line for line in said.out.splitlines() if line.startswith("jot: no releases: ")]
    assert {"--upload-pack=x", "$(id)", r"1.0.0\u202e0.9", r"1.0.0\x9b31m"} <= set(
        listed.removeprefix("jot: no releases: ").split(", ")
    )
    assert settled.promoted_state() == kept
    assert entries_below(settled.folder / "fleet") == around
    assert {path.name for path in settled.folder.iterdir()} == {"fleet", "state", "upstreams"}


def test_a_tag_that_is_no_release_for_its_length_or_for_what_it_names_is_listed_with_the_reason(
    settled: OneRecipeFleet,
) -> None:
    long = f"1.1.0+{'9' * 140}"
    settled.upstream.tag(long)
    settled.upstream.tag("1.2.0", settled.upstream.blob(b"no commit"))
    assert settled.run("-q").code == 0
    said = settled.run("--dry-run", "-o", "wide")
    listed = f"jot: no releases: {long[:40]}… (more than 128 characters), 1.2.0 (names no commit)"
    assert listed in said.out.splitlines()


def test_a_release_is_promoted_past_hostile_names(settled: OneRecipeFleet) -> None:
    for name in HOSTILE_TAGS:
        settled.upstream.tag(name)
    settled.release(SECOND)
    told = settled.json()
    assert (told.code, told.row("jot")["have"]["version"]) == (0, SECOND)
    assert settled.mirrored().keys() == {"refs/heads/main", f"refs/tags/{FIRST}", f"refs/tags/{SECOND}"}
