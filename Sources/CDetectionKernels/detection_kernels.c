#include "detection.h"

#include <math.h>
#include <string.h>

// Every instruction set has to give the same bits.
#pragma STDC FP_CONTRACT OFF

#define KERNELS "detection_kernels.h"
#include "for_each_instruction_set.h"

/// Larger values have larger keys, of equal ones the earlier.
static uint64_t key(float value, size_t position) {
  float positive = value + 0.0f;  // -0 and 0 are equal
  uint32_t bits;
  memcpy(&bits, &positive, sizeof bits);
  uint32_t ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return (uint64_t)ordered << 32 | (uint32_t)~position;
}

/// The `limit`-th largest key, byte by byte from the top.
static uint64_t limit_key(const uint64_t *keys, size_t count, size_t limit) {
  uint64_t prefix = 0, mask = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    size_t histogram[256] = {0};
    for (size_t i = 0; i < count; i++)
      if ((keys[i] & mask) == prefix) histogram[keys[i] >> shift & 255]++;
    int byte = 255;
    while (histogram[byte] < limit) limit -= histogram[byte--];
    prefix |= (uint64_t)byte << shift;
    mask |= (uint64_t)255 << shift;
    if (histogram[byte] == limit) break;  // all that share the prefix
  }
  return prefix;
}

size_t detection_keep_largest(uint64_t *keys, size_t count, size_t limit) {
  if (count <= limit) return count;
  if (limit == 0) return 0;
  uint64_t least = limit_key(keys, count, limit);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (keys[i] >= least) keys[kept++] = keys[i];
  return kept;
}

/// Takes the values at `position + i` for the bits i of `passing`.
static void take(detection_selection *s, const float *values, size_t position, uint32_t passing) {
  for (; passing; passing &= passing - 1) {
    size_t i = position + (size_t)__builtin_ctz(passing);
    s->keys[s->count++] = key(values[i], i);
  }
  if (s->count + DETECTION_SELECTION_SLACK <= s->capacity) return;
  s->count = detection_keep_largest(s->keys, s->count, s->limit);
  for (size_t i = 0; i < s->count; i++) {
    float value = detection_key_value(s->keys[i]);
    if (i == 0 || value < s->floor) s->floor = value;
  }
}

void detection_select(
    instruction_set set, const float *values, size_t begin, size_t end, const float *bounds, size_t columns,
    detection_selection *s) {
  const size_t lanes = set == INSTRUCTION_SET_AVX512 ? 16 : set == INSTRUCTION_SET_AVX2 ? 8 : 4;
  size_t whole = begin + (end - begin) / lanes * lanes;
  size_t position = begin;
  while (position < whole) {
    uint32_t passing = 0;
    position = DISPATCH(set, find)(values, begin, position, whole, bounds, columns, s->floor, &passing);
    if (!passing) break;
    take(s, values, position, passing);
    position += lanes;
  }
  for (position = whole; position < end; position++) {
    float x = values[position];
    if (x > bounds[(position - begin) % columns] && x > s->floor) take(s, values, position, 1);
  }
}

float detection_match(
    instruction_set set, detection_rectangles anchors, size_t count, const float box[4], int32_t index, float *overlaps,
    int32_t *best) {
  return DISPATCH(set, match)(anchors, count, box, index, overlaps, best);
}
