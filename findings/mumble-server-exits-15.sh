#!/usr/bin/env bash
# mumble-server 1.5.735 (Debian 13): after SIGTERM it shuts down in order and exits with 15, the number of the signal.
#
# 1.3.4 (Debian 12) ends with 0 in the same case. So after the upgrade, each stop looks like a failure to whatever reads
# exit codes: a Swarm shows the task as failed, and `docker stop` leaves "Exited (15)". The data is whole. It is
# not 143, which shells and Docker give to a program that the signal ends, and which supervisors count as a clean end.
# What helps: to count 15 as success, such as SuccessExitStatus=15 in systemd.
#
# Root is needed, for chroot.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

exit_code() { # RELEASE PROGRAM
  local root=$folder/$1 code=0
  mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' --include=mumble-server,libqt5sql5-sqlite "$1" "$root"
  chroot "$root" dpkg-query --show mumble-server
  printf 'database=/tmp/mumble.sqlite\nlogfile=\nport=64799\n' >"$root/root/mumble.ini"
  : >"$folder/$1.log"
  chroot "$root" "$2" -fg -ini /root/mumble.ini >"$folder/$1.log" 2>&1 &
  for _ in {1..600}; do
    grep -qi listening "$folder/$1.log" && break
    sleep 0.1
  done
  sleep 1
  kill -TERM $!
  wait $! || code=$?
  tail -n 2 "$folder/$1.log"
  echo "exit code after SIGTERM: $code"
}

exit_code bookworm murmurd | tee "$folder/older"
exit_code trixie mumble-server | tee "$folder/newer"
[[ $(tail -n 1 "$folder/older") == *': 0' && $(tail -n 1 "$folder/newer") == *': 15' ]]
