#pragma once
// Sigmoid, cross entropy, weighting and gradient in one pass over the logits.
//
// All kernels think in the signed logit z: z = x where the element's target is 0 and z = -x where it is 1. Then the
// cross entropy is softplus(z), the probability of being wrong is sigmoid(z), and both targets share one code path.
// exp and log1p err by at most 2 ulp; see fused_loss_exp and fused_loss_log1p.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction sets with kernels of their own, worst first.
typedef enum { FUSED_LOSS_BASELINE, FUSED_LOSS_AVX2, FUSED_LOSS_AVX512, FUSED_LOSS_ISA_COUNT } fused_loss_isa;

/// The best that this processor runs.
fused_loss_isa fused_loss_best_isa(void);

/// What an element weighs, on top of its anchor's weight.
typedef enum {
  FUSED_LOSS_UNIFORM,  ///< 1.
  FUSED_LOSS_FOCAL,    ///< alpha_t sigmoid(z)^gamma, with gradient through it.
  FUSED_LOSS_STEPS,    ///< steps[k], k = how many edges are <= z; constant for the gradient.
} fused_loss_kind;

typedef struct {
  fused_loss_kind kind;
  float gamma, positive_alpha, negative_alpha;  ///< Focal.
  const float *edges, *steps;                   ///< Steps: ascending signed logits; one more step than edges.
  size_t edge_count;
} fused_loss_weighting;

/// Adds up weight * CE over whole anchors and writes d sum / d logit.
///
/// labels[a]: -1 ignored (gradient 0, logits not read), 0 background, c >= 1 target 1 at class c - 1.
/// anchor_weights: one an anchor, or NULL for 1; an anchor of weight 0 is skipped like an ignored one.
/// streaming: gradient stores bypass the caches; for buffers larger than they are.
/// Returns false where a logit that counts is not finite (sum and gradient are then worthless).
bool fused_loss_rows(
    fused_loss_isa isa, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels,
    const float *anchor_weights, size_t anchors, size_t classes, bool streaming, float *gradient, double *sum);

/// probability = sigmoid(x), loss = softplus(x). Returns false where an x is not finite.
bool fused_loss_forward(fused_loss_isa isa, const float *x, size_t count, float *probability, float *loss);

/// gradient = weight * probability + slope * loss (slope may be NULL for 0); returns the sum of weight * loss.
double fused_loss_combine(
    fused_loss_isa isa, const float *probability, const float *loss, const float *weight, const float *slope,
    size_t count, float *gradient);

/// losses[a] = sum over classes of CE; 0 where ignored. Returns false where a logit that counts is not finite.
bool fused_loss_per_anchor(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses);

/// counts[k] += how many elements of not ignored anchors have a signed logit z >= edges[k].
void fused_loss_count_steps(
    fused_loss_isa isa, const float *logits, const int32_t *labels, size_t anchors, size_t classes, const float *edges,
    size_t edge_count, int64_t *counts);

/// e^x over all floats, at most 2 ulp off, denormal results included.
void fused_loss_exp(fused_loss_isa isa, const float *x, size_t count, float *y);

/// log(1 + x) for 0 <= x <= 1, at most 2 ulp off.
void fused_loss_log1p(fused_loss_isa isa, const float *x, size_t count, float *y);
