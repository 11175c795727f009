#!/bin/sh
# Small self-check: the checksum of F13.1 from both programs.
# Usage: check.sh <absolute folder of the programs>
set -eu
want=ad6a0a8198a70a935492be86d8aff1193716d124ea12a17d4939253e75be588b
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for program in nanoBragg nanoBragg-spec; do
  "$1/$program" -cell 100 100 100 90 90 90 -lambda 1 -distance 100 \
    -detpixels 8 -default_F 100 -N 5 -oversample 1 -seed 1 > output.txt 2>&1 ||
    { cat output.txt >&2; exit 1; }
  got=$(sha256sum floatimage.bin | cut -d ' ' -f 1)
  if [ "$got" != "$want" ]; then
    echo "$program: float image $got, expected $want" >&2
    exit 1
  fi
  echo "$program: float image as in F13.1"
done
