#!/usr/bin/env bash
# sh 2.4.0 (Python): three threads start for each command, also if its input, output and errors are files.
#
# Given file descriptors for all three streams, sh makes no pipe and no terminal, and so has nothing to read or to write.
# It starts three threads nevertheless: one that waits for the command, one that reads output of which there is none, and
# a timer that would end that reading. `_no_out`, `_no_err` and `_no_pipe`, which are to spare such work, change nothing.
# A program that starts hundreds of short commands pays for it, and a signal handler must expect these threads.
#
# Python's own subprocess starts none.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$folder/packages" sh==2.4.0

cat >"$folder/caller.py" <<'PYTHON'
import os
import subprocess
import threading

import sh

started = []
start = threading.Thread.start


def counted(thread: threading.Thread) -> None:
    started.append(thread)
    start(thread)


threading.Thread.start = counted
stream = os.open("/dev/null", os.O_RDWR)
streams = {"_in": stream, "_out": stream, "_err": stream}
spared = {"_no_out": True, "_no_err": True, "_no_pipe": True}


def threads(run) -> int:
    started.clear()
    for _ in range(10):
        run()
    return len(started)


print(
    threads(lambda: sh.true(**streams)),
    threads(lambda: sh.true(**streams, **spared)),
    threads(lambda: subprocess.run(["true"], stdin=stream, stdout=stream, stderr=stream, check=True)),
)
PYTHON
read -r plain spared own < <(PYTHONPATH="$folder/packages" timeout 60 python3 "$folder/caller.py")

echo "sh $(PYTHONPATH="$folder/packages" python3 -c 'import sh; print(sh.__version__)')"
echo "threads started for ten commands whose streams are all files: $plain"
echo "with _no_out, _no_err and _no_pipe: $spared"
echo "with subprocess.run: $own"
[[ $plain == 30 && $spared == 30 && $own == 0 ]]
