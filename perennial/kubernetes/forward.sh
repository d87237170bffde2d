#!/bin/sh
# Keep a port-forward open for as long as the command lives that asked for it, however it ends:
# standard input is a pipe that the command holds, and its end ends this whole process group.
# A forward that dies, since its pod went away, is opened again on the same port.
set -eu
exec 3<&0 </dev/null
{
  cat <&3 >/dev/null
  kill 0
} &
exec 3<&-
while :; do
  "$@" || true
  echo "it ended and is opened again"
  sleep 0.5
done
