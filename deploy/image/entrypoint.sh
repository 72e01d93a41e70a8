#!/bin/sh
# Secrets are mounted files named like the variable they stand for. DACHUAN_KAFKA_PASSWORD becomes a variable with the
# file's content; DACHUAN_KEYS_FILE (any name ending in _FILE) becomes a variable with the file's path.
set -eu
for file in "${DACHUAN_SECRETS_DIR:-/run/secrets}"/DACHUAN_*; do
  [ -f "$file" ] || continue
  name=${file##*/}
  case $name in
    *_FILE) export "$name=$file" ;;
    *) value=$(cat "$file") && export "$name=$value" ;;
  esac
done
if [ $# -eq 0 ]; then
  echo "name a command, for example: python -m services.intake.main" >&2
  exit 64
fi
exec "$@"
