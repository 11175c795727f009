# Read by .ci/run: a Docker engine for the rest of the script, if one can be had.
#
# engine_ready succeeds if an engine answers, perhaps after installing and starting one, within a time limit. What it
# started is stopped when the script ends. What could not be had is said, and is no failure of the script.

engine_pid=""

engine_stop() {
    if [ -n "$engine_pid" ]; then
        kill "$engine_pid" 2>/dev/null || true
        wait "$engine_pid" 2>/dev/null || true
        engine_pid=""
    fi
}

engine_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    set -- timeout 300 env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
    # The lists of packages may be missing, or older than the archive.
    "$@" || { timeout 300 apt-get update && "$@"; }
}

engine_start() {
    [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null 2>&1 || return 1
    engine_log=$(mktemp)
    dockerd >"$engine_log" 2>&1 &
    engine_pid=$!
    trap engine_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    waited=0
    while [ "$waited" -lt 60 ] && kill -0 "$engine_pid" 2>/dev/null; do
        timeout 10 docker version >/dev/null 2>&1 && return 0
        sleep 1
        waited=$((waited + 1))
    done
    tail -n 3 "$engine_log" >&2
    engine_stop
    return 1
}

engine_ready() {
    if ! command -v mmdebstrap >/dev/null 2>&1; then
        engine_install mmdebstrap >/dev/null || { echo "mmdebstrap cannot be had" >&2; return 1; }
    fi
    timeout 20 docker version >/dev/null 2>&1 && return 0
    # A client may be there without an engine.
    command -v dockerd >/dev/null 2>&1 || engine_install docker.io >/dev/null \
        || { echo "no Docker engine answers, and docker.io cannot be installed" >&2; return 1; }
    timeout 20 docker version >/dev/null 2>&1 && return 0
    engine_start || { echo "no Docker engine answers, and none could be started" >&2; return 1; }
}
