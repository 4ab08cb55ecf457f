// One instruction set's kernels; see for_each_instruction_set.h.
// A multiply and an add in one expression contract to one fused instruction where the set has it.
#include "fused_loss_vectors.h"

/// sigmoid(z), sigmoid(-z), softplus(z), log(1 + e^-|z|).
typedef struct { VF error, rest, loss, log1p; } NAME(element);

/// e^-|z|, which is all that is taken of z's exponential: stable for any finite z.
INLINE VF NAME(decay)(VF z) { return NAME(exp)(-NAME(min)(NAME(abs)(z), NAME(splat)(104.0f))); }

/// - Parameter e: decay(z).
INLINE NAME(element) NAME(evaluate)(VF z, VF e) {
  VF larger = 1.0f / (1.0f + e), smaller = e * larger;
  VI up = z >= 0.0f;
  NAME(element) v;
  v.error = NAME(select)(up, larger, smaller);
  v.rest = NAME(select)(up, smaller, larger);
  v.log1p = NAME(log1p)(e);
  v.loss = NAME(max)(z, NAME(splat)(0.0f)) + v.log1p;
  return v;
}

INLINE VI NAME(bin)(VF error, float count) {
  VF k = NAME(min)(error * count, NAME(splat)(count - 1));
  return __builtin_convertvector(k, VI);
}

/// A weighting with what the inner loop wants to find in registers.
typedef struct {
  const fused_loss_weighting *weighting;
  NAME(table) bins;
} NAME(law);

/// Weighted loss of one vector; *slope is its derivative by z. `shape` is a constant where this is inlined.
INLINE VF NAME(weigh)(int shape, const NAME(law) *law, VF z, VF e, VF scale, VF *slope) {
  NAME(element) v = NAME(evaluate)(z, e);
  if (shape == SHAPE_CONSTANT || shape == SHAPE_BINS) {
    if (shape == SHAPE_BINS)
      scale = scale * NAME(lookup)(&law->bins, NAME(bin)(v.error, (float)law->bins.count));
    *slope = v.error * scale;
    return v.loss * scale;
  }
  // e^gamma with log e = -softplus(-z); d/dz [e^gamma CE] = e^gamma (e + gamma (1 - e) CE), as de/dz = e (1 - e).
  float gamma = shape == SHAPE_FOCAL_2 ? 2.0f : law->weighting->gamma;
  VF power;
  if (shape == SHAPE_FOCAL_2) {
    power = v.error * v.error;
  } else {
    VF exponent = (NAME(min)(z, NAME(splat)(0.0f)) - v.log1p) * gamma;
    power = NAME(exp)(NAME(max)(exponent, NAME(splat)(-104.0f)));
  }
  power = power * scale;
  *slope = power * (v.error + (v.rest * v.loss) * gamma);
  return power * v.loss;
}

/// `largest`: bits of the largest |z| so far; not finite from 0x7f800000 on.
typedef struct { VD sum; VI largest; } NAME(total);

/// Fewer elements than a vector: the other lanes are padded with a logit whose loss is 0.
INLINE void NAME(partial)(
    int shape, const NAME(law) *law, const float *x, size_t count, float sign, const float *scales, float scale,
    float *g, NAME(total) *total) {
  VF z = NAME(load_part)(x, count, -200.0f * sign) * sign, slope;
  VF scale_vector = (scales ? NAME(load_part)(scales, count, 0) : NAME(splat)(1)) * scale;
  NAME(note)(&total->largest, z);
  total->sum += __builtin_convertvector(NAME(weigh)(shape, law, z, NAME(decay)(z), scale_vector, &slope), VD);
  NAME(store_part)(g, slope * sign, count);
}

/// Up to `NAME(stage)` whole vectors of elements with target 0: first all exponentials, then the rest, so that the
/// processor has short chains of dependent instructions to interleave. Their losses add up as floats.
enum { NAME(stage) = 8 };
INLINE void NAME(vectors)(
    int shape, const NAME(law) *law, const float *x, size_t count, const float *scales, float scale, bool streaming,
    float *g, NAME(total) *total) {
  VF sum = NAME(splat)(0), e[NAME(stage)];
  for (size_t k = 0; k < count; k++) {
    VF z = NAME(load)(x + k * LANES);
    NAME(note)(&total->largest, z);
    e[k] = NAME(decay)(z);
  }
  for (size_t k = 0; k < count; k++) {
    size_t i = k * LANES;
    VF slope, scale_vector = scales ? NAME(load)(scales + i) * scale : NAME(splat)(scale);
    sum += NAME(weigh)(shape, law, NAME(load)(x + i), e[k], scale_vector, &slope);
    if (streaming) __builtin_nontemporal_store(slope, (VF *)(g + i));
    else NAME(store)(g + i, slope);
  }
  total->sum += __builtin_convertvector(sum, VD);
}

