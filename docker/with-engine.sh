#!/usr/bin/env bash
# Runs a command beside a Docker engine of its own: docker/with-engine.sh COMMAND...
#
# The engine lives in namespaces of its own, for network, mounts and processes. Its bridges, firewall rules and published
# ports are in there with it, the command sees 127.0.0.1 of that network, and when the command ends, however it ends, the
# kernel takes all of it away. Nothing in there reaches any other network.
#
# Needs root and dockerd. DLQLAB_ENGINE_ROOT names a folder that keeps the engine's images for the next time.
set -euo pipefail

READY_DEADLINE_S=60
GONE_DEADLINE_S=10

start_engine() { # in the namespaces; as long as this shell lives
    ip link set lo up
    dockerd --data-root "$ROOT/data" --exec-root "$ROOT/exec" --pidfile "$ROOT/pid" --host "$DOCKER_HOST" \
        --cgroup-parent "$CGROUP" >"$ROOT/dockerd.log" 2>&1 &
    local deadline=$((SECONDS + READY_DEADLINE_S))
    until docker version >/dev/null 2>&1; do
        if ! kill -0 $! 2>/dev/null || [ $SECONDS -ge $deadline ]; then
            echo "the Docker engine did not start:" >&2
            tail -5 "$ROOT/dockerd.log" >&2
            exit 125
        fi
        sleep 0.2
    done
}

if [ "${DLQLAB_ENGINE_INSIDE:-}" = yes ]; then
    start_engine
    set +e
    DLQLAB_ENGINE_INSIDE='' "$@"
    exit $?
fi

remove_groups() {
    find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} + 2>/dev/null
}

remove_traces() { # what is not in the namespaces: the control groups and the folder
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
    local deadline=$((SECONDS + GONE_DEADLINE_S))
    until remove_groups || [ $SECONDS -ge $deadline ]; do # processes that are still ending hold them
        sleep 0.2
    done
    rm -rf "$ROOT/exec" "$ROOT/docker.sock" "$ROOT/pid"
    [ -n "${DLQLAB_ENGINE_ROOT:-}" ] || rm -rf "$ROOT"
}

ROOT=${DLQLAB_ENGINE_ROOT:-$(mktemp -d)}
mkdir -p "$ROOT"
export ROOT CGROUP="dlqlab-engine-$$" DOCKER_HOST="unix://$ROOT/docker.sock"
# The namespaces end when unshare does, and unshare when this shell does, also where that is killed.
DLQLAB_ENGINE_INSIDE=yes setpriv --pdeathsig KILL unshare --net --mount --pid --mount-proc --fork --kill-child "$0" "$@" &
child=$!
trap remove_traces EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
wait "$child"
