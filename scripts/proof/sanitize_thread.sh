#!/bin/sh
# Runs the commands, training with its prefetching threads above all, under ThreadSanitizer.
set -eu
cd "$(dirname "$0")/../.."
scratch=.build/sanitize-thread
swift build -c release --scratch-path $scratch --product sampling-free -Xswiftc -sanitize=thread -Xcc -fsanitize=thread
export SWIFT_BACKTRACE=enable=no OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
# oneDNN, libgomp and the other C libraries are not compiled for it: what it sees of them through intercepted calls is not judged.
export TSAN_OPTIONS=exitcode=99:ignore_noninstrumented_modules=1:history_size=4:suppressions=$PWD/scripts/proof/threads.txt
scripts/proof/commands.sh "$PWD/$scratch/release/sampling-free"
