#!/usr/bin/env bash
# Counts the allocations (valgrind, memcheck) of a send with a template and of a listener with reply rules, for few and for
# many datagrams: the difference is what the datagrams cost. A batch has allocations of its own, for the headers of its
# system calls. So the client asks only after each answer, which makes each datagram a batch, and the listener is compared
# with one that echoes. Fails if a template or a rule takes one allocation for four datagrams, or more.
#   tests/allocations.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-target/release/udpcli}
few=1000
many=3000

command -v valgrind >/dev/null || {
  echo "allocations: SKIPPED: needs valgrind (Debian: apt-get install valgrind)" >&2
  [[ ${CI:-} == true ]] && exit 1
  exit 0
}

folder=$(mktemp -d)
trap 'kill "${running:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

# counted FILE: the allocations that valgrind counted
counted() {
  sed -n 's/.*total heap usage: \([0-9,]*\) allocs.*/\1/p' "$1" | tr -d ,
}

# under FILE ARGUMENT..: udpcli under valgrind, which writes its report into FILE
under() {
  timeout 120 valgrind --tool=memcheck --leak-check=no --undef-value-errors=no --log-file="$1" "$program" "${@:2}"
}

# address FILE: what a udpcli listens on, once it says so
address() {
  for _ in {1..600}; do
    grep -qs 'listening on' "$1" && break
    sleep 0.05
  done
  sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$1"
}

# sending COUNT: what a send of so many datagrams allocates
sending() {
  "$program" listen --bind 127.0.0.1 --port 0 --format raw >/dev/null 2>"$folder/sink" &
  running=$!
  under "$folder/report" send "$(address "$folder/sink")" -n "$1" -e --append crc16-modbus \
    --template '{seq:04} {time} {time:%H:%M:%S} {unix_ms} {rand:8} {rand:1..100}\n' >&2 2>"$folder/send"
  kill "$running"
  wait "$running" || true
  counted "$folder/report"
}

# answering COUNT FLAG..: what a listener allocates that answers so many datagrams
answering() {
  rm -f "$folder/listen"
  under "$folder/report" listen --bind 127.0.0.1 --port 0 --no-project "${@:2}" --reply-rate 1000000 \
    --format raw -n "$1" >/dev/null 2>"$folder/listen" &
  running=$!
  python3 -c '
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(20)
client.connect((host, int(port)))
for number in range(int(sys.argv[2])):
    client.send([b"temp 7", b"line of text", b"\x01\x02"][number % 3])
    client.recv(65535)' "$(address "$folder/listen")" "$1"
  wait "$running"
  counted "$folder/report"
}

for ((rule = 1; rule < 98; rule++)); do
  printf '[[replies]]\non = "re:^request ([0-9]+) of device %s$"\ntemplate = "{1} {seq}"\n' "$rule"
done >"$folder/rules.toml"
printf '[[replies]]\non = "%s"\ntemplate = "%s"\n' \
  're:^temp ([0-9]+)$' '{1}: {rand:18..25} {time:%H:%M:%S}' 'hex: 01 *' '{0}' 'line of text' '{line} from {from}' \
  >>"$folder/rules.toml"

# growth WHAT [FLAG..]: how many allocations the datagrams take that are more
growth() {
  local less more
  less=$("$1" $few "${@:2}")
  more=$("$1" $many "${@:2}")
  echo $((more - less))
}

of_templates=$(growth sending)
of_echo=$(growth answering --echo)
of_rules=$(growth answering --replies "$folder/rules.toml")
datagrams=$((many - few))
echo "allocations: $of_templates for $datagrams datagrams of a template; $of_rules for $datagrams answers by 100 rules, $of_echo for as many echoes"
if ((of_templates >= datagrams / 4 || of_rules - of_echo >= datagrams / 4)); then
  echo "allocations: something is allocated for each datagram" >&2
  exit 1
fi
