#!/bin/sh
# A tool that keeps a ledger of all that it does: the truth that a record is compared with.
#   ledger.sh observe CLOUD STACK                       prints the content of each object of the stack, a line each
#   ledger.sh apply   CLOUD STACK KIND CONTENT PAUSE    makes (create), changes (update) or removes (delete) objects
# A create makes a new object whatever is there: done twice, two are seen. Whoever runs beside another process of the
# same stack says so (overlap): a lock of the kernel's tells, which ends with the last process that has it open.
set -eu
cloud=$2 stack=$3
objects=$cloud/objects/$stack
if [ "$1" = observe ]; then
  for one in "$objects"/*; do [ ! -f "$one" ] || cat "$one"; done
  exit 0
fi
kind=$4 content=$5 pause=$6
say() { # one write, appended: lines of many processes never mix
  printf '%s %s %s %s %s %s\n' "$1" "$stack" "$$" "$(date +%s.%N)" "${HOLDFAST_ATTEMPT:-none}" "${2:--}" >>"$cloud/ledger"
}
put() { printf '%s\n' "$content" >"$objects/.$1" && mv "$objects/.$1" "$objects/$1"; }
mkdir -p "$objects" "$cloud/busy"
exec 9>"$cloud/busy/$stack"
flock -n 9 || say overlap
say begin
sleep "$pause"
case $kind in
  create) id=$(cat /proc/sys/kernel/random/uuid); put "$id"; say create "$id" ;;
  update) for one in "$objects"/*; do put "${one##*/}"; done; say update "$content" ;;
  delete) rm -f "$objects"/*; say delete ;;
esac
sleep "$pause"
say end
echo "$kind: done"
