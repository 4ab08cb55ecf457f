// One instruction set's kernels; see for_each_instruction_set.h.

/// The first vector from `position` on in which some value lies above its bound and the floor; `passing` has a bit for
/// each that does. Returns `end` and no bits where there is none.
static size_t NAME(find)(
    const float *values, size_t begin, size_t position, size_t end, const float *bounds, size_t columns, float floor,
    uint32_t *passing) {
  size_t column = (position - begin) % columns;
  const size_t step = LANES % columns;
  for (; position < end; position += LANES) {
#if LANES == 16
    __m512 x = _mm512_loadu_ps(values + position);
    uint32_t bits = _mm512_cmp_ps_mask(x, _mm512_loadu_ps(bounds + column), _CMP_GT_OQ) &
                    _mm512_cmp_ps_mask(x, _mm512_set1_ps(floor), _CMP_GT_OQ);
#elif LANES == 8
    __m256 x = _mm256_loadu_ps(values + position);
    uint32_t bits = (uint32_t)_mm256_movemask_ps(_mm256_and_ps(
        _mm256_cmp_ps(x, _mm256_loadu_ps(bounds + column), _CMP_GT_OQ),
        _mm256_cmp_ps(x, _mm256_set1_ps(floor), _CMP_GT_OQ)));
#else
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++)
      bits |= (uint32_t)(values[position + i] > bounds[column + i] && values[position + i] > floor) << i;
#endif
    if (bits) {
      *passing = bits;
      return position;
    }
    column += step;
    if (column >= columns) column -= columns;
  }
  return end;
}

static float NAME(match)(
    detection_rectangles a, size_t count, const float box[4], int32_t index, float *restrict overlaps,
    int32_t *restrict best) {
  const float x1 = box[0], y1 = box[1], x2 = box[2], y2 = box[3];
  const float area = (x2 > x1 ? x2 - x1 : 0) * (y2 > y1 ? y2 - y1 : 0);
  float largest = 0;
  for (size_t i = 0; i < count; i++) {
    float left = x1 > a.x1[i] ? x1 : a.x1[i], right = x2 < a.x2[i] ? x2 : a.x2[i];
    float top = y1 > a.y1[i] ? y1 : a.y1[i], bottom = y2 < a.y2[i] ? y2 : a.y2[i];
    float width = right - left, height = bottom - top;
    float intersection = (width > 0 ? width : 0) * (height > 0 ? height : 0);
    float anchor_area = (a.x2[i] - a.x1[i]) * (a.y2[i] - a.y1[i]);
    float iou = intersection > 0 ? intersection / (area + anchor_area - intersection) : 0;
    largest = iou > largest ? iou : largest;
    int better = iou > overlaps[i];
    best[i] = better ? index : best[i];
    overlaps[i] = better ? iou : overlaps[i];
  }
  return largest;
}
