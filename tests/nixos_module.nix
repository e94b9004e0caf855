# What nix/module.nix leads to: evaluated with a `lib` of nixpkgs, and with the few options of NixOS that it sets.
# `given` is what a host declares, made from a function that makes packages. Nothing is built.
{ lib, given }:

let
  anything = lib.mkOption { type = lib.types.attrsOf lib.types.anything; default = { }; };
  package = path: { type = "derivation"; name = path; outPath = path; };
  pkgs = {
    formats.toml = _: {
      type = lib.types.attrsOf lib.types.anything;
      generate = _: value: builtins.toJSON value;
    };
    callPackage = _: _: package "/canon";
    runCommandLocal = name: _: script: "/${name} ${script}";
    git = package "/git";
    bash = package "/bash";
    coreutils = package "/coreutils";
  };
  evaluated = lib.evalModules {
    specialArgs = { inherit pkgs; };
    modules = [
      ../nix/module.nix
      { services.reconcile = given package; }
      {
        options = {
          assertions = lib.mkOption { type = lib.types.listOf lib.types.anything; default = [ ]; };
          environment.systemPackages = lib.mkOption { type = lib.types.listOf lib.types.anything; };
          environment.variables = anything;
          systemd.services = anything;
          systemd.timers = anything;
        };
      }
    ];
  };
in
{
  inherit (evaluated.config) environment systemd;
  refused = map (one: one.message) (lib.filter (one: !one.assertion) evaluated.config.assertions);
}
