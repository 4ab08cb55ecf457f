// One instruction set's kernels. Included once for each, with LANES (floats a vector) and NAME(x) defined.
// A multiply and an add in one expression contract to one fused instruction where the set has it.

typedef float NAME(vf) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(vi) __attribute__((vector_size(4 * LANES)));
typedef double NAME(vd) __attribute__((vector_size(8 * LANES)));
#define VF NAME(vf)
#define VI NAME(vi)
#define VD NAME(vd)
#define INLINE static inline __attribute__((always_inline))

INLINE VF NAME(splat)(float x) { return (VF){} + x; }
INLINE VF NAME(load)(const float *p) { VF v; __builtin_memcpy(&v, p, sizeof v); return v; }
INLINE void NAME(store)(float *p, VF v) { __builtin_memcpy(p, &v, sizeof v); }
INLINE VF NAME(select)(VI mask, VF yes, VF no) { return (VF)(((VI)yes & mask) | ((VI)no & ~mask)); }
INLINE VF NAME(abs)(VF x) { return (VF)((VI)x & 0x7fffffff); }
INLINE VF NAME(max)(VF a, VF b) { return __builtin_elementwise_max(a, b); }
INLINE VF NAME(min)(VF a, VF b) { return __builtin_elementwise_min(a, b); }
INLINE double NAME(total)(VD v) {
  double sum = 0;
  for (int i = 0; i < LANES; i++) sum += v[i];
  return sum;
}
INLINE bool NAME(any)(VI mask) { return __builtin_reduce_or(mask) != 0; }
INLINE VI NAME(not_finite)(VF x) { return ((VI)x & 0x7f800000) == 0x7f800000; }

/// e^x for finite -104 <= x <= 89: x = n ln 2 + r, a polynomial in r, and 2^n in two factors so that denormals come
/// out rounded once.
INLINE VF NAME(exp)(VF x) {
  const float magic = 0x1.8p23f;  // adding it rounds to an integer, which stands in the low bits
  VF shifted = x * 0x1.715476p0f + magic;
  VF n = shifted - magic;
  VI k = (VI)shifted - (VI)NAME(splat)(magic);
  VF r = x - n * 0.693359375f;      // 10 bits times at most 8: exact
  r = r - n * -2.12194440e-4f;
  VF p = NAME(splat)(0x1.6a2438p-10f);
  p = p * r + 0x1.1239e2p-7f;
  p = p * r + 0x1.5558f2p-5f;
  p = p * r + 0x1.555492p-3f;
  p = p * r + 0x1.fffffcp-2f;
  VF y = (p * (r * r) + r) + 1.0f;
  VI half = k >> 1;
  VF low = (VF)((half + 127) << 23), high = (VF)((k - half + 127) << 23);
  return (y * low) * high;
}

/// log(1 + e) for 0 <= e <= 1.
INLINE VF NAME(log1p)(VF e) {
  VF r = NAME(splat)(-0.003319436451420188f);
  r = r * e + 0.020209087058901787f;
  r = r * e + -0.05767325684428215f;
  r = r * e + 0.1068149283528328f;
  r = r * e + -0.1535598337650299f;
  r = r * e + 0.19695618748664856f;
  r = r * e + -0.2495863288640976f;
  r = r * e + 0.33330515027046204f;
  r = r * e + -0.49999934434890747f;
  return (r * e) * e + e;
}

typedef struct { VF wrong, right, loss, log1p; } NAME(element);

/// sigmoid(z), sigmoid(-z), softplus(z): stable for any finite z, as only e^-|z| is taken.
INLINE NAME(element) NAME(evaluate)(VF z) {
  VF e = NAME(exp)(-NAME(min)(NAME(abs)(z), NAME(splat)(104.0f)));
  VF inverse = 1.0f / (1.0f + e), rest = e * inverse;
  VI up = z >= 0.0f;
  NAME(element) result;
  result.wrong = NAME(select)(up, inverse, rest);
  result.right = NAME(select)(up, rest, inverse);
  result.log1p = NAME(log1p)(e);
  result.loss = NAME(max)(z, NAME(splat)(0.0f)) + result.log1p;
  return result;
}

