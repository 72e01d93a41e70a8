#!/bin/sh
# Keeps connection logs for DACHUAN_NETWORK_LOG_DAYS (200 unless set; the law asks for six months) and then deletes them.
set -eu
days=${DACHUAN_NETWORK_LOG_DAYS:-200}
if [ "$days" -lt 184 ]; then
  echo "DACHUAN_NETWORK_LOG_DAYS=$days is less than six months (网络安全法第二十一条); refused" >&2
  exit 64
fi
folder=${DACHUAN_NETWORK_LOG_DIR:-/var/log/dachuan-network}
while :; do
  find "$folder" -type f -name '*.log' -mtime "+$days" -delete
  [ "${1:-}" = once ] && exit 0
  sleep 86400 &
  wait $!
done
