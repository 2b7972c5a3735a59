#!/usr/bin/env bash
# How many datagrams per second pass `udpcli relay` and socat, in one run: a sender as fast as the kernel takes datagrams, the
# relay, and a listener that counts, all on loopback. Then which of a million datagrams `--drop 5` loses, twice with the same
# seed. Exits with 1 if udpcli passes on less than five times as many as the faster socat, if the loss is not within 0.2
# percentage points of 5 %, or if the second run loses others.
#   tests/bench/relay.sh [SIZE] [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=${UDPCLI:-target/release/udpcli}
size=${1:-64}
seconds=${2:-3}

folder=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT

# address FILE: what a udpcli listens on, once it says so
address() {
  for _ in {1..200}; do
    grep -qs 'listening on' "$1" && break
    sleep 0.05
  done
  sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$1"
}

# measure NAME: sends through what `relay NAME SINK` starts
measure() {
  rm -f "$folder/sink"
  "$program" listen --bind 127.0.0.1 --port 0 --format raw --summary json >/dev/null 2>"$folder/sink" &
  local sink=$!
  running+=("$sink")
  relay "$1" "$(address "$folder/sink")"
  "$program" send "$at" --size "$size" --rate max --duration "${seconds}s" -q || true
  sleep 1
  kill -TERM "$relaying" "$sink"
  wait "$relaying" "$sink" 2>/dev/null || true
  python3 - "$folder/sink" "$1" "$seconds" "$size" <<'P' | tee -a "$folder/rates"
import json, sys
line = [line for line in open(sys.argv[1]) if line.startswith("{")][-1]
count, seconds = json.loads(line)["summary"]["datagrams"], float(sys.argv[3])
print(f"relay: {sys.argv[2]} passed on {count / seconds:.0f} datagrams of {sys.argv[4]} bytes per second")
P
}

# relay NAME SINK: starts a relay; `at` is where to send to
relay() {
  case $1 in
    udpcli*)
      local flags=(--rate max)
      [[ $1 == *faults* ]] && flags+=(--drop 5 --duplicate 1 --reorder 1 --random-seed 1)
      # Otherwise the address of the last relay may still stand there.
      rm -f "$folder/relay"
      "$program" relay --listen 127.0.0.1:0 --to "$2" "${flags[@]}" 2>"$folder/relay" &
      relaying=$!
      at=$(address "$folder/relay")
      ;;
    socat-u)
      at=127.0.0.1:$port
      socat -u -b 65536 "UDP4-RECV:$port,bind=127.0.0.1" "UDP4-SENDTO:$2" &
      relaying=$!
      sleep 0.5
      ;;
    socat)
      at=127.0.0.1:$port
      socat -b 65536 "UDP4-LISTEN:$port,bind=127.0.0.1" "UDP4:$2" &
      relaying=$!
      sleep 0.5
      ;;
  esac
  running+=("$relaying")
}

port=$(python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
for name in socat socat-u udpcli "udpcli with faults"; do
  measure "$name"
done

# losses N: sends a million numbered datagrams through a relay that loses 5 %; what comes through is in the file N
losses() {
  rm -f "$folder/sink" "$folder/relay"
  "$program" listen --bind 127.0.0.1 --port 0 --recv-buffer 64M --format raw >"$folder/$1" 2>"$folder/sink" &
  local sink=$!
  running+=("$sink")
  "$program" relay --listen 127.0.0.1:0 --to "$(address "$folder/sink")" --rate max --drop 5 --random-seed 7 \
    2>"$folder/relay" &
  local relaying=$!
  running+=("$relaying")
  "$program" send "$(address "$folder/relay")" --size 16 -n 1000000 --rate 100000 -q
  sleep 1
  kill -TERM "$relaying" "$sink"
  wait "$relaying" "$sink" 2>/dev/null || true
}
losses first
losses second

python3 - "$folder" <<'P'
import re, struct, sys

folder = sys.argv[1]
rates = [re.search(r"relay: (.*) passed on (\d+)", line).groups() for line in open(f"{folder}/rates")]
rates = {name: int(rate) for name, rate in rates}
ratio = rates["udpcli"] / max(rates["socat"], rates["socat-u"])
print(f"relay: udpcli passed on {ratio:.1f} times as many as the faster socat")

def lost(name):
    came = {number for number, _ in struct.iter_unpack(">QQ", open(f"{folder}/{name}", "rb").read())}
    return set(range(1_000_000)) - came

first, second = lost("first"), lost("second")
share = len(first) / 10_000
same = "the same" if first == second else f"{len(first ^ second)} others"
print(f"relay: --drop 5 lost {share:.3f} % of a million; with the same seed again, {same}")
sys.exit(ratio < 5 or abs(share - 5) > 0.2 or first != second)
P
