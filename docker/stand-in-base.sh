#!/usr/bin/env bash
# Makes a stand-in for the image python:3.13-slim, for machines that reach no image registry: Debian from its package
# mirror, this machine's Python 3.13 and, since a build may reach no package index either, the locked packages.
#
#   docker/stand-in-base.sh            prints the path of an archive for `docker import`, made unless it is there
#
# Needs root, debootstrap, and what pip is set up with on this machine; no engine. All is kept in .dlqlab/stand-in.
set -euo pipefail
cd "$(dirname "$0")/.."

SUITE=bookworm
CACHE=$PWD/.dlqlab/stand-in
ARCHIVE=$CACHE/base.tar
PYTHON=$PWD/.venv/bin/python
# What python:3.13-slim has besides a minimal Debian: the libraries of Python's own extension modules.
LIBRARIES=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,netbase,tzdata,zlib1g

download_debian() {
    debootstrap --variant=minbase --include="$LIBRARIES" "$SUITE" "$CACHE/debian.partial" >"$CACHE/debootstrap.log" 2>&1 ||
        { tail -20 "$CACHE/debootstrap.log" >&2; exit 1; }
    mv "$CACHE/debian.partial" "$CACHE/debian"
}

download_packages() { # the lock's, and what builds the few of them that come as source
    rm -rf "$CACHE/wheels"
    mkdir "$CACHE/wheels"
    local with_pip=$PYTHON # an environment that uv made has none
    "$with_pip" -m pip --version >/dev/null 2>&1 || with_pip=$("$PYTHON" -c 'import sys; print(sys._base_executable)')
    "$with_pip" -m pip download --quiet --dest "$CACHE/wheels" --require-hashes --requirement requirements.txt
    "$with_pip" -m pip download --quiet --dest "$CACHE/wheels" setuptools wheel
    cp requirements.txt "$CACHE/wheels.lock"
}

add_python() { # to a root file system: this machine's, at the place where the real image has it
    local root=$1 prefix
    prefix=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    (cd "$prefix" && find bin/python3.13 lib/python3.13 lib/libpython3* -maxdepth 0 2>/dev/null || true) |
        tar -C "$prefix" --exclude=__pycache__ --exclude=site-packages --exclude=test --exclude='*.a' -cf - --files-from - |
        tar -C "$root/usr/local" --no-same-owner -xf -
    mkdir -p "$root/usr/local/lib/python3.13/site-packages"
    ln -sf python3.13 "$root/usr/local/bin/python3"
    ln -sf python3.13 "$root/usr/local/bin/python"
    chroot "$root" ldconfig
    chroot "$root" /usr/local/bin/python -c 'import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib, zoneinfo'
    PIP_ROOT_USER_ACTION=ignore chroot "$root" /usr/local/bin/python -m ensurepip >/dev/null
    ln -sf pip3.13 "$root/usr/local/bin/pip"
}

add_packages() { # and have pip look nowhere else
    cp -r "$CACHE/wheels" "$1/opt/wheels"
    printf '[global]\nno-index = true\nfind-links = /opt/wheels\n' >"$1/etc/pip.conf"
}

mkdir -p "$CACHE"
if ! cmp --silent requirements.txt "$CACHE/wheels.lock"; then
    download_packages
    rm -f "$ARCHIVE"
fi
if [ ! -f "$ARCHIVE" ]; then
    rm -rf "$CACHE/debian.partial" "$CACHE/root"
    [ -d "$CACHE/debian" ] || download_debian
    cp -a "$CACHE/debian" "$CACHE/root"
    add_python "$CACHE/root"
    add_packages "$CACHE/root"
    tar -C "$CACHE/root" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists -cf "$ARCHIVE.partial" .
    mv "$ARCHIVE.partial" "$ARCHIVE"
    rm -rf "$CACHE/root"
fi
echo "$ARCHIVE"
