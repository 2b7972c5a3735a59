#!/usr/bin/env bash
# How many datagrams per second pass `udpcli relay` and socat, in one run: a sender as fast as the kernel takes datagrams, the
# relay, and a listener that counts, all on loopback.
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
  python3 - "$folder/sink" "$1" "$seconds" "$size" <<'P'
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
