#!/usr/bin/env bash
# Draws what docker-compose.yml takes as secrets; what is there already stays.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
mkdir -p .secrets

draw() { [[ -s .secrets/$1 ]] || head -c 24 /dev/urandom | base64 | tr -d '/+=\n' >".secrets/$1"; }

draw triton_control_key
draw valkey_password
draw grafana_password
[[ -s .secrets/redis_url ]] || printf 'redis://:%s@valkey:6379/0' "$(cat .secrets/valkey_password)" >.secrets/redis_url
# Keys, comma separated; no key in api_keys: open to everyone.
for keys in api_keys operator_keys; do [[ -e .secrets/$keys ]] || : >".secrets/$keys"; done
# The containers' users are not this one, and only they are given the files.
chmod 644 .secrets/*
chmod 700 .secrets
