#!/bin/sh
# Runs the commands under AddressSanitizer with LeakSanitizer, C's undefined behaviour checked too: what is taken from HDF5, oneDNN,
# the image codecs and libzip is given back, on the ways through errors as well.
set -eu
cd "$(dirname "$0")/../.."
scratch=.build/sanitize-leaks
swift build -c release --scratch-path $scratch --product sampling-free -Xswiftc -sanitize=address,undefined \
  -Xcc -fsanitize=address,undefined -Xcc -fno-sanitize-recover=undefined
export SWIFT_BACKTRACE=enable=no OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
export ASAN_OPTIONS=detect_leaks=1:exitcode=99:handle_segv=0 UBSAN_OPTIONS=print_stacktrace=1:exitcode=99
export LSAN_OPTIONS=exitcode=99:print_suppressions=0:suppressions=$PWD/scripts/proof/leaks.txt
scripts/proof/commands.sh "$PWD/$scratch/release/sampling-free"
