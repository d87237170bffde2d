#!/bin/sh
# Keep a port-forward open for as long as the command that started it lives, however that ends:
# standard input is a pipe from the command, and its end of file ends this whole process group.
# A forward that ends because its pod is gone is started again on the same port.
set -eu
exec 3<&0 </dev/null
{
  cat <&3 >/dev/null
  kill 0
} &
exec 3<&-
while :; do
  "$@" || true
  echo "it ended and is started again"
  sleep 0.5
done
