import re
import sys
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.secret_values import HostSecrets
from reconciler.ports.app import App
from reconciler.ports.app_secrets import ProvidedSecrets, SecretMakers, SecretNeed
from tests.procfile_apps import ENVIRONMENT, ESCAPE, PYTHON, app_in_slot, is_running

SECRET = "correct horse battery staple"
MAKER = ("printf", "%s\\n", SECRET)


class Desk:
    """The app, a folder of makers and a log."""

    known: Path | None = None

    def __init__(self, folder: Path) -> None:
        self.app = app_in_slot(folder / "slot")
        self.folder = folder / "fleet"
        self.folder.mkdir()
        self.log = folder / "log"

    def provide(self, *needs: SecretNeed, **makers: tuple[str, ...]) -> ProvidedSecrets:
        secrets = HostSecrets({**ENVIRONMENT, "HTTPS_PROXY": "for commands only"})
        return secrets.provide(self.app, needs, SecretMakers(makers, self.folder, self.known), self.log)

    def made(self, name: str) -> str:
        return (self.app.secrets / name).read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(("charset", "alphabet"), [("", "[A-Za-z0-9]"), ("alnum", "[A-Za-z0-9]"), ("hex", "[0-9a-f]")])
@pytest.mark.parametrize("length", [1, 32, 4096])
def test_a_secret_of_known_length_is_drawn_from_its_alphabet(
    desk: Desk, charset: str, alphabet: str, length: int
) -> None:
    desk.provide(SecretNeed("x", length, charset), SecretNeed("y", length, charset))
    assert re.fullmatch(f"{alphabet}{{{length}}}", desk.made("x"))
    assert length == 1 or desk.made("x") != desk.made("y")


def test_secrets_are_closed_to_others(desk: Desk) -> None:
    desk.provide(SecretNeed("x", 8), SecretNeed("y"), y=MAKER)
    assert desk.app.secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in desk.app.secrets.iterdir()} == {0o600}


def test_a_maker_overrides_a_length_and_its_output_loses_one_line_end(desk: Desk) -> None:
    desk.provide(SecretNeed("x", 8), SecretNeed("y"), x=MAKER, y=("printf", "two\\n\\n"))
    assert desk.made("x") == SECRET
    assert desk.made("y") == "two\n"


def test_a_maker_runs_in_the_folder_of_the_recipes_tests(desk: Desk) -> None:
    (desk.folder / "make.sh").write_text("#!/bin/sh\ncat key.txt\n")
    (desk.folder / "make.sh").chmod(0o755)
    (desk.folder / "key.txt").write_text("from the fleet\n")
    desk.provide(SecretNeed("x"), x=("./make.sh",))
    assert desk.made("x") == "from the fleet"


def test_a_maker_gets_exactly_the_environment_it_was_promised(desk: Desk) -> None:
    desk.provide(SecretNeed("x"), x=("env", "-0"))
    environment = dict(entry.split("=", 1) for entry in desk.made("x").rstrip("\0").split("\0"))
    assert {name: value for name, value in environment.items() if not name.startswith("CANON_")} == {
        **ENVIRONMENT,
        "HOME": f"{desk.app.folder}/home",
        "TMPDIR": f"{desk.app.folder}/tmp",
        "RECIPE": "notes",
    }


def test_a_secret_that_is_there_is_kept(desk: Desk) -> None:
    desk.provide(SecretNeed("x", 8))
    before = desk.made("x")
    desk.provide(SecretNeed("x", 8), SecretNeed("y", 8), x=MAKER)
    assert desk.made("x") == before
    assert desk.made("y")


def test_a_maker_for_a_secret_that_the_release_does_not_read_is_not_run(desk: Desk) -> None:
    desk.provide(SecretNeed("x", 8), of_another_release=("touch", "ran"))
    assert [path.name for path in desk.app.secrets.iterdir()] == ["x"]
    assert list(desk.folder.iterdir()) == []