INLINE void NAME(all_vectors)(
    int shape, const NAME(law) *law, const float *x, size_t count, const float *scales, float scale, bool streaming,
    float *g, NAME(total) *total) {
  size_t i = 0, step = NAME(stage) * LANES;
  for (; i + step <= count; i += step)
    NAME(vectors)(shape, law, x + i, NAME(stage), scales ? scales + i : NULL, scale, streaming, g + i, total);
  for (; i < count; i += LANES)
    NAME(vectors)(shape, law, x + i, 1, scales ? scales + i : NULL, scale, streaming, g + i, total);
}

/// A run of elements with target 0. `scales`: one an element, or NULL.
INLINE void NAME(run)(
    int shape, const NAME(law) *law, const float *x, size_t count, const float *scales, float scale, bool streaming,
    float *g, NAME(total) *total) {
  size_t i = 0;
  if (streaming) {  // stores past the caches must be aligned
    size_t head = (-(uintptr_t)g / 4) % LANES;
    if (head) NAME(partial)(shape, law, x, i = head < count ? head : count, 1, scales, scale, g, total);
    size_t whole = (count - i) / LANES * LANES;
    NAME(all_vectors)(shape, law, x + i, whole, scales ? scales + i : NULL, scale, true, g + i, total);
    i += whole;
  } else {
    i = count / LANES * LANES;
    NAME(all_vectors)(shape, law, x, i, scales, scale, false, g, total);
  }
  if (i < count) NAME(partial)(shape, law, x + i, count - i, 1, scales ? scales + i : NULL, scale, g + i, total);
}

