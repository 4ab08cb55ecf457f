#include "CFusedLoss.h"

#pragma STDC FP_CONTRACT ON

enum { SHAPE_CONSTANT, SHAPE_FOCAL_2, SHAPE_FOCAL, SHAPE_BINS };

#if defined(__x86_64__)
#include <immintrin.h>
#define STORE_FENCE() _mm_sfence()
#else
#define STORE_FENCE() ((void)0)
#endif

#define NAME(x) x##_baseline
#define LANES 4
#include "kernels.h"
#undef NAME
#undef LANES

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) x##_avx2
#define LANES 8
#include "kernels.h"
#undef NAME
#undef LANES
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"), min_vector_width(512))), apply_to = function)
#define NAME(x) x##_avx512
#define LANES 16
#include "kernels.h"
#undef NAME
#undef LANES
#pragma clang attribute pop

#define DISPATCH(isa, call)                              \
  (isa) == FUSED_LOSS_AVX512 ? call##_avx512             \
  : (isa) == FUSED_LOSS_AVX2 ? call##_avx2 : call##_baseline
#else
#define DISPATCH(isa, call) call##_baseline
#endif

fused_loss_isa fused_loss_best_isa(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return FUSED_LOSS_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return FUSED_LOSS_AVX2;
#endif
  return FUSED_LOSS_BASELINE;
}

bool fused_loss_rows(
    fused_loss_isa isa, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels,
    const float *anchor_weights, size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {
  return (DISPATCH(isa, rows))(
      weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);
}

bool fused_loss_forward(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *errors,
    float *losses) {
  return (DISPATCH(isa, forward))(logits, labels, anchors, classes, errors, losses);
}

double fused_loss_combine(
    fused_loss_isa isa, const float *errors, const float *losses, const float *weights, const float *slopes,
    size_t count, bool streaming, float *gradient) {
  return (DISPATCH(isa, combine))(errors, losses, weights, slopes, count, streaming, gradient);
}

bool fused_loss_per_anchor(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses) {
  return (DISPATCH(isa, per_anchor))(logits, labels, anchors, classes, losses);
}

bool fused_loss_count_bins(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, size_t bin_count,
    int64_t *counts) {
  return (DISPATCH(isa, count_bins))(logits, labels, anchors, classes, bin_count, counts);
}

void fused_loss_exp(fused_loss_isa isa, const float *x, size_t count, float *y) { (DISPATCH(isa, exp_array))(x, count, y); }

void fused_loss_log1p(fused_loss_isa isa, const float *x, size_t count, float *y) {
  (DISPATCH(isa, log1p_array))(x, count, y);
}