def test_a_maker_whose_secret_the_release_does_not_read_is_reported(desk: Desk) -> None:
    assert desk.provide(SecretNeed("x", 8), x=MAKER, y=MAKER, z=MAKER) == ProvidedSecrets((), ("y", "z"))


def test_a_maker_is_found_by_its_secrets_name_ignoring_case_and_dashes(desk: Desk) -> None:
    two = SecretNeed("other", other_names=("Db-Password",))
    assert desk.provide(SecretNeed("API-key"), two, api_key=MAKER, db_password=MAKER) == ProvidedSecrets()
    assert (desk.made("API-key"), desk.made("other")) == (SECRET, SECRET)
    exact = {"a-b": ("echo", "exact"), "a_b": ("echo", "alike")}
    desk.provide(SecretNeed("a-b"), SecretNeed("a_b"), **exact)
    assert (desk.made("a-b"), desk.made("a_b")) == ("exact", "alike")


def test_a_secret_that_is_there_under_its_other_name_is_kept_and_taken_over(desk: Desk, tmp_path: Path) -> None:
    desk.provide(SecretNeed("old", 8))
    desk.provide(SecretNeed("new", 8, other_names=("old",)))
    assert [path.name for path in desk.app.secrets.iterdir()] == ["old"]
    desk.known = tmp_path / "known"
    desk.known.mkdir()
    (desk.known / "before").write_text("had before")
    desk.provide(SecretNeed("x", 8, other_names=("before",)))
    assert desk.made("x") == "had before"


@pytest.mark.parametrize(
    ("need", "remarks"),
    [
        (SecretNeed("x", 64, declares_length=True), 1),
        (SecretNeed("y", 64, other_names=("x",), declares_length=True), 1),
        (SecretNeed("x", 32, declares_length=True), 0),
        # Its sample says no length: 64 is only what is usual.
        (SecretNeed("x", 64), 0),
    ],
)
def test_an_existing_secret_of_another_length_than_the_release_sets_is_remarked(
    desk: Desk, need: SecretNeed, remarks: int
) -> None:
    desk.provide(SecretNeed("x", 32, declares_length=True))
    said = (
        f"secret {need.name} has 32 characters, where the release asks for 64: "
        "who upgrades keeps the one that they have"
    )
    assert desk.provide(need).remarks == (said,) * remarks
    assert len(desk.made("x")) == 32
    assert desk.provide(need, x=MAKER).remarks == ()


def test_all_wrong_secrets_are_named_at_once_and_the_others_are_made(desk: Desk) -> None:
    needs = [SecretNeed(name) for name in ("no_maker", "fails", "silent", "endless", "missing")]
    with pytest.raises(RecipeError) as refusal:
        desk.provide(
            *needs,
            SecretNeed("good", 8),
            fails=("sh", "-c", "echo no entropy >&2; exit 3"),
            silent=("true",),
            endless=("yes",),
            missing=("no-such-program",),
        )
    assert refusal.value.message == (
        "notes: secret no_maker has no length or no known charset in .env.sample, and no maker; "
        "secret fails sh ended with exit code 3: no entropy; "
        "secret silent true printed nothing; "
        "secret endless yes printed more than 65536 bytes; "
        "secret missing no-such-program, which makes it, is not found in PATH"
    )
    assert "[install] secrets = { no_maker = [" in refusal.value.hint
    assert [path.name for path in desk.app.secrets.iterdir()] == ["good"]


def test_a_maker_whose_program_is_missing_blames_the_host(desk: Desk) -> None:
    with pytest.raises(InfrastructureError, match="secret x no-such-program, which makes it, is not found in PATH"):
        desk.provide(SecretNeed("x"), x=("no-such-program",))


