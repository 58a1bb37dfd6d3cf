#!/usr/bin/env bash
# Triton in its container: the live release, and its control closed to everyone without the key.
set -euo pipefail

repository=${MODEL_REPOSITORY:-/models}
key=$(cat /run/secrets/triton_control_key)
control="model-repository,logging,trace,shared-memory:ocr-control-key=$key"
models=$(python3 /opt/ocr/repository.py "$repository")
mapfile -t load <<<"$models"

exec tritonserver \
    --model-repository="$repository" --model-control-mode=explicit "${load[@]}" \
    --grpc-port=8001 --metrics-port=8002 --http-port=8003 \
    --grpc-restricted-protocol="$control" --http-restricted-api="$control" \
    --exit-timeout-secs="${TRITON_STOP_TIMEOUT:-30}"
