#pragma once
#include <stddef.h>
#include <stdint.h>

#include "instruction_sets.h"

// All instruction sets give the same bits.

/// The highest of the values seen so far. A key orders values, and equal ones by their position, first the earlier:
/// larger is better. The array has no order.
typedef struct {
  uint64_t *keys;
  size_t count;
  /// How many keys fit: more than `limit` by at least DETECTION_SELECTION_SLACK.
  size_t capacity;
  /// How many are wanted.
  size_t limit;
  /// Values up to this one cannot be among them any more.
  float floor;
} detection_selection;

enum { DETECTION_SELECTION_SLACK = 64 };

/// Adds the values of `begin..<end` that lie above their bound. NaN lies above none.
/// @param bounds bound of column i % columns at i, for i in 0..<columns + 16
/// @param begin a multiple of columns
void detection_select(
    instruction_set set, const float *values, size_t begin, size_t end, const float *bounds, size_t columns,
    detection_selection *selection);

/// Leaves the `limit` largest of `count` different keys, in no order; returns how many there are then.
size_t detection_keep_largest(uint64_t *keys, size_t count, size_t limit);

static inline uint32_t detection_key_position(uint64_t key) { return ~(uint32_t)key; }

/// The value of a key; -0 has become 0.
static inline float detection_key_value(uint64_t key) {
  uint32_t ordered = (uint32_t)(key >> 32), bits = ordered & 0x80000000u ? ordered ^ 0x80000000u : ~ordered;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/// Rectangles as four arrays.
typedef struct { const float *x1, *y1, *x2, *y2; } detection_rectangles;

/// Matches one box with anchors: where its IoU is above `overlaps`, stores it there and `index` in `best`.
/// Returns the box's largest IoU. Anchors' sides are positive.
float detection_match(
    instruction_set set, detection_rectangles anchors, size_t count, const float box[4], int32_t index, float *overlaps,
    int32_t *best);
