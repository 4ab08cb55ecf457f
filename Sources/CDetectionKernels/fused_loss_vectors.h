// Vectors of one instruction set, and exp and log1p on them.

typedef float NAME(vf) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(vi) __attribute__((vector_size(4 * LANES)));
typedef double NAME(vd) __attribute__((vector_size(8 * LANES)));
// Compares of bytes are quickest at 32 a time, AVX-512 or not.
typedef uint8_t NAME(vb) __attribute__((vector_size(LANES == 4 ? 16 : 32)));
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

/// Remembers the bits of the largest |x| seen: what is not finite has larger bits than anything that is.
INLINE void NAME(note)(VI *largest, VF x) { *largest = __builtin_elementwise_max(*largest, (VI)NAME(abs)(x)); }
INLINE bool NAME(all_finite)(VI largest) { return __builtin_reduce_max(largest) < 0x7f800000; }

INLINE double NAME(total_of)(const VD *v) {
  double sum = 0;
  for (int i = 0; i < LANES; i++) sum += (*v)[i];
  return sum;
}

/// The first `count` lanes; `padding` in the others.
INLINE VF NAME(load_part)(const float *p, size_t count, float padding) {
#if LANES == 16
  return _mm512_mask_loadu_ps(NAME(splat)(padding), (__mmask16)((1u << count) - 1), p);
#else
  VF v = NAME(splat)(padding);
  for (size_t i = 0; i < count; i++) v[i] = p[i];
  return v;
#endif
}

INLINE void NAME(store_part)(float *p, VF v, size_t count) {
#if LANES == 16
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), v);
#else
  for (size_t i = 0; i < count; i++) p[i] = v[i];
#endif
}

INLINE float NAME(add_lanes)(VF v) {
  float part[LANES];
  __builtin_memcpy(part, &v, sizeof v);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) part[i] += part[i + half];
  return part[0];
}

/// Zeros.
static void NAME(clear)(float *p, size_t count, bool streaming) {
  size_t i = 0;
  if (streaming) {
    for (; i < count && (uintptr_t)(p + i) % (4 * LANES); i++) p[i] = 0;
    for (; i + LANES <= count; i += LANES) __builtin_nontemporal_store(NAME(splat)(0), (VF *)(p + i));
  }
  __builtin_memset(p + i, 0, 4 * (count - i));
}

#if LANES == 16
// Sixteen floats are a table that one instruction looks up: the polynomials get short.

/// e^x for finite -104 <= x <= 89: x = n ln 2 + r with n a multiple of 1/16, 2^(n's fraction) from a table.
INLINE VF NAME(exp)(VF x) {
  const VF powers = {  // 2^(j/16)
      0x1p0f,         0x1.0b5586p0f, 0x1.172b84p0f, 0x1.2387a6p0f, 0x1.306fe0p0f, 0x1.3dea64p0f,
      0x1.4bfdaep0f,  0x1.5ab07ep0f, 0x1.6a09e6p0f, 0x1.7a1148p0f, 0x1.8ace54p0f, 0x1.9c4918p0f,
      0x1.ae89fap0f,  0x1.c199bep0f, 0x1.d5818ep0f, 0x1.ea4afap0f};
  const float magic = 0x1.8p19f;  // adding it rounds to sixteenths, which stand in the low bits
  VF shifted = x * 0x1.715476p0f + magic;
  VF n = shifted - magic;
  VF r = x - n * 0x1.62e430p-1f;
  r = r - n * -0x1.05c610p-29f;
  VF p = (r * 0x1.55574ap-3f + 0x1.000222p-1f) * (r * r) + r;
  VF power = _mm512_permutexvar_ps((__m512i)shifted, powers);
  return _mm512_scalef_ps(power * p + power, n);
}

