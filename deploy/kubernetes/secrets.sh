#!/bin/sh
# Puts the files of `python -m deploy.image.secrets FOLDER` into the cluster, each part only where it is needed.
#   sh deploy/kubernetes/secrets.sh FOLDER            applies
#   sh deploy/kubernetes/secrets.sh FOLDER --show     prints the manifests only (they hold the secrets)
set -eu
folder=${1:?name the folder of secrets}
made() {
  name=$1
  shift
  kubectl create secret generic "$name" --namespace dachuan --dry-run=client --output yaml "$@"
  echo ---
}
all() {
  for service in notify intake casework scoring; do
    set -- --from-file="DACHUAN_DATABASE_URL=$folder/${service}_database_url" \
      --from-file="DACHUAN_KAFKA_PASSWORD=$folder/${service}_kafka_password" \
      --from-file="DACHUAN_KEYS_FILE=$folder/${service}_keys" \
      --from-file="DACHUAN_JWKS_FILE=$folder/jwks"
    if [ "$service" = notify ]; then
      set -- "$@" --from-file="DACHUAN_TOKEN_KEY_FILE=$folder/token_key"
    fi
    made "dachuan-$service" "$@"
    made "dachuan-$service-owner" --from-file="DACHUAN_OWNER_DATABASE_URL=$folder/${service}_owner_database_url"
  done
  made dachuan-admin --from-file="DACHUAN_POSTGRES_ADMIN_URL=$folder/postgres_admin_url" \
    --from-file="DACHUAN_KAFKA_ADMIN_PASSWORD=$folder/kafka_admin_password" \
    --from-file="passwords.json=$folder/passwords"
  made dachuan-postgres --from-file="postgres_password=$folder/postgres_password"
  made dachuan-kafka --from-file="kafka_cluster_id=$folder/kafka_cluster_id" \
    --from-file="kafka_admin_password=$folder/kafka_admin_password" \
    --from-file="kafka_controller_password=$folder/kafka_controller_password"
  made dachuan-tls --from-file="tls_certificate=$folder/tls_certificate" --from-file="tls_key=$folder/tls_key"
  made dachuan-alertmanager --from-file="smtp_password=$folder/smtp_password"
  made dachuan-grafana --from-file="grafana_password=$folder/grafana_password"
}
if [ "${2:-}" = --show ]; then
  all
else
  all | kubectl apply --filename -
fi
