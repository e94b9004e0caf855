from pathlib import Path

import pytest

from desired.declarations.problems import quoted
from tests.fleet_declarations import FLEET, problem_texts, write_fleet

ADDRESS = "wants an address such as https://host/path.git, git@host:path.git or file:///path"


UPSTREAMS = [
    "",
    "-uhttps://forge.example/x",
    "--upload-pack=x",
    "/srv/notes.git",
    "./notes.git",
    "forge.example/notes.git",
    "git://forge.example/notes.git",
    "ext::sh -c x",
    "ftp://forge.example/x",
    "HTTPS://forge.example/x",
    "https://",
    "https:///x",
    "https://forge.example",
    "https://forge.example/",
    "https://-oProxyCommand=x/y",
    "https://forge.example:port/x",
    "https://f\u00f6rge.example/x",
    "file://srv/notes.git",
    "file:///",
    "git@forge.example",
    "git@forge.example:",
    "git@forge.example:-x",
    "git@-forge.example:x",
    "git@host::x",
    "host:x",
    "https://forge.example/" + "x" * 2048,
]


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_address_outside_the_grammar_is_refused(tmp_path: Path, upstream: str) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f"recipe.upstream = '{upstream}'\n"})
    assert problem_texts(folder) == [
        f"recipes/notes/recipe.toml:1:8: recipe.upstream {ADDRESS}, not {quoted(upstream)}",
    ]


@pytest.mark.parametrize("character", ["\\n", "\\t", "\\u0000", "\\u001b", "\\u007f", "\\u0085", "\\\\"])
def test_an_address_holds_no_control_characters(tmp_path: Path, character: str) -> None:
    upstream = f'recipe.upstream = "https://forge.example/a{character}b"\n'
    (problem,) = problem_texts(write_fleet(tmp_path / "fleet", {"notes": upstream}))
    assert problem.startswith(f"recipes/notes/recipe.toml:1:8: recipe.upstream {ADDRESS}, not ")


@pytest.mark.parametrize(
    "upstream",
    [
        "https://me:s3cret@forge.example/x",
        "https://s3cret@forge.example/x",
        "http://s3cret@forge.example:8443/x",
        "ftp://s3cret@forge.example/x",
        "HTTPS://s3cret@forge.example/x",
        "ssh://me:s3cret@h/x",
        "me:s3cret@forge.example:x",
        "https://a@b:s3cret@h/x",
        "x://:s3cret@",
    ],
)
def test_an_address_with_a_possible_secret_is_refused_and_the_secret_not_repeated(
    tmp_path: Path, upstream: str
) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f"recipe.upstream = '{upstream}'\n"})
    (problem,) = problem_texts(folder)
    assert problem.startswith("recipes/notes/recipe.toml:1:8: recipe.upstream has a user, a token or a password")
    assert "s3cret" not in problem


PROTOCOLS = {
    "https": ["https://forge.example/notes.git", "https://forge.example:8443/~me/notes", "https://[::1]/x"],
    "ssh": [
        "ssh://git@forge.example:2222/notes.git",
        "git@forge.example:notes.git",
        "git@forge.example:/srv/notes.git",
    ],
    "http": ["http://127.0.0.1:8000/notes.git"],
    "file": ["file:///srv/a b/notes.git"],
}


@pytest.mark.parametrize(
    ("protocol", "upstream"), [(p, upstream) for p, all_ in PROTOCOLS.items() for upstream in all_]
)
def test_an_address_is_accepted_exactly_if_the_fleet_names_its_protocol(
    tmp_path: Path, protocol: str, upstream: str
) -> None:
    for allowed in (*PROTOCOLS, None):
        protocols = "" if allowed is None else f'protocols = ["{allowed}"]'
        fleet = write_fleet(tmp_path / str(allowed), {"notes": f"recipe.upstream = '{upstream}'"}, FLEET + protocols)
        accepted = allowed == protocol or (allowed is None and protocol in {"https", "ssh"})
        refusal = f"recipe.upstream uses {protocol}, which is not in [fleet] protocols"
        assert problem_texts(fleet) == ([] if accepted else [f"recipes/notes/recipe.toml:1:8: {refusal}"])