/// Weighted loss of one vector; *slope is its derivative by z. `shape` is a constant where this is inlined.
INLINE VF NAME(weigh)(int shape, const fused_loss_weighting *weighting, VF z, float scale, VF *slope) {
  NAME(element) v = NAME(evaluate)(z);
  if (shape == SHAPE_UNIFORM) {
    *slope = v.wrong * scale;
    return v.loss * scale;
  }
  if (shape == SHAPE_STEPS) {
    VF w = NAME(splat)(weighting->steps[0]);
    for (size_t k = 0; k < weighting->edge_count; k++)
      w = NAME(select)(z >= weighting->edges[k], NAME(splat)(weighting->steps[k + 1]), w);
    w = w * scale;
    *slope = v.wrong * w;
    return v.loss * w;
  }
  // s^gamma with log s = -softplus(-z); d/dz [s^gamma CE] = s^gamma (s + gamma (1 - s) CE), as ds/dz = s (1 - s).
  float gamma = shape == SHAPE_FOCAL_2 ? 2.0f : weighting->gamma;
  VF power;
  if (shape == SHAPE_FOCAL_2) {
    power = v.wrong * v.wrong;
  } else {
    VF exponent = (NAME(min)(z, NAME(splat)(0.0f)) - v.log1p) * gamma;
    power = NAME(exp)(NAME(max)(exponent, NAME(splat)(-104.0f)));
  }
  power = power * scale;
  *slope = power * (v.wrong + (v.right * v.loss) * gamma);
  return power * v.loss;
}

/// Fewer elements than a vector: the other lanes are padded with a logit whose loss is 0.
INLINE VF NAME(load_part)(const float *p, size_t count, float padding) {
  VF v = NAME(splat)(padding);
  __builtin_memcpy(&v, p, 4 * count);
  return v;
}

INLINE void NAME(partial)(
    int shape, const fused_loss_weighting *weighting, const float *x, size_t count, float sign, float scale, float *g,
    VD *sum, VI *bad) {
  VF z = NAME(load_part)(x, count, -200.0f * sign) * sign, slope;
  *bad |= NAME(not_finite)(z);
  *sum += __builtin_convertvector(NAME(weigh)(shape, weighting, z, scale, &slope), VD);
  slope = slope * sign;
  __builtin_memcpy(g, &slope, 4 * count);
}

/// A run of elements with target 0 and one scale.
INLINE void NAME(run)(
    int shape, const fused_loss_weighting *weighting, const float *x, size_t count, float scale, bool streaming,
    float *g, VD *sum, VI *bad) {
  size_t head = (-(uintptr_t)g / 4) % LANES, i = 0;
  if (head && streaming) {  // stores past the caches must be aligned
    i = head < count ? head : count;
    NAME(partial)(shape, weighting, x, i, 1, scale, g, sum, bad);
  }
  if (streaming) {
    for (; i + LANES <= count; i += LANES) {
      VF z = NAME(load)(x + i), slope;
      *bad |= NAME(not_finite)(z);
      *sum += __builtin_convertvector(NAME(weigh)(shape, weighting, z, scale, &slope), VD);
      __builtin_nontemporal_store(slope, (VF *)(g + i));
    }
  } else {
    for (; i + LANES <= count; i += LANES) {
      VF z = NAME(load)(x + i), slope;
      *bad |= NAME(not_finite)(z);
      *sum += __builtin_convertvector(NAME(weigh)(shape, weighting, z, scale, &slope), VD);
      NAME(store)(g + i, slope);
    }
  }
  if (i < count) NAME(partial)(shape, weighting, x + i, count - i, 1, scale, g + i, sum, bad);
}

