#!/usr/bin/env bash
# How many requests per second `udpcli listen` answers with 100 rules, of which the last one matches: 50 regular
# expressions, 25 patterns of bytes, 25 texts. One sender on loopback asks at the given rate and counts the replies. Exits with 1
# if the requests came more than 1 % slower than that, or if one was not answered.
#   tests/bench/replies.sh [RATE] [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=${UDPCLI:-target/release/udpcli}
rate=${1:-100000}
seconds=${2:-5}

folder=$(mktemp -d)
trap 'rm -rf "$folder"; kill "${listener:-}" 2>/dev/null || true' EXIT
for ((rule = 1; rule < 100; rule++)); do
  case $((rule % 4)) in
    0) pattern="hex: 01 $(printf %02x "$rule") *" ;;
    1) pattern="request $rule" ;;
    *) pattern="re:^request ([0-9]+) of device $rule\$" ;;
  esac
  printf '[[replies]]\non = "%s"\ntemplate = "answer {0} {seq}"\n' "${pattern//\\/\\\\}"
done >"$folder/rules.toml"
printf '[[replies]]\non = "re:^temp ([0-9]+)$"\ntemplate = "{1}: {rand:18..25}"\n' >>"$folder/rules.toml"

"$program" listen --bind 127.0.0.1 --port 0 --no-project --replies "$folder/rules.toml" --reply-rate 1000000 \
  --format raw --summary json >/dev/null 2>"$folder/listen" &
listener=$!
for _ in {1..100}; do
  grep -q 'listening on' "$folder/listen" && break
  sleep 0.05
done
address=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$folder/listen")
"$program" send "$address" "temp 7" --rate "$rate" --duration "${seconds}s" -w 500ms --format raw --summary json \
  >/dev/null 2>"$folder/send" || true
kill -TERM "$listener"
wait "$listener" || true
listener=
python3 - "$folder/send" "$folder/listen" "$rate" <<'P'
import json, sys
send, listen = [json.loads([line for line in open(name) if line.startswith("{")][-1])["summary"] for name in sys.argv[1:3]]
print(f"replies: {send['datagrams']} requests at {send['rate']:.0f}/s, {listen['answered']} answered, "
      f"{listen['dropped']} dropped by the kernel, {send['replies']} replies seen")
is_slower = send["rate"] < int(sys.argv[3]) * 0.99
sys.exit(is_slower or listen["answered"] < send["datagrams"])
P
