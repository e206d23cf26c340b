#!/bin/sh
# Makes a private authority and a certificate of nats-server:
#
#   make-certificates.sh FOLDER NAME...      NAME: what clients connect to, a host name or an address
#
# ca.pem goes to every client (caFile), server.pem and server.key to the server. ca.key is needed only
# for the next certificate: keep it off the network.
set -eu
folder=$1
shift
days=825
umask 077
mkdir -p "$folder"
cd "$folder"

names=
for name in "$@"; do
  case $name in
    *[!0-9.]*) kind=DNS ;;
    *) kind=IP ;;
  esac
  names=${names:+$names,}$kind:$name
done

openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days 3650 -subj "/CN=ferryman NATS authority" -out ca.pem
openssl ecparam -name prime256v1 -genkey -noout -out server.key
openssl req -new -key server.key -subj "/CN=$1" -out server.csr
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" \
  -extfile server.ext -out server.pem 2>server.log || { cat server.log >&2; exit 1; }
rm -f server.csr server.ext server.log
chmod 644 ca.pem server.pem
