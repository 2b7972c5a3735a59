#!/usr/bin/env bash
# How many instructions a one-shot send takes from start to end (user space, callgrind), against the figure in
# tests/start.figure. Fails when it grew by more than 5 %: then find out why, or write the new figure there and say why in
# the commit. Counts do not depend on the machine's speed; they do on its C library, so a change of that is a new figure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-target/release/udpcli}
figure=$(<tests/start.figure)

command -v valgrind >/dev/null || {
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends valgrind; } >/dev/null || true
  fi
}
command -v valgrind >/dev/null || {
  echo "start: SKIPPED: needs valgrind (Debian: apt-get install valgrind)" >&2
  [[ ${CI:-} == true ]] && exit 1
  exit 0
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"; kill "${listener:-}" 2>/dev/null || true' EXIT
# Somebody who takes the datagram, so that no refusal changes the count.
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(120)' >"$folder/port" &
listener=$!
for _ in {1..100}; do
  [[ -s $folder/port ]] && break
  sleep 0.05
done
port=$(<"$folder/port")
# The same environment everywhere: its size alone changes the count.
count() {
  env -i PATH="$PATH" LANG=C UDPCLI_LANG=en timeout 60 valgrind --tool=callgrind --callgrind-out-file="$folder/out" \
    "$program" send "127.0.0.1:$port" hello 2>&1 | sed -n 's/.*Collected : //p'
}
# The least of three: hash seeds differ.
least=$(for _ in 1 2 3; do count; done | sort -n | head -1)
[[ -n $least ]] || { echo "start: callgrind counted nothing" >&2; exit 1; }
echo "start: $least instructions for a one-shot send, the figure is $figure ($(( (least - figure) * 1000 / figure )) per mille more)"
if ((least * 100 > figure * 105)); then
  echo "start: that is over 5 % more than tests/start.figure" >&2
  exit 1
fi
