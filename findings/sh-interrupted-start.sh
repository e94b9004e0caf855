#!/usr/bin/env bash
# sh 2.4.0 (Python): Ctrl-C in the moment of a start makes a second copy of the caller, and a success of nothing.
#
# Between fork and exec the child runs Python code whose only guard is `except Exception`. KeyboardInterrupt, and any
# other exception of a signal handler that is no Exception, leaves it: the child goes on with the caller's own code,
# its `finally` and what follows, beside the real caller. When that copy ends well, the caller is told that the
# command, which never ran, ended with 0.
#
# `_preexec_fn`, which runs at that moment, stands for the Ctrl-C. What helps: to block the signal while a command is
# started (signal.pthread_sigmask), which the child inherits.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$folder/packages" sh==2.4.0

cat >"$folder/caller.py" <<'PYTHON'
import os
import signal
import sys
from pathlib import Path

import sh


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


notes, made = Path(sys.argv[1]), Path(sys.argv[2])
try:
    command = sh.Command("touch")(str(made), _return_cmd=True, _preexec_fn=interrupt)
    print(f"touch ended with {command.exit_code}", flush=True)
except KeyboardInterrupt:
    pass
finally:
    with notes.open("a") as file:
        file.write(f"{os.getpid()}\n")
PYTHON
said=$(PYTHONPATH="$folder/packages" timeout 60 python3 "$folder/caller.py" "$folder/notes" "$folder/made")

processes=$(sort -u "$folder/notes" | wc -l)
echo "sh $(PYTHONPATH="$folder/packages" python3 -c 'import sh; print(sh.__version__)')"
echo "processes that ran the caller's finally: $processes"
echo "what the caller was told: $said"
[[ -e $folder/made ]] && echo "the file is there" || echo "the file was never made"
[[ $processes == 2 && $said == "touch ended with 0" && ! -e $folder/made ]]
