#include "CFusedLoss.h"

#pragma STDC FP_CONTRACT ON

enum { SHAPE_UNIFORM, SHAPE_FOCAL_2, SHAPE_FOCAL, SHAPE_STEPS };

#if defined(__x86_64__)
#define STORE_FENCE() __builtin_ia32_sfence()
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

bool fused_loss_forward(fused_loss_isa isa, const float *x, size_t count, float *probability, float *loss) {
  return (DISPATCH(isa, forward))(x, count, probability, loss);
}

double fused_loss_combine(
    fused_loss_isa isa, const float *probability, const float *loss, const float *weight, const float *slope,
    size_t count, float *gradient) {
  return (DISPATCH(isa, combine))(probability, loss, weight, slope, count, gradient);
}

bool fused_loss_per_anchor(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses) {
  return (DISPATCH(isa, per_anchor))(logits, labels, anchors, classes, losses);
}

void fused_loss_count_steps(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, const float *edges,
    size_t edge_count, int64_t *counts) {
  (DISPATCH(isa, count_steps))(logits, labels, anchors, classes, edges, edge_count, counts);
}

void fused_loss_exp(fused_loss_isa isa, const float *x, size_t count, float *y) { (DISPATCH(isa, exp_array))(x, count, y); }

void fused_loss_log1p(fused_loss_isa isa, const float *x, size_t count, float *y) {
  (DISPATCH(isa, log1p_array))(x, count, y);
}