/// Splits whole anchors into runs of elements with target 0, and the single elements with target 1 between them.
INLINE bool NAME(rows_of)(
    int shape, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels, const float *weights,
    size_t anchors, size_t classes, bool streaming, float *gradient, double *total) {
  bool focal = weighting->kind == FUSED_LOSS_FOCAL;
  float negative = focal ? weighting->negative_alpha : 1, positive = focal ? weighting->positive_alpha : 1;
  VD sum = {};
  VI bad = {};
  size_t start = 0;   // first element not yet done
  float weight = 1;   // of the open run
  for (size_t a = 0; a < anchors; a++) {
    float w = labels[a] < 0 ? 0 : weights ? weights[a] : 1;
    if (w != weight) {
      size_t end = a * classes;
      if (end > start && weight != 0)
        NAME(run)(shape, weighting, logits + start, end - start, weight * negative, streaming, gradient + start, &sum, &bad);
      else if (end > start)
        __builtin_memset(gradient + start, 0, 4 * (end - start));
      start = end;
      weight = w;
    }
    if (labels[a] > 0 && w != 0) {
      size_t target = a * classes + (size_t)labels[a] - 1;
      if (target > start)
        NAME(run)(shape, weighting, logits + start, target - start, w * negative, streaming, gradient + start, &sum, &bad);
      NAME(partial)(shape, weighting, logits + target, 1, -1, w * positive, gradient + target, &sum, &bad);
      start = target + 1;
    }
  }
  size_t end = anchors * classes;
  if (end > start && weight != 0)
    NAME(run)(shape, weighting, logits + start, end - start, weight * negative, streaming, gradient + start, &sum, &bad);
  else if (end > start)
    __builtin_memset(gradient + start, 0, 4 * (end - start));
  *total = NAME(total)(sum);
  if (streaming) STORE_FENCE();
  return !NAME(any)(bad);
}

#define ROWS(shape_name, shape)                                                                                      \
  static __attribute__((noinline)) bool NAME(shape_name)(                                                            \
      const fused_loss_weighting *weighting, const float *logits, const int32_t *labels, const float *weights,       \
      size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {                                \
    return NAME(rows_of)(shape, weighting, logits, labels, weights, anchors, classes, streaming, gradient, sum);     \
  }
ROWS(uniform_rows, SHAPE_UNIFORM)
ROWS(focal_2_rows, SHAPE_FOCAL_2)
ROWS(focal_rows, SHAPE_FOCAL)
ROWS(steps_rows, SHAPE_STEPS)
#undef ROWS

static bool NAME(rows)(
    const fused_loss_weighting *weighting, const float *logits, const int32_t *labels, const float *weights,
    size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {
  switch (weighting->kind) {
    case FUSED_LOSS_FOCAL:
      return (weighting->gamma == 2 ? NAME(focal_2_rows) : NAME(focal_rows))(
          weighting, logits, labels, weights, anchors, classes, streaming, gradient, sum);
    case FUSED_LOSS_STEPS:
      return NAME(steps_rows)(weighting, logits, labels, weights, anchors, classes, streaming, gradient, sum);
    default:
      return NAME(uniform_rows)(weighting, logits, labels, weights, anchors, classes, streaming, gradient, sum);
  }
}

static bool NAME(forward)(const float *x, size_t count, float *probability, float *loss) {
  VI bad = {};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    VF z = NAME(load)(x + i);
    bad |= NAME(not_finite)(z);
    NAME(element) v = NAME(evaluate)(z);
    NAME(store)(probability + i, v.wrong);
    NAME(store)(loss + i, v.loss);
  }
  if (i < count) {
    VF z = NAME(load_part)(x + i, count - i, 0);
    bad |= NAME(not_finite)(z);
    NAME(element) v = NAME(evaluate)(z);
    __builtin_memcpy(probability + i, &v.wrong, 4 * (count - i));
    __builtin_memcpy(loss + i, &v.loss, 4 * (count - i));
  }
  return !NAME(any)(bad);
}

static double NAME(combine)(
    const float *probability, const float *loss, const float *weight, const float *slope, size_t count, float *gradient) {
  VD sum = {};
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    bool whole = n == LANES;
    VF p = whole ? NAME(load)(probability + i) : NAME(load_part)(probability + i, n, 0);
    VF ce = whole ? NAME(load)(loss + i) : NAME(load_part)(loss + i, n, 0);
    VF w = whole ? NAME(load)(weight + i) : NAME(load_part)(weight + i, n, 0);
    VF g = w * p;
    if (slope) g = g + (whole ? NAME(load)(slope + i) : NAME(load_part)(slope + i, n, 0)) * ce;
    sum += __builtin_convertvector(w * ce, VD);
    if (whole) NAME(store)(gradient + i, g);
    else __builtin_memcpy(gradient + i, &g, 4 * n);
  }
  return NAME(total)(sum);
}

