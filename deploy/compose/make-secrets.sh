#!/bin/sh
# Makes what compose.yaml needs before its first start: an authority of one's own, certificates,
# passwords. What is there stays. A house with an authority of its own puts its files in this place
# instead, by the same names.
#
#   deploy/compose/make-secrets.sh [FOLDER]      # default: secrets, beside this script
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
days=825
mkdir -p "$folder"
cd "$folder"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# certificate NAME COMMON-NAME ALTERNATIVE-NAMES: NAME.pem has key and certificate (as Kafka reads
# them), NAME.key and NAME.crt each alone.
certificate() {
  [ -s "$1.pem" ] && return
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  {
    echo "subjectAltName=$3"
    echo "extendedKeyUsage=serverAuth,clientAuth"
    echo "keyUsage=critical,digitalSignature"
    echo "subjectKeyIdentifier=hash"
    echo "authorityKeyIdentifier=keyid"
  } > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" \
    -sha256 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
  cat "$1.key" "$1.crt" > "$1.pem"
}

if [ ! -s ca.pem ]; then
  key ca.key
  openssl req -x509 -new -key ca.key -subj "/CN=inowatch authority" -days "$days" -sha256 \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
fi
for number in 1 2 3; do
  certificate "kafka-$number" kafka "DNS:kafka-$number,DNS:localhost,IP:127.0.0.1"
done
certificate deploy deploy "DNS:deploy"
certificate influxdb influxdb "DNS:influxdb,DNS:localhost,IP:127.0.0.1"
certificate alertmanager alertmanager "DNS:alertmanager,DNS:localhost,IP:127.0.0.1"
certificate grafana grafana "DNS:grafana,DNS:localhost,IP:127.0.0.1"
[ -s grafana-admin-password ] || openssl rand -base64 33 > grafana-admin-password
# The name of the journal's key is the month in which it came into use.
[ -s journal.keys ] || echo "$(date +%Y-%m) $(openssl rand -hex 32)" > journal.keys
# The pager's receivers: fill the one that is used, and name it in receivers.env.
[ -e pagerduty-key ] || : > pagerduty-key
[ -s webhook-secret ] || printf 'whsec_%s\n' "$(openssl rand -base64 32)" > webhook-secret
