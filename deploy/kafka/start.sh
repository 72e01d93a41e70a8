#!/bin/sh
# Format the data folder once, with the admin's password, then run the node. KAFKA_LIBS and KAFKA_CONFIG are settings
# for the tests; in the image they keep their defaults.
set -eu
umask 077
libs=${KAFKA_LIBS:-/opt/kafka/libs/*}
config=${KAFKA_CONFIG:-/etc/dachuan/kafka}
data=$(sed -n 's/^log\.dirs=//p' "$config/server.properties")
secrets=${KAFKA_SECRETS:-/run/secrets}
logging="-Dlog4j2.configurationFile=$config/log4j2.properties"

if [ ! -f "$data/meta.properties" ]; then
  # An argument file, because a command line can be read by every process of the machine.
  arguments=$(mktemp)
  cat >"$arguments" <<ARGUMENTS
kafka.tools.StorageTool format
--cluster-id $(cat "$secrets/kafka_cluster_id")
--config $config/server.properties
--add-scram "SCRAM-SHA-512=[name=dachuan-admin,iterations=4096,password=$(cat "$secrets/kafka_admin_password")]"
ARGUMENTS
  # Its output shows the salted credential, so it goes nowhere; errors come on the other channel.
  java -Xmx256m -XX:+UseSerialGC "$logging" -cp "$libs" "@$arguments" >/dev/null
  rm -f "$arguments"
fi

exec java -Xms512m -Xmx512m -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
  "$logging" -cp "$libs" kafka.Kafka "$config/server.properties"
