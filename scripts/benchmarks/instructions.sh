#!/bin/sh
# Counts the instructions of each pure kernel under valgrind and compares with instructions.txt: no clock, so no noise.
#   instructions.sh           fails where a kernel takes over 3 % more than recorded, or 10 % less (record it then)
#   instructions.sh record    writes the counts
# valgrind 3.19 knows no AVX-512: what is counted is what machines with AVX2 run. It shows programs one and the same processor (an Intel
# Core with AVX2) on every x86 machine that has AVX2, so counts do not depend on the maker. One thread, as counts depend on it.
set -eu
cd "$(dirname "$0")/../.."
recorded=scripts/benchmarks/instructions.txt
command -v valgrind >/dev/null || { echo "install valgrind first: scripts/install_dependencies.sh valgrind" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# (Of two options with the same pattern callgrind heeds one.) valgrind 3.19 cannot read the debugging information of today's compilers.
strip --strip-debug -o "$folder/bench" .build/release/bench
# Hashes are salted with a random number otherwise.
SWIFT_DETERMINISTIC_HASHING=1 OMP_NUM_THREADS=1 valgrind --tool=callgrind --collect-atstart=no \
  --toggle-collect='*measuredKernel*' --dump-after='*bench14measuredKernel*' --callgrind-out-file="$folder/out" \
  "$folder/bench" kernels >"$folder/names" 2>"$folder/messages" || { cat "$folder/messages" >&2; exit 1; }
number=0
while read -r name; do
  number=$((number + 1))
  echo "$name $(sed -n 's/^totals: //p' "$folder/out.$number")"
done <"$folder/names" >"$folder/counts"
if [ "${1:-}" = record ]; then
  cp "$folder/counts" "$recorded"
  cat "$recorded"
  exit
fi
awk '
  NR == FNR { recorded[$1] = $2; next }
  { now[$1] = $2 }
  END {
    for (name in now) {
      if (!(name in recorded)) { print name ": not recorded"; failed = 1; continue }
      change = now[name] / recorded[name] - 1
      verdict = ""
      if (change > 0.03) { verdict = "  MORE THAN RECORDED"; failed = 1 }
      if (change < -0.1) { verdict = "  far less: record it (make bench-instructions RECORD=record)"; failed = 1 }
      printf "%-20s recorded %11d  now %11d  %+.2f %%%s\n", name, recorded[name], now[name], 100 * change, verdict
    }
    for (name in recorded) if (!(name in now)) { print name ": recorded, but there is no such kernel any more"; failed = 1 }
    exit failed
  }' "$recorded" "$folder/counts"
