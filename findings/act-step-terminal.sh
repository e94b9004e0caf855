#!/usr/bin/env bash
# act 0.2.89, jobs on the host (-P label=-self-hosted): a step's stdout and stderr are a terminal, though nobody looks at it.
#
# act opens a pseudo-terminal for each step and copies it into the job's log, also when its own output is a file and no
# input is there. So programs that draw on a terminal do it in the log: colours, cursor movements, and each picture of a
# progress bar one after the other. With TERM unset and CI=true it is the same, and there is no option against it
# (`act --help`). What helps: a pipe behind the command in the step (`2>&1 | cat`, with `set -o pipefail`).
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder/bin go install github.com/nektos/act@v0.2.89

cat >"$folder/workflow.yaml" <<'YAML'
on: [push]
jobs:
  look:
    runs-on: here
    steps:
      - run: |
          for number in 1 2; do if test -t "$number"; then echo "$number: terminal"; else echo "$number: none"; fi; done
      - run: |
          (if test -t 1; then echo "piped: terminal"; else echo "piped: none"; fi) | cat
YAML
"$folder/bin/act" --version
mkdir "$folder/home" "$folder/work"
env -u TERM HOME="$folder/home" CI=true "$folder/bin/act" push --workflows "$folder/workflow.yaml" --directory "$folder/work" \
  --platform here=-self-hosted </dev/null >"$folder/log" 2>"$folder/errors"
sed -n 's/.*  | //p' "$folder/log" | tr -d '\r' | tee "$folder/seen"
[[ $(cat "$folder/seen") == $'1: terminal\n2: terminal\npiped: none' ]]
