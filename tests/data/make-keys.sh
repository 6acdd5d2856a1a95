#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the private keys of this directory anew: PKCS#8, not encrypted, good for nothing but tests. They are kept as data
# because making an RSA key takes a time that nobody knows beforehand: under a sanitizer 15 to more than 200 s were seen.
set -euo pipefail
cd "$(dirname "$0")"
for name in rsa-2048 rsa-2048-other; do
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$name.pem"
done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec-256.pem
