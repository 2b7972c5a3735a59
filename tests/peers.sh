#!/usr/bin/env bash
# Installs what the tests talk to and look through, from Debian's packages. Instant where nothing is missing.
set -euo pipefail

# Command and the Debian package that has it; several packages offer "nc", so the OpenBSD one is asked for by its own name.
peers=(
    "socat socat"
    "ncat ncat"
    "nc.openbsd netcat-openbsd"
    "tshark tshark"
    "tcpdump tcpdump"
    "tcpreplay tcpreplay"
    "ip iproute2"
    "nft nftables"
    "kill procps"
    "python3 python3"
    "strace strace"
    "tmux tmux"
    "unshare util-linux"
    "jq jq"
    "sqlite3 sqlite3"
    "mosquitto mosquitto"
    "mosquitto_pub mosquitto-clients"
    "gnuplot gnuplot-nox"
    "mount mount"
)

# Fonts have no command: the file, and its package.
files=(
    "/usr/share/unifont/unifont.hex unifont"
)

# nft lives in /usr/sbin, which is not on everybody's PATH.
export PATH="$PATH:/usr/sbin:/sbin"

missing() {
    local peer command package
    for peer in "${peers[@]}"; do
        read -r command package <<<"$peer"
        # Not "command -v kill": the shell has its own, and the tests start the program.
        type -P "$command" >/dev/null || printf '%s\n' "$package"
    done
    for peer in "${files[@]}"; do
        read -r command package <<<"$peer"
        [[ -e $command ]] || printf '%s\n' "$package"
    done
}

# The virtual board makes a Python environment of its own; Debian has what that needs in another package.
missing_venv() {
    if type -P python3 >/dev/null && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        printf 'python3-venv\n'
    fi
}

packages=$(missing; missing_venv)
if [[ -z "$packages" ]]; then
    exit 0
fi
list=$(tr '\n' ' ' <<<"$packages")

if [[ $(id -u) -eq 0 ]] && type -P apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # The tests run tshark as the caller: no group and no setuid helper is needed.
    # shellcheck disable=SC2086 # package names have no spaces
    apt-get update -qq </dev/null >&2 && apt-get install -y -qq --no-install-recommends $list </dev/null >&2 || true
    packages=$(missing; missing_venv)
    list=$(tr '\n' ' ' <<<"$packages")
fi

if [[ -n "$packages" ]]; then
    printf 'tests/peers.sh: the tests need these packages: %s(on Debian, as root: apt-get install %s)\n' "$list" "${list% }" >&2
    exit 1
fi
