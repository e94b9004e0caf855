# NixOS module: runs a pass of Canon by a timer.
#
#   imports = [ ./canon/nix/module.nix ];
#   services.reconcile = {
#     enable = true;
#     fleet.recipes = ./recipes;                     # a folder for each recipe, with its recipe.toml
#     fleet.settings.fleet.name = "ci";              # fleet.toml
#     fleet.keys = ./keys;                           # where releases have to be signed
#     budget.parallel = 2;
#     path = [ pkgs.docker pkgs.git-lfs ];
#   };
#
# Without fleet.recipes the fleet is the folder /etc/reconcile, which is then yours to fill.
{ config, lib, pkgs, ... }:

let
  cfg = config.services.reconcile;
  toml = pkgs.formats.toml { };
  settings = lib.recursiveUpdate { format = 1; } (
    cfg.fleet.settings // lib.optionalAttrs (cfg.budget != { }) { budget = cfg.budget; }
  );
  # One folder, since Canon reads the declarations and the tests of a fleet from one.
  declared = pkgs.runCommandLocal "canon-fleet" { } ''
    mkdir $out
    cp -r ${cfg.fleet.recipes} $out/recipes
    cp ${toml.generate "fleet.toml" settings} $out/fleet.toml
    ${lib.optionalString (cfg.fleet.keys != null) "cp -r ${cfg.fleet.keys} $out/keys"}
  '';
  fleet = if cfg.fleet.recipes == null then "/etc/reconcile" else "${declared}";
  tools = [ cfg.package pkgs.git pkgs.bash pkgs.coreutils pkgs.util-linux ] ++ cfg.path;
in
{
  options.services.reconcile = {
    enable = lib.mkEnableOption "Canon: a pass every week, which brings every canonical to its latest release";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package with the command reconcile.";
    };

    fleet.recipes = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      example = lib.literalExpression "./recipes";
      description = "The folder with a folder for each recipe. Null: the whole fleet is in /etc/reconcile.";
    };

    fleet.keys = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      example = lib.literalExpression "./keys";
      description = "The folder with the public keys for `[release] signed = true`: allowed_signers, NAME.asc.";
    };

    fleet.settings = lib.mkOption {
      type = toml.type;
      default = { };
      example = { fleet.name = "ci"; };
      description = "The content of fleet.toml, where fleet.recipes is set.";
    };

    budget = lib.mkOption {
      type = toml.type;
      default = { };
      example = { parallel = 2; };
      description = "The table [budget] of fleet.toml, where fleet.recipes is set.";
    };

    timer = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = "Sun *-*-* 03:00";
      description = "When a pass starts, as in OnCalendar= of systemd.timer(5). Null: only by hand.";
    };

    path = lib.mkOption {
      type = lib.types.listOf lib.types.package;
      default = [ ];
      example = lib.literalExpression "[ pkgs.docker pkgs.git-lfs ]";
      description = "What recipes and their tests need, beside git and a shell.";
    };

    forgeToken = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "/run/secrets/forge-token";
      description = "The file with the forge's token, for `[mirror] token = \"forge-token\"`. It is not copied to the store.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.fleet.recipes != null || (cfg.fleet.settings == { } && cfg.budget == { } && cfg.fleet.keys == null);
        message = "services.reconcile: fleet.settings, fleet.keys and budget need fleet.recipes; without it, write /etc/reconcile/fleet.toml.";
      }
    ];

    environment.systemPackages = [ cfg.package ];
    # A run by hand is to look at the same fleet as the unit.
    environment.variables.RECONCILE_FLEET = fleet;

    systemd.services.reconcile = {
      description = "Canon: bring every canonical to its recipe's latest release";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      path = tools;
      environment.RECONCILE_FLEET = fleet;
      # A rebuild of the system neither starts a pass nor ends one.
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${cfg.package}/bin/reconcile";
        SuccessExitStatus = "2 143";
        ConfigurationDirectory = "reconcile";
        StateDirectory = "reconcile";
        StateDirectoryMode = "0700";
        UMask = "0077";
        TimeoutStartSec = "20h";
        KillMode = "mixed";
        TimeoutStopSec = "15min";
        OOMPolicy = "continue";
        LimitCORE = "0";
        LoadCredential = if cfg.forgeToken == null then "forge-token" else "forge-token:${cfg.forgeToken}";
        CapabilityBoundingSet = "CAP_SYS_PTRACE";
        NoNewPrivileges = "yes";
        ProtectSystem = "strict";
        ProtectHome = "tmpfs";
        BindReadOnlyPaths = "-/root/.ssh -/root/.gitconfig -/root/.config/git -/root/.gnupg -/root/.docker";
        PrivateMounts = "yes";
        PrivateTmp = "yes";
        PrivateDevices = "yes";
        ProtectClock = "yes";
        ProtectControlGroups = "yes";
        ProtectHostname = "yes";
        ProtectKernelLogs = "yes";
        ProtectKernelModules = "yes";
        ProtectKernelTunables = "yes";
        ProtectProc = "invisible";
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6 AF_NETLINK";
        IPAddressDeny = "any";
        IPAddressAllow = "0.0.0.0/1 128.0.0.0/2 192.0.0.0/3 ::/1 8000::/2 c000::/3 e000::/4 f000::/5 f800::/6 fc00::/7 fe00::/8";
        RestrictNamespaces = "yes";
        RestrictRealtime = "yes";
        RestrictSUIDSGID = "yes";
        LockPersonality = "yes";
        SystemCallArchitectures = "native";
        SystemCallFilter = [ "@system-service" "~@resources" ];
        SystemCallErrorNumber = "EPERM";
      };
    };

    systemd.timers.reconcile = lib.mkIf (cfg.timer != null) {
      description = "Canon: a pass every week";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = cfg.timer;
        RandomizedDelaySec = "1h";
        FixedRandomDelay = "true";
        Persistent = "true";
      };
    };
  };
}
