#include "fused_loss.h"

#pragma STDC FP_CONTRACT ON

enum { SHAPE_CONSTANT, SHAPE_FOCAL_2, SHAPE_FOCAL, SHAPE_BINS };

#if defined(__x86_64__)
#include <immintrin.h>
#define STORE_FENCE() _mm_sfence()
#else
#define STORE_FENCE() ((void)0)
#endif

#define KERNELS "fused_loss_kernels.h"
#include "for_each_instruction_set.h"

bool fused_loss_rows(
    instruction_set set, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels,
    const float *anchor_weights, size_t anchors, size_t classes, bool streaming, float *gradient, double *sum) {
  return DISPATCH(set, rows)(
      weighting, logits, labels, anchor_weights, anchors, classes, streaming, gradient, sum);
}

bool fused_loss_forward(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *errors,
    float *losses) {
  return DISPATCH(set, forward)(logits, labels, anchors, classes, errors, losses);
}

double fused_loss_combine(
    instruction_set set, const float *errors, const float *losses, const float *weights, const float *slopes,
    size_t count, bool streaming, float *gradient) {
  return DISPATCH(set, combine)(errors, losses, weights, slopes, count, streaming, gradient);
}

bool fused_loss_per_anchor(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses) {
  return DISPATCH(set, per_anchor)(logits, labels, anchors, classes, losses);
}

bool fused_loss_count_bins(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, size_t bin_count,
    int64_t *counts) {
  return DISPATCH(set, count_bins)(logits, labels, anchors, classes, bin_count, counts);
}

void fused_loss_exp(instruction_set set, const float *x, size_t count, float *y) { DISPATCH(set, exp_array)(x, count, y); }

void fused_loss_log1p(instruction_set set, const float *x, size_t count, float *y) {
  DISPATCH(set, log1p_array)(x, count, y);
}
