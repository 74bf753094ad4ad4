#!/usr/bin/env bash
# Starts a one-node Ray on this machine, submits `distxml train` as a job, waits for it, and stops Ray again.
# Usage: cluster/local_job.sh RECIPE [A.B=C ...]     (relative paths count from the current folder)
set -euo pipefail

export RAY_AUTH_MODE=token
dashboard=http://127.0.0.1:8265

ray get-auth-token --generate > /dev/null
ray start --head --dashboard-host=127.0.0.1 --disable-usage-stats
trap 'ray stop' EXIT

words=$(printf '%q ' "$@")
ray job submit --address="$dashboard" -- bash -c "cd $(printf '%q' "$PWD") && distxml train $words"