/// log(1 + e) for 0 <= e <= 1: c near 1 / (1 + e) and -log(c) from tables, the rest r = (1 + e) c - 1 is small. Each c
/// is chosen so that -log(c) is all but a float.
INLINE VF NAME(log1p)(VF e) {
  const VF inverses = {
      0x1p0f,        0x1.e072p-1f,  0x1.c35ep-1f,  0x1.ab82p-1f,  0x1.93b8p-1f,  0x1.7f98p-1f,
      0x1.6d2ap-1f,  0x1.5d48p-1f,  0x1.4eb2p-1f,  0x1.40aep-1f,  0x1.32fep-1f,  0x1.269ap-1f,
      0x1.1bc2p-1f,  0x1.129cp-1f,  0x1.092ep-1f,  0x1.fff8p-2f};
  const VF logarithms = {
      0,               0x1.048d32p-4f,  0x1.022312p-3f,  0x1.715c6cp-3f,  0x1.e69e0ep-3f,  0x1.27ab9cp-2f,
      0x1.5a16e0p-2f,  0x1.87a03ap-2f,  0x1.b34e78p-2f,  0x1.df1c6cp-2f,  0x1.05e3a2p-1f,  0x1.1afb9ap-1f,
      0x1.2e2f28p-1f,  0x1.3ef694p-1f,  0x1.50da7ep-1f,  0x1.62ec30p-1f};
  __m512i index = (__m512i)(e * 15.0f + 0x1.8p23f);
  VF c = _mm512_permutexvar_ps(index, inverses);
  VF r = e * c + (c - 1.0f);
  VF q = (r * -0x1.00456ap-2f + 0x1.55861cp-2f) * r + -0x1.fffffap-2f;
  return (q * (r * r) + r) + _mm512_permutexvar_ps(index, logarithms);
}
#else
/// e^x for finite -104 <= x <= 89: x = n ln 2 + r, a polynomial in r, and 2^n in two factors so that denormals come
/// out rounded once.
INLINE VF NAME(exp)(VF x) {
  const float magic = 0x1.8p23f;  // adding it rounds to an integer, which stands in the low bits
  VF shifted = x * 0x1.715476p0f + magic;
  VF n = shifted - magic;
  VF r = x - n * 0.693359375f;      // 10 bits times at most 8: exact
  r = r - n * -2.12194440e-4f;
  VF p = NAME(splat)(0x1.6a2438p-10f);
  p = p * r + 0x1.1239e2p-7f;
  p = p * r + 0x1.5558f2p-5f;
  p = p * r + 0x1.555492p-3f;
  p = p * r + 0x1.fffffcp-2f;
  VF y = (p * (r * r) + r) + 1.0f;
  VI k = (VI)shifted - (VI)NAME(splat)(magic), half = k >> 1;
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
#endif

INLINE VF NAME(sigmoid)(VF z) {
  VF e = NAME(exp)(-NAME(min)(NAME(abs)(z), NAME(splat)(104.0f)));
  VF larger = 1.0f / (1.0f + e);
  return NAME(select)(z >= 0.0f, larger, e * larger);
}

/// Values looked up by index.
typedef struct {
  const float *values;
  size_t count;
#if LANES == 16
  VF low, high;  // the first 32, padded
#endif
} NAME(table);

INLINE NAME(table) NAME(make_table)(const float *values, size_t count) {
  NAME(table) table = {.values = values, .count = count};
#if LANES == 16
  table.low = NAME(load_part)(values, count < 16 ? count : 16, 0);
  table.high = count > 16 ? NAME(load_part)(values + 16, count < 32 ? count - 16 : 16, 0) : NAME(splat)(0);
#endif
  return table;
}

INLINE VF NAME(lookup)(const NAME(table) *table, VI index) {
#if LANES == 16
  if (table->count <= 32) return _mm512_permutex2var_ps(table->low, (__m512i)index, table->high);
  return _mm512_i32gather_ps((__m512i)index, table->values, 4);
#elif LANES == 8
  return _mm256_i32gather_ps(table->values, (__m256i)index, 4);
#else
  VF v;
  for (int i = 0; i < LANES; i++) v[i] = table->values[index[i]];
  return v;
#endif
}

INLINE void NAME(store_bytes)(uint8_t *p, VI v) {
  typedef uint8_t bytes __attribute__((vector_size(LANES)));
  bytes b = __builtin_convertvector(v, bytes);
  __builtin_memcpy(p, &b, sizeof b);
}

/// counts[k] += how many of `count` bytes, a multiple of the vector's size and at most 255 times that, are k. Four at a
/// time: one sum would wait for itself.
INLINE void NAME(count_bytes)(const uint8_t *p, size_t count, size_t byte_count, int64_t *counts) {
  enum { TOGETHER = 4 };
  typedef uint16_t wide __attribute__((vector_size(2 * sizeof(NAME(vb)))));
  for (size_t first = 0; first < byte_count; first += TOGETHER) {
    NAME(vb) hits[TOGETHER] = {};
    for (size_t i = 0; i < count; i += sizeof(NAME(vb))) {
      NAME(vb) v;
      __builtin_memcpy(&v, p + i, sizeof v);
      for (int k = 0; k < TOGETHER; k++) hits[k] -= (NAME(vb))(v == (uint8_t)(first + k));
    }
    for (size_t k = 0; k < TOGETHER && first + k < byte_count; k++)
      counts[first + k] += __builtin_reduce_add(__builtin_convertvector(hits[k], wide));
  }
}

/// Whether no logit of an anchor that is not ignored is infinite or not a number.
static bool NAME(counted_are_finite)(const float *logits, const int32_t *labels, size_t anchors, size_t classes) {
  for (size_t a = 0; a < anchors; a++)
    for (size_t i = a * classes; labels[a] >= 0 && i < (a + 1) * classes; i++)
      if (__builtin_isinf(logits[i]) || __builtin_isnan(logits[i])) return false;
  return true;
}
