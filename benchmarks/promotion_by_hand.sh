#!/bin/sh
# The engine's work of one promotion of custom-html, as a person would do it with Docker's command and curl.
#
# Started as: promotion_by_hand.sh CHECKOUT FOLDER, with DOCKER_HOST set to a Unix socket. CHECKOUT is the release,
# FOLDER is empty. Like Canon it installs, saves, starts again, backs up, restores elsewhere, tests, and raises what it
# saved. Unlike Canon it checks nothing but one page, keeps no logs, and waits for no task to run for a while.
set -eu
checkout=$1 folder=$2 api=${DOCKER_HOST#unix://}
image=$(sed -n 's/^ *image: *//p' "$checkout/compose.yml")
export NGINX_DEFAULT_VERSION=v1 DOMAIN=custom-html.localhost LETS_ENCRYPT_ENV=none EXTRA_DOMAINS=
data=/usr/share/nginx/html
cat >"$folder/overlay.yml" <<'END'
version: "3.8"
services:
  app:
    environment:
      DOMAIN: custom-html.localhost
    deploy:
      endpoint_mode: dnsrr
    ports:
      - {target: 80, published: 28080, mode: host}
END

ask() { curl --silent --fail --unix-socket "$api" --get --data-urlencode "filters=$2" "http://docker/v1.41/$1"; }

# rise STACK: deploy it, and wait until Swarm says that it runs (its health check has passed) and it answers.
rise() {
    STACK_NAME=$1 docker stack config --compose-file "$checkout/compose.yml" --compose-file "$folder/overlay.yml" \
        >"$checkout/by-hand.yml"
    docker pull --quiet "$image" >/dev/null
    docker stack deploy --detach=true --compose-file "$checkout/by-hand.yml" "$1" >/dev/null
    up "$1"
}

up() {
    running="{\"service\":[\"$1_app\"],\"desired-state\":[\"running\"]}"
    soon "ask tasks '$running' | grep -q '\"State\":\"running\"'"
    soon 'curl --silent --fail --output /dev/null http://127.0.0.1:28080/'
}

# soon COMMAND: repeat it until it succeeds, but not for ever.
soon() {
    tries=600
    until eval "$1"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "not in time: $1" >&2; exit 1; }
        sleep 0.2
    done
}

container() { docker ps --quiet --filter "label=com.docker.swarm.service.name=$1_app" --filter status=running; }

# scaled STACK: scale to nothing, and wait until the container has stopped.
scaled() {
    running=$(container "$1")
    docker service scale --detach "$1_app=0" >/dev/null
    docker wait "$running" >/dev/null
}

# save STACK FILE, load STACK FILE: the volume, through a container that never starts.
save() {
    made=$(docker create --volume "$1_content:/volume" "$image")
    docker cp --quiet "$made:/volume" - >"$2"
    docker rm "$made" >/dev/null
}
load() {
    made=$(docker create --volume "$1_content:/volume" "$image")
    docker cp --quiet - "$made:/" <"$2"
    docker rm "$made" >/dev/null
}

gone() {
    docker stack rm "$1" >/dev/null
    label="{\"label\":[\"com.docker.stack.namespace=$1\"]}"
    soon "! ask containers/json '$label' | grep -q '\"Id\"'"
    soon "docker volume rm --force $1_content >/dev/null 2>&1"
}

page() { curl --silent --fail http://127.0.0.1:28080/notes.html | grep -q hello; }

rise byhand1                                                    # install
docker exec "$(container byhand1)" sh -c "echo hello >$data/notes.html"
page
sleep 5                                                         # [ready] stable
scaled byhand1
save byhand1 "$folder/candidate.tar"
docker service scale --detach byhand1_app=1 >/dev/null          # backup
up byhand1
save byhand1 "$folder/backup.tar"
scaled byhand1
rise byhand2                                                    # restore
scaled byhand2
load byhand2 "$folder/backup.tar"
docker service scale --detach byhand2_app=1 >/dev/null
up byhand2
page
gone byhand2
docker service scale --detach byhand1_app=1 >/dev/null          # custom
up byhand1
curl --silent --head http://127.0.0.1:28080/ | grep -q '^Server: nginx/'
gone byhand1
docker volume create byhand3_content >/dev/null                 # promotion
load byhand3 "$folder/candidate.tar"
rise byhand3
page
gone byhand3
