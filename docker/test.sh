#!/usr/bin/env bash
# The test of docker compose, by an engine that runs, or else by one that is started for it: docker/test.sh
#
# Without an image registry the base image is a stand-in (docker/stand-in-base.sh). Ends with 77 and one line where no
# engine is to be had.
set -euo pipefail
cd "$(dirname "$0")/.."

UNTESTED=77
BASE=python:3.13-slim
STAND_IN=dlqlab-stand-in-base

untested() {
    echo "docker compose: not tested here: $*" >&2
    exit $UNTESTED
}

stand_in() { # the path of its archive
    docker/stand-in-base.sh || untested "no image registry is reached, and no stand-in for $BASE can be made"
}

check() { # with an engine
    if [ -z "${BASE_IMAGE:-}" ]; then
        if docker image inspect "$BASE" >/dev/null 2>&1 || docker pull --quiet "$BASE" >/dev/null 2>&1; then
            export BASE_IMAGE=$BASE
        else
            local archive=${STAND_IN_ARCHIVE:-$(stand_in)}
            [ -n "$archive" ] || exit $UNTESTED
            docker import --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
                --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' "$archive" $STAND_IN >/dev/null
            export BASE_IMAGE=$STAND_IN
        fi
    fi
    .venv/bin/python -m pytest --import-mode=importlib tests/compose/check_compose.py
}

if [ "${1:-}" = --inside ]; then
    check
    exit
fi
command -v docker >/dev/null || untested "there is no docker"
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || untested "there is no docker compose"
if docker version >/dev/null 2>&1; then
    check
    exit
fi
[ "$(id -u)" = 0 ] || untested "no engine runs, and only root can start one"
for program in dockerd unshare ip iptables debootstrap; do
    command -v $program >/dev/null || untested "no engine runs, and there is no $program to start one"
done
docker/with-engine.sh true || untested "no engine runs, and none can be started"
# The engine that is started reaches no network: what the image needs is fetched before.
STAND_IN_ARCHIVE=$(stand_in)
export STAND_IN_ARCHIVE
docker/with-engine.sh "$0" --inside
