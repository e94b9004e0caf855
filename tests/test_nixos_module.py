"""The NixOS module says the same as the shipped units, and needs what the project needs.

Here both are read as text. To evaluate the module with the library of nixpkgs (by hand, since CI has none):

    nix-instantiate --eval --strict --json tests/nixos_module.nix --arg lib 'import PATH-OF-NIXPKGS/lib' \
      --arg given 'package: { enable = true; fleet.recipes = "/srv/recipes"; budget.parallel = 2; }'
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
MODULE = (ROOT / "nix" / "module.nix").read_text()
# A host of NixOS has its own place for the program, its own schedule, and may name the token's file.
OF_NIXOS = {"ExecStart", "OnCalendar", "LoadCredential"}


@pytest.mark.parametrize(("unit", "section"), [("reconcile.service", "Service"), ("reconcile.timer", "Timer")])
def test_the_module_has_all_settings_of_the_unit_and_no_others(unit: str, section: str) -> None:
    text = (ROOT / "systemd" / unit).read_text().partition(f"\n[{section}]\n")[2].partition("\n[")[0]
    declared: dict[str, str] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        declared[key] = f"{declared[key]} {value}" if key in declared else value
    attributes = MODULE.partition(f"{section.lower()}Config = {{\n")[2].partition("\n      };")[0]
    values = re.findall(r'^ +(\w+) = (?:"(.*)"|\[ (.*) \]|.*);$', attributes, re.MULTILINE)
    set_here = {key: text or words.replace('"', "") for key, text, words in values}
    assert len(set_here) > 3
    assert {*set_here} == {*declared}
    assert {key: value for key, value in set_here.items() if key not in OF_NIXOS} == {
        key: value for key, value in declared.items() if key not in OF_NIXOS
    }


def test_the_package_names_every_dependency_and_no_other() -> None:
    package = (ROOT / "nix" / "package.nix").read_text()
    named = package.partition("dependencies = with python3Packages; [\n")[2].partition("];")[0].split()
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert named == sorted(Requirement(text).name for text in needed)


@pytest.mark.parametrize("option", ["recipes", "keys"])
def test_each_folder_that_can_be_declared_is_in_the_fleet_of_the_unit(option: str) -> None:
    script = MODULE.partition("runCommandLocal \"canon-fleet\" { } ''")[2].partition("'';")[0]
    assert f"fleet.{option} = lib.mkOption" in MODULE
    assert f"cp -r ${{cfg.fleet.{option}}} $out/{option}" in script
