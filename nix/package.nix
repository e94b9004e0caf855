# Canon as a package, from the Python libraries of nixpkgs. Not built by our CI, which has no nixpkgs: where nixpkgs has an
# older library than pyproject.toml asks for, Canon gets that one.
{ lib, python3Packages, git }:

let
  # Not in nixpkgs: the grammar by which a problem in a declaration gets its line.
  tree-sitter-toml = python3Packages.buildPythonPackage rec {
    pname = "tree_sitter_toml";
    version = "0.7.0";
    pyproject = true;
    src = python3Packages.fetchPypi {
      inherit pname version;
      hash = "sha256-KeJXYS+o8MH8vE5+CN3FYRafFyUmUwLmTYEIY1QUSnA=";
    };
    build-system = [ python3Packages.setuptools ];
  };
in
python3Packages.buildPythonApplication {
  pname = "canon-reconcile";
  version = builtins.head (builtins.match ".*__version__ = \"([^\"]*)\".*" (builtins.readFile ../reconciler/__init__.py));
  pyproject = true;
  src = lib.cleanSource ../.;

  build-system = [ python3Packages.hatchling ];
  pythonRelaxDeps = true;
  dependencies = with python3Packages; [
    attrs
    backports-zstd
    click
    docker
    jinja2
    packaging
    pycurl
    pyyaml
    rich
    securesystemslib
    tenacity
    tomli
    tree-sitter
    tree-sitter-toml
  ];

  makeWrapperArgs = [ "--prefix PATH : ${lib.makeBinPath [ git ]}" ];
  # The tests want git servers, systemd and Docker.
  doCheck = false;
  pythonImportsCheck = [ "reconciler" ];

  meta = {
    description = "Keeps a known-good, tested release with its data for every recipe of a host";
    license = lib.licenses.gpl3Plus;
    platforms = lib.platforms.linux;
    mainProgram = "reconcile";
  };
}
