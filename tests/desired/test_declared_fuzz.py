import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from desired.declarations.declared import read_fleet
from desired.declarations.problems import DeclarationError
from desired.model import Fleet
from tests.fleet_declarations import FLEET, RECIPE, write_fleet

FULL_FLEET = FLEET + (
    'protocols = ["https", "file"]\nunit = "a.service"\n[environment]\npass = ["HTTPS_PROXY"]\n'
    '[swarm]\nzone = "ci.example"\nproxy = "direct"\n[defaults.ready]\ntcp = true\n[defaults.install.env]\nA = "1"\n'
)
FULL_RECIPE = RECIPE + (
    'driver = "swarm"\nenrolled = false\nexception = "why"\nreview = 2027-03-01\nrequires = ["git-lfs"]\n'
    '[release]\nallow = ">=2.0.0,<4"\n[install]\nenv = { TITLE = "Notes" }\nsecrets = { key = ["openssl", "rand"] }\n'
    'overlays = ["recipe.toml"]\nsteps = [["./seed.sh"]]\nneeds = ["wiki"]\n'
    '[ready]\nhttp = "/"\nstatus = [200]\ntimeout = "10m"\n[stop]\ngrace = "2m"\n'
    '[data]\nmark = ["m"]\ncheck = ["c"]\n[backup]\ntake = ["t"]\nrestore = ["r"]\n[upgrade]\nbase = "1.0.0"\n'
    'reason = "why"\n[tiers]\nbackup = "why"\n[custom]\nrun = [["x"]]\n[canonical]\nkeep = "running"\ngenerations = 2\n'
)
FRAGMENTS = [
    *"[]{}=.,\"'#\n\t \\+-:_0159azAZ", "[[", "]]", '"""', "'''", "true", "false", "1e5", "nan", "-inf", "0xff",
    "2027-03-01", "07:32:00", "\u00e9", "\u202e", "\x00", "\x7f", "\x85", "\ufeff", "\U0001f600", "\r", "\r\n",
    "[install]\n", "[ready]\n", "[[install]]\n", "a.b.c = 1\n", "{}", "[]", "9" * 20, "0x" + "f" * 40,
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """`text` after a few cuts, insertions, doublings and exchanges of values."""
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        lines = text.split("\n")
        match draw(st.sampled_from(["cut", "insert", "double", "drop", "move", "value"])):
            case "cut":
                start = draw(st.integers(0, len(text)))
                text = text[:start] + text[start + draw(st.integers(1, 5)) :]
            case "insert":
                start = draw(st.integers(0, len(text)))
                text = text[:start] + draw(st.sampled_from(FRAGMENTS)) + text[start:]
            case "double":
                text = "\n".join([*lines, draw(st.sampled_from(lines))])
            case "drop":
                del lines[draw(st.integers(0, len(lines) - 1))]
                text = "\n".join(lines)
            case "move":
                text = "\n".join(draw(st.permutations(lines)))
            case _:
                at = draw(st.integers(0, len(lines) - 1))
                lines[at] = f"{lines[at].split('=')[0]}= {draw(st.sampled_from(FRAGMENTS))}"
                text = "\n".join(lines)
    return text


def read(fleet: str | bytes, recipe: str | bytes) -> Fleet | DeclarationError:
    with tempfile.TemporaryDirectory() as folder:
        root = write_fleet(Path(folder) / "fleet", {"notes": "", "wiki": RECIPE})
        for file, content in ((root / "fleet.toml", fleet), (root / "recipes" / "notes" / "recipe.toml", recipe)):
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            return read_fleet(root)
        except DeclarationError as error:
            return error


def is_told_in_place(error: DeclarationError, texts: dict[str, str]) -> bool:
    """Whether every problem is there once, printable, and at a place that its file has."""
    assert error.problems
    assert list(error.problems) == sorted(set(error.problems))
    for problem in error.problems:
        lines = texts[Path(problem.file).name].replace("\r\n", "\n").split("\n")
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert str(problem).isprintable()
    return True


@given(mutated(FULL_FLEET), mutated(FULL_RECIPE))
def test_any_text_gives_a_fleet_or_problems_in_their_places(fleet: str, recipe: str) -> None:
    answer = read(fleet, recipe)
    event(type(answer).__name__)
    if isinstance(answer, DeclarationError):
        assert is_told_in_place(answer, {"fleet.toml": fleet, "recipe.toml": recipe})
    else:
        assert set(answer.recipes) == {"notes", "wiki"}


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_give_a_fleet_or_problems(fleet: bytes, recipe: bytes) -> None:
    assert isinstance(read(fleet, recipe), Fleet | DeclarationError)


def test_the_mutations_leave_some_texts_whole_and_break_others_in_many_ways() -> None:
    drawn: Counter[str] = Counter()

    @settings(max_examples=150, derandomize=True, database=None)
    @given(mutated(FULL_FLEET), mutated(FULL_RECIPE))
    def count(fleet: str, recipe: str) -> None:
        answer = read(fleet, recipe)
        if isinstance(answer, Fleet):
            drawn["whole"] += 1
        else:
            drawn.update(
                {"no TOML" if "not valid TOML" in problem.message else "flawed" for problem in answer.problems}
            )

    count()
    # Few changes are harmless, and none is drawn twice. Far fewer than were ever drawn: other Pythons draw otherwise.
    assert drawn["whole"] >= 3, drawn
    assert min(drawn["no TOML"], drawn["flawed"]) >= 15, drawn