def test_a_maker_of_the_fleet_that_is_not_there_blames_the_recipe(desk: Desk) -> None:
    with pytest.raises(RecipeError, match=r"secret x \./make\.sh"):
        desk.provide(SecretNeed("x"), x=("./make.sh",))


@pytest.mark.parametrize("code", [0, 1])
def test_no_secret_gets_into_the_log_or_an_error(desk: Desk, code: int) -> None:
    print_it = ("sh", "-c", f"echo '{SECRET}'; echo 'made {SECRET}' >&2; exit {code}")
    if code:
        with pytest.raises(RecipeError) as refusal:
            desk.provide(SecretNeed("x"), x=print_it)
        assert "made [redacted]" in refusal.value.message
        assert SECRET not in refusal.value.message + refusal.value.hint
    else:
        desk.provide(SecretNeed("x"), SecretNeed("y", 32), x=print_it)
        assert desk.made("y") not in desk.log.read_text()
    assert "secret x" in desk.log.read_text()
    assert SECRET not in desk.log.read_text()


def test_the_words_of_a_maker_cannot_steer_a_terminal(desk: Desk) -> None:
    with pytest.raises(RecipeError) as refusal:
        desk.provide(SecretNeed("x"), x=("sh", "-c", "printf '\\033[2J\\n\\302\\233' >&2; exit 1"))
    assert refusal.value.message.isprintable()


def test_a_maker_that_is_stopped_for_what_it_writes_to_stderr_is_told_so(desk: Desk) -> None:
    endless = (sys.executable, "-c", "import sys\nwhile True: sys.stderr.write('x' * 65536)")
    with pytest.raises(RecipeError) as refusal:
        desk.provide(SecretNeed("x"), x=endless)
    assert "was stopped, because it wrote more than 1048576 bytes to stderr" in refusal.value.message
    assert "None" not in refusal.value.message


def test_nothing_that_a_maker_starts_outlives_it(desk: Desk) -> None:
    pid = desk.folder / "pid"
    (desk.folder / "escape.py").write_text(ESCAPE)
    detach = f"{PYTHON} escape.py {pid}; while [ ! -s {pid} ]; do sleep 0.02; done; echo made"
    desk.provide(SecretNeed("x"), x=("sh", "-c", detach))
    assert desk.made("x") == "made"
    assert not is_running(int(pid.read_text()))


def test_a_link_is_not_followed_out_of_the_secrets(desk: Desk, tmp_path: Path) -> None:
    desk.provide(SecretNeed("x", 8))
    (desk.app.secrets / "y").symlink_to(tmp_path / "outside")
    desk.provide(SecretNeed("y", 8))
    assert not (tmp_path / "outside").exists()


def test_a_secret_that_is_had_elsewhere_is_taken_over_and_only_what_that_lacks_is_made(
    desk: Desk, tmp_path: Path
) -> None:
    desk.known = tmp_path / "known"
    desk.known.mkdir()
    (desk.known / "x").write_text("had before")
    (desk.known / "z").symlink_to(tmp_path / "log")
    desk.provide(SecretNeed("x", 8), SecretNeed("y", 8), SecretNeed("z", 8), x=MAKER)
    assert desk.made("x") == "had before"
    assert (len(desk.made("y")), len(desk.made("z"))) == (8, 8)
    assert (desk.app.secrets / "x").stat().st_mode & 0o777 == 0o600
    lines = ["secret x: taken over, 10 bytes", "secret y: made, 8 bytes", "secret z: made, 8 bytes"]
    assert desk.log.read_text().splitlines() == lines


def test_apps_of_one_slot_have_secrets_of_their_own(desk: Desk) -> None:
    other = App("needed", desk.app.folder.with_name("needed"), desk.app.mark)
    desk.provide(SecretNeed("x", 32))
    HostSecrets(ENVIRONMENT).provide(other, [SecretNeed("x", 32)], SecretMakers({}, desk.folder), desk.log)
    assert (other.secrets / "x").read_text() != desk.made("x")
