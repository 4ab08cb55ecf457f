#pragma once
#include <stdint.h>
#include <sys/types.h>

// libhdf5 reads out of bounds on damaged metadata, so a file is first described in a process of its own: what crashes,
// loops or asks for too much memory ends that process alone. What it found lies in memory shared with the caller, as
// a stream of records (catalogue.c says which) that the caller reads with care, as a damaged file may have made it.

/// A step that is not to be taken, as it ended an earlier process by that signal.
typedef struct {
  uint64_t step;
  int32_t signal;
} CHDF5CatalogueSkip;

/// What describing a file may take.
typedef struct {
  uint64_t file_bytes;
  /// The largest attribute told, in bytes.
  uint64_t attribute_bytes;
  /// The most strings of variable length in one attribute.
  uint64_t variable_strings;
  uint64_t group_depth;
  /// Address space beyond what the process has when it is forked.
  uint64_t memory_bytes;
  /// Processor time for one step.
  uint32_t step_seconds;
  uint32_t cpu_seconds;
  uint32_t wall_seconds;
  uint32_t skipped_count;
  const CHDF5CatalogueSkip *skipped;
} CHDF5CatalogueLimits;

/// The beginning of the shared memory; the records follow.
typedef struct {
  /// Of the records, in bytes.
  volatile uint64_t used;
  uint64_t capacity;
  /// The step that the process is at, counted from 1, which is opening the file: the same in every process that skips the
  /// same steps before.
  volatile uint64_t step;
  volatile uint32_t overflowed;
  volatile uint32_t finished;
} CHDF5CatalogueHeader;

/// Forks a process that describes the file open as `descriptor` into `shared`, a shared mapping of `shared_bytes`. Call with the lock held
/// that guards libhdf5, after H5open.
/// Returns the process' number, or -1 with errno set.
pid_t CHDF5CatalogueStart(
  int descriptor, const CHDF5CatalogueLimits *limits, void *shared, uint64_t shared_bytes);

/// Waits for the end of that process. Returns 0, or the number of the signal that ended it.
int CHDF5CatalogueWait(pid_t process);
