#!/usr/bin/env bash
# Installs packages of Debian's, as root or by a sudo that wants no password. Where neither is to be had
# it says which command is missing, and fails.
#
#     tools/system_packages.sh PACKAGE...

set -euo pipefail

fail() {
    printf 'fastload: %s\n' "$*" >&2
    exit 1
}

as_root=()
if ! command -v apt-get >/dev/null; then
    fail "these are missing (by Debian's names; install this system's own): $*"
fi
if ((EUID != 0)); then
    if ! sudo -n true 2>/dev/null; then
        fail "system packages are missing and sudo wants a password. Run this, then the same again:

    sudo apt-get install $*"
    fi
    as_root=(sudo -n)
fi
printf '== system packages: apt-get install %s\n' "$*"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y "$@"
