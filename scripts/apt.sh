#!/bin/sh
# Install Debian packages where that needs no password; else say in one line what to install.
set -eu

ask() {
    echo "Please install: $* (on Debian or Ubuntu: sudo apt-get install $*)" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || ask "$@"
if [ "$(id -u)" -eq 0 ]; then
    root=env
elif sudo -n true 2>/dev/null; then
    root="sudo -n env"
else
    ask "$@"
fi

echo "Installing with apt-get: $*"
# A stale list of packages is no reason to stop: the packages may be in it all the same.
$root apt-get update -qq || true
$root DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "$@" >/dev/null || ask "$@"