/// Splits whole anchors into runs of elements with target 0, and the single elements with target 1 between them.
INLINE bool NAME(rows_of)(
    int shape, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels,
    const float *anchor_weights, size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {
  bool focal = weighting->law == FUSED_LOSS_FOCAL;
  float other = focal ? weighting->other_alpha : 1, target = focal ? weighting->target_alpha : 1;
  const float *class_weights = weighting->other_class_weights;
  NAME(law) law = {.weighting = weighting};
  if (shape == SHAPE_BINS) law.bins = NAME(make_table)(weighting->bin_weights, weighting->bin_count);
  NAME(total) total = {};
  size_t start = 0;  // first element not yet done
  float open = 1;    // the weight of the run that begins there
  for (size_t a = 0; a <= anchors; a++) {
    float w = a == anchors ? open : labels[a] < 0 ? 0 : anchor_weights ? anchor_weights[a] : 1;
    bool foreground = a < anchors && labels[a] > 0 && w != 0;
    size_t row = a * classes;
    if (a == anchors || w != open || (foreground && class_weights)) {
      if (row > start && open != 0)
        NAME(run)(shape, &law, logits + start, row - start, NULL, open * other, streaming, gradient + start, &total);
      else if (row > start)
        NAME(clear)(gradient + start, row - start, streaming);
      start = row;
      open = w;
    }
    if (!foreground) continue;
    size_t own = row + (size_t)labels[a] - 1;
    if (class_weights)
      NAME(run)(shape, &law, logits + row, own - row, class_weights, w * other, false, gradient + row, &total);
    else if (own > start)
      NAME(run)(shape, &law, logits + start, own - start, NULL, w * other, streaming, gradient + start, &total);
    if (weighting->skips_targets) {
      NAME(note)(&total.largest, NAME(splat)(logits[own]));
      gradient[own] = 0;
    } else {
      NAME(partial)(shape, &law, logits + own, 1, -1, NULL, w * target, gradient + own, &total);
    }
    start = own + 1;
    if (class_weights) {
      size_t end = row + classes;
      NAME(run)(
          shape, &law, logits + start, end - start, class_weights + (start - row), w * other, false, gradient + start,
          &total);
      start = end;
    }
  }
  *sum = NAME(total_of)(&total.sum);
  if (streaming) STORE_FENCE();
  return NAME(all_finite)(total.largest);
}

#define ROWS(shape_name, shape)                                                                                       \
  static __attribute__((noinline)) bool NAME(shape_name)(                                                             \
      const fused_loss_weighting *weighting, const float *logits, const int32_t *labels, const float *anchor_weights, \
      size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {                                 \
    return NAME(rows_of)(                                                                                             \
        shape, weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);                \
  }
ROWS(constant_rows, SHAPE_CONSTANT)
ROWS(focal_2_rows, SHAPE_FOCAL_2)
ROWS(focal_rows, SHAPE_FOCAL)
ROWS(bins_rows, SHAPE_BINS)
#undef ROWS

static bool NAME(rows)(
    const fused_loss_weighting *weighting, const float *logits, const int32_t *labels, const float *anchor_weights,
    size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {
  switch (weighting->law) {
    case FUSED_LOSS_FOCAL:
      return (weighting->gamma == 2 ? NAME(focal_2_rows) : NAME(focal_rows))(
          weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);
    case FUSED_LOSS_BINS:
      return NAME(bins_rows)(
          weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);
    default:
      return NAME(constant_rows)(
          weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);
  }
}

// MARK: A law of somebody else's, block by block

static bool NAME(forward)(
    const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *errors, float *losses) {
  VI largest = {};
  size_t count = anchors * classes;
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    VF z = n == LANES ? NAME(load)(logits + i) : NAME(load_part)(logits + i, n, 0);
    NAME(note)(&largest, z);
    NAME(element) v = NAME(evaluate)(z, NAME(decay)(z));
    if (n == LANES) {
      NAME(store)(errors + i, v.error);
      NAME(store)(losses + i, v.loss);
    } else {
      NAME(store_part)(errors + i, v.error, n);
      NAME(store_part)(losses + i, v.loss, n);
    }
  }
  bool finite = NAME(all_finite)(largest);
  if (!finite) finite = NAME(counted_are_finite)(logits, labels, anchors, classes);
  for (size_t a = 0; a < anchors; a++) {
    if (labels[a] > 0) {
      size_t own = a * classes + (size_t)labels[a] - 1;
      NAME(element) v = NAME(evaluate)(NAME(splat)(-logits[own]), NAME(decay)(NAME(splat)(-logits[own])));
      errors[own] = v.error[0];
      losses[own] = v.loss[0];
    } else if (labels[a] < 0) {
      __builtin_memset(errors + a * classes, 0, 4 * classes);
      __builtin_memset(losses + a * classes, 0, 4 * classes);
    }
  }
  return finite;
}

static double NAME(combine)(
    const float *errors, const float *losses, const float *weights, const float *slopes, size_t count, bool streaming,
    float *gradient) {
  VD sum = {};
  bool bypass = streaming && (uintptr_t)gradient % (4 * LANES) == 0;
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    bool whole = n == LANES;
    VF e = whole ? NAME(load)(errors + i) : NAME(load_part)(errors + i, n, 0);
    VF ce = whole ? NAME(load)(losses + i) : NAME(load_part)(losses + i, n, 0);
    VF w = whole ? NAME(load)(weights + i) : NAME(load_part)(weights + i, n, 0);
    VF g = w * e;
    if (slopes) {
      VF s = whole ? NAME(load)(slopes + i) : NAME(load_part)(slopes + i, n, 0);
      g = g + (s * ce) * (e - e * e);
    }
    sum += __builtin_convertvector(w * ce, VD);
    if (!whole) NAME(store_part)(gradient + i, g, n);
    else if (bypass) __builtin_nontemporal_store(g, (VF *)(gradient + i));
    else NAME(store)(gradient + i, g);
  }
  return NAME(total_of)(&sum);
}

// MARK: What samplers look at first

static bool NAME(per_anchor)(
    const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses) {
  VI largest = {};
  for (size_t a = 0; a < anchors; a++) {
    losses[a] = 0;
    if (labels[a] < 0) continue;
    const float *x = logits + a * classes;
    VF sum = NAME(splat)(0);
    for (size_t i = 0; i < classes; i += LANES) {
      size_t n = classes - i;
      VF z = n >= LANES ? NAME(load)(x + i) : NAME(load_part)(x + i, n, -200);
      NAME(note)(&largest, z);
      sum += NAME(evaluate)(z, NAME(decay)(z)).loss;
    }
    float loss = NAME(add_lanes)(sum);
    if (labels[a] > 0) {
      // softplus(-x) = softplus(x) - x; both taken afresh, as a difference would cancel.
      VF own = NAME(splat)(x[labels[a] - 1]);
      loss = loss - NAME(evaluate)(own, NAME(decay)(own)).loss[0];
      loss = (loss < 0 ? 0 : loss) + NAME(evaluate)(-own, NAME(decay)(-own)).loss[0];
    }
    losses[a] = loss;
  }
  return NAME(all_finite)(largest);
}

/// Bins of up to `NAME(stage)` whole vectors, as bytes: first all exponentials, as above.
INLINE void NAME(bin_vectors)(const float *x, size_t count, float bin_count, uint8_t *bytes, VI *largest) {
  VF e[NAME(stage)];
  for (size_t k = 0; k < count; k++) {
    VF z = NAME(load)(x + k * LANES);
    NAME(note)(largest, z);
    e[k] = NAME(decay)(z);
  }
  for (size_t k = 0; k < count; k++) {
    VF larger = 1.0f / (1.0f + e[k]);
    VF error = NAME(select)(NAME(load)(x + k * LANES) >= 0.0f, larger, e[k] * larger);
    NAME(store_bytes)(bytes + k * LANES, NAME(bin)(error, bin_count));
  }
}

/// Bins are found vector by vector, kept as bytes, and counted bin by bin, many bytes at a time.
static bool NAME(count_bins)(
    const float *logits, const int32_t *labels, size_t anchors, size_t classes, size_t bin_count, int64_t *counts) {
  enum { BYTES = sizeof(NAME(vb)), BLOCK = 128 * BYTES };  // at most 255 vectors: no counter overflows
  uint8_t bytes[BLOCK];
  VI largest = {};
  for (size_t a = 0; a < anchors;) {
    if (labels[a] < 0) { a++; continue; }
    size_t first = a * classes;
    while (a < anchors && labels[a] >= 0) a++;
    size_t end = a * classes;
    for (size_t start = first; start < end; start += BLOCK) {
      size_t n = end - start < BLOCK ? end - start : BLOCK;
      const float *x = logits + start;
      size_t i = 0, step = NAME(stage) * LANES;
      for (; i + step <= n; i += step) NAME(bin_vectors)(x + i, NAME(stage), (float)bin_count, bytes + i, &largest);
      for (; i + LANES <= n; i += LANES) NAME(bin_vectors)(x + i, 1, (float)bin_count, bytes + i, &largest);
      if (i < n) {
        VF z = NAME(load_part)(x + i, n - i, 0);
        NAME(note)(&largest, z);
        NAME(store_bytes)(bytes + i, NAME(bin)(NAME(sigmoid)(z), (float)bin_count));
      }
      size_t filled = (n + BYTES - 1) / BYTES * BYTES;
      for (size_t b = start / classes; b * classes < start + n; b++) {
        size_t own = b * classes + (size_t)labels[b] - 1;
        if (labels[b] > 0 && own >= start && own < start + n)
          bytes[own - start] = (uint8_t)NAME(bin)(NAME(sigmoid)(NAME(splat)(-logits[own])), (float)bin_count)[0];
      }
      for (size_t i = n; i < filled; i++) bytes[i] = 255;
      NAME(count_bytes)(bytes, filled, bin_count, counts);
    }
  }
  return NAME(all_finite)(largest);
}

// MARK: For checks of the error bounds

static void NAME(exp_array)(const float *x, size_t count, float *y) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    VF v = NAME(load_part)(x + i, n, 0);
    VF e = NAME(exp)(NAME(min)(NAME(max)(v, NAME(splat)(-104.0f)), NAME(splat)(89.0f)));
    NAME(store_part)(y + i, NAME(select)(v != v, v, e), n);
  }
}

static void NAME(log1p_array)(const float *x, size_t count, float *y) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    NAME(store_part)(y + i, NAME(log1p)(NAME(load_part)(x + i, n, 0)), n);
  }
}

#undef VF
#undef VI
#undef VD
#undef INLINE
