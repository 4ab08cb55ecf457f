#!/bin/sh
# Feeds damaged inputs to the package's readers under AddressSanitizer, chosen by libFuzzer for what code they reach.
#   fuzz.sh [RUNS [TARGET...]]    100000 of each target by default; the targets are those of Tests/Fuzz/Targets
# An input that crashes, takes over 20 s or over 4 GiB, or gives an error that helps nobody ends it with status 1 and is kept below
# .build/fuzz/TARGET. Mended, it goes to Tests/Fuzz/Found/TARGET, which `make test` reads. FUZZ_BUILT=1 builds nothing.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-100000}
[ $# = 0 ] || shift
[ $# != 0 ] || set -- png jpeg coco configuration metrics weights weights-content archive
scratch=.build/fuzz
export FUZZ_TARGET=build
if [ -z "${FUZZ_BUILT:-}" ]; then
  # (--sanitize would change the tools that run during the build, too.)
  swift build -c release --scratch-path "$scratch/build" --product fuzz \
    -Xswiftc -use-ld=lld -Xswiftc -sanitize=address,fuzzer -Xcc -fsanitize=address,fuzzer-no-link
fi
# Swift's own report of a crash would keep a child busy for a minute.
export SWIFT_BACKTRACE=enable=no OMP_NUM_THREADS=1
export ASAN_OPTIONS=quarantine_size_mb=32:detect_leaks=0:handle_segv=0:allocator_may_return_null=1
for target; do
  folder=$scratch/$target
  mkdir -p "$folder/corpus"
  longest=65536
  case $target in weights | archive) longest=400000 ;; esac
  echo "fuzzing $target"
  FUZZ_TARGET=$target FUZZ_SEEDS=$folder/corpus nice "$scratch/build/release/fuzz" -runs="$runs" -max_len=$longest -timeout=20 \
    -rss_limit_mb=4096 -artifact_prefix="$folder/" -print_final_stats=1 "$folder/corpus" >"$folder/log" 2>&1 ||
    { tail -40 "$folder/log"; echo "fuzz: $target failed; inputs are kept in $folder"; exit 1; }
  grep -a '^Done' "$folder/log"
done
