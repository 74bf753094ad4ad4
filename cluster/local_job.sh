#!/usr/bin/env bash
# Starts a Ray of its own on this machine, trains on it as a job, waits, and ends the Ray that it has started, no other.
# Usage: cluster/local_job.sh NAME RECIPE [A.B=C ...]     (NAME is the run's; paths count from the current folder)
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '3s/^# //p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift

export RAY_AUTH_MODE=token
unset RAY_ADDRESS
RAY_TMPDIR=$(mktemp -d /tmp/ray-job-XXXXXX) # short: sockets lie in it
export RAY_TMPDIR
[ -n "${RAY_AUTH_TOKEN:-}" ] || ray get-auth-token --generate > /dev/null

# Another Ray on this machine may have the usual ports.
free_ports() {
  python3 -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]; print(*[x.getsockname()[1] for x in s])'
}
read -r dashboard client agent <<< "$(free_ports)"
address=http://127.0.0.1:$dashboard

# In a session of its own, so that Ctrl-C reaches it last. On SIGTERM it ends all that belongs to it.
setsid ray start --head --block --port=0 --node-ip-address=127.0.0.1 --disable-usage-stats \
  --dashboard-host=127.0.0.1 --dashboard-port="$dashboard" \
  --ray-client-server-port="$client" --dashboard-agent-listen-port="$agent" > "$RAY_TMPDIR/start.log" 2>&1 &
ray=$!
end_ray() {
  kill "$ray" 2> /dev/null || true
  wait "$ray" || true
  rm -rf "$RAY_TMPDIR"
}
trap end_ray EXIT
trap 'exit 143' TERM

is_up() { python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=2)' "$address/api/gcs_healthz" 2> /dev/null; }
until is_up; do
  kill -0 "$ray" 2> /dev/null || { cat "$RAY_TMPDIR/start.log" >&2; exit 1; }
  sleep 1
done
echo "dashboard: $address (its token: ray get-auth-token)"

python3 "$here/submit.py" --address="$address" --in="$PWD" "$name" train "$@" &
wait $!
