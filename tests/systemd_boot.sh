#!/usr/bin/env bash
# Becomes a systemd of its own: a root, such as the machine's, under a layer that is thrown away, in namespaces that die
# with it. Arguments: a control group (version 2) for it alone, an empty folder, the root, then folders that it is to see
# read-only.
# Started as process 1 of new mount, pid, uts, ipc and network namespaces; ends as systemd.
set -euo pipefail

if [[ ${1:-} != --grouped ]]; then
  echo 0 >"$1/cgroup.procs" # 0 is the writer itself, whose number outside this namespace it cannot know
  exec unshare --cgroup -- "$BASH" "$0" --grouped "$@"
fi
base=$3 lower=$4 shared=("${@:5}") root=$3/root
# shellcheck source=tests/devices.sh
source "$(dirname "$0")/devices.sh"

mount -t tmpfs -o mode=755 layer "$base"
mkdir "$base"/{upper,work,root}
mount -t overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" overlay "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys" # most of it is the whole machine's
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" # shows our own group as its root
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs tmp "$root/tmp"
make_devices "$root"

for folder in "${shared[@]}"; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done

# None of the machine's own services, and none of its disks.
ln -sf /usr/lib/systemd/system/sysinit.target "$root/etc/systemd/system/default.target"
: >"$root/etc/fstab"
hostname canon-test

cd "$root"
mkdir -p .outside
pivot_root . .outside
umount --lazy /.outside
mount --make-rshared / # in a container systemd leaves this to its starter
# Without these rights it is sure to load no module and set no clock of the machine that runs the tests.
exec env -i container=canon-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio -- /lib/systemd/systemd --show-status=no