static bool NAME(per_anchor)(
    const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses) {
  VI bad = {};
  for (size_t a = 0; a < anchors; a++) {
    losses[a] = 0;
    if (labels[a] < 0) continue;
    const float *x = logits + a * classes;
    VD sum = {};
    size_t i = 0;
    for (; i + LANES <= classes; i += LANES) {
      VF z = NAME(load)(x + i);
      bad |= NAME(not_finite)(z);
      sum += __builtin_convertvector(NAME(evaluate)(z).loss, VD);
    }
    if (i < classes) {
      VF z = NAME(load_part)(x + i, classes - i, -200);
      bad |= NAME(not_finite)(z);
      sum += __builtin_convertvector(NAME(evaluate)(z).loss, VD);
    }
    double loss = NAME(total)(sum);
    if (labels[a] > 0) {
      // softplus(-x) = softplus(x) - x; taken afresh, as the difference would cancel.
      VF target = NAME(splat)(x[labels[a] - 1]);
      loss = loss - NAME(evaluate)(target).loss[0] + NAME(evaluate)(-target).loss[0];
      if (loss < 0) loss = 0;
    }
    losses[a] = (float)loss;
  }
  return !NAME(any)(bad);
}

static void NAME(count_steps)(
    const float *logits, const int32_t *labels, size_t anchors, size_t classes, const float *edges, size_t edge_count,
    int64_t *counts) {
  for (size_t a = 0; a < anchors;) {
    if (labels[a] < 0) { a++; continue; }
    size_t first = a;
    while (a < anchors && labels[a] >= 0 && (a - first) * classes < 65536) a++;
    const float *x = logits + first * classes;
    size_t n = (a - first) * classes;
    for (size_t k = 0; k < edge_count; k += 8) {  // eight accumulators at a time stay in registers
      size_t edges_here = edge_count - k < 8 ? edge_count - k : 8;
      VI hits[8] = {};
      VF edge[8];
      for (size_t j = 0; j < 8; j++) edge[j] = NAME(splat)(j < edges_here ? edges[k + j] : __builtin_inff());
      for (size_t i = 0; i < n; i += LANES) {
        VF z = n - i >= LANES ? NAME(load)(x + i) : NAME(load_part)(x + i, n - i, -__builtin_inff());
        for (size_t j = 0; j < 8; j++) hits[j] -= z >= edge[j];
      }
      for (size_t j = 0; j < edges_here; j++) counts[k + j] += __builtin_reduce_add(hits[j]);
    }
    for (size_t b = first; b < a; b++) {
      if (labels[b] <= 0) continue;
      float target = logits[b * classes + (size_t)labels[b] - 1];
      for (size_t k = 0; k < edge_count; k++) counts[k] += (-target >= edges[k]) - (target >= edges[k]);
    }
  }
}

static void NAME(exp_array)(const float *x, size_t count, float *y) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    VF v = NAME(load_part)(x + i, n, 0);
    VF e = NAME(exp)(NAME(min)(NAME(max)(v, NAME(splat)(-104.0f)), NAME(splat)(89.0f)));
    e = NAME(select)(v != v, v, e);
    __builtin_memcpy(y + i, &e, 4 * n);
  }
}

static void NAME(log1p_array)(const float *x, size_t count, float *y) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    VF v = NAME(log1p)(NAME(load_part)(x + i, n, 0));
    __builtin_memcpy(y + i, &v, 4 * n);
  }
}

#undef VF
#undef VI
#undef VD
#undef INLINE
