"""An app in two releases that shows each kind of way back and of stop, by the settings OLDER and NEWER."""

from tests import tiny_fleet

# Writes what MARK_ID names, and "marked" without it; the check looks for both.
MARK = tiny_fleet.ASK.replace("%s / HTTP", "%s /%s HTTP").replace(
    "% sys.argv[1].encode()", "% (sys.argv[1].encode(), os.environ.get('MARK_ID', 'marked').encode())"
)
CHECK = tiny_fleet.ASK + (
    "lines = answer.decode().split()\n"
    'sys.exit("marked" not in lines or os.environ.get("MARK_ID", "marked") not in lines)\n'
)

# What the older release does at its start over data of a newer one.
_AT_START = """\
import sys
own, what = os.environ["VERSION"], os.environ.get("OLDER")
lines = open(path).read().split()
newer = next((at for at, line in enumerate(lines) if line[0].isdigit() and line != own), None)
if newer is not None and what == "refuses":
    sys.exit("the data is of a newer format")
if newer is not None and what == "loses":
    open(path, "w").write("".join(line + "\\n" for line in lines[:newer]))
if newer is not None and what == "damages":
    open(path, "w").close()
if newer is not None and what == "hides":
    path = os.path.join(os.environ["DATA_DIR"], "other")
    open(path, "w").write("marked\\n")
listener = """
# The newer release, with NEWER=forgets, writes what it was sent only when it is asked to stop.
_AT_STOP = """\
import signal, sys
def stop(*_):
    with open(path, "a") as file:
        file.write("".join(kept))
    sys.exit(3)
kept = []
if os.environ.get("NEWER") == "forgets":
    signal.signal(signal.SIGTERM, stop)
listener = """
_POST = 'if asked.startswith("POST"):'
_KEEP = """\
if asked.startswith("POST") and os.environ.get("NEWER") == "forgets":
            kept.append(asked.split()[1].strip("/") + "\\n")
        elif asked.startswith("POST"):"""
_APP = tiny_fleet.APP.decode()

OLDER = _APP.replace("listener = ", _AT_START)
NEWER = (
    _APP.replace("listener = ", _AT_STOP)
    .replace(_POST, _KEEP)
    .replace("body = file.read()", 'body = file.read() + "".join(kept)')
)

# Migrates data of an older release in three steps, and does as the setting NEWER says.
MIGRATING = _APP.replace(
    "listener = ",
    """\
import sys, time
what, lines = os.environ.get("NEWER"), open(path).read().split()
if what == "refuses-oldest" and "0.9.0+v0" in lines:
    sys.exit("cannot migrate from 0.9")
if what == "empties-oldest" and "0.9.0+v0" in lines:
    open(path, "w").close()
if "migrated" not in lines:
    kept = open(path).read()
    if what == "careless":
        open(path, "w").close()
    time.sleep(2)
    with open(path + ".new", "w") as file:
        file.write(kept + "migrated\\n")
    os.replace(path + ".new", path)
listener = """,
)
