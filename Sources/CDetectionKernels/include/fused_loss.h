#pragma once
// Sigmoid, cross entropy, weighting and gradient in one pass over the logits.
//
// All kernels think in the signed logit z: z = x where the element's target is 0 and z = -x where it is 1. Then the
// cross entropy is softplus(z), the error |p - t| is sigmoid(z), and both targets share one code path.
// exp and log1p err by at most 2 ulp; see fused_loss_exp and fused_loss_log1p.
//
// labels[a]: -1 ignored (its logits are not read), 0 background, c >= 1 target 1 at class c - 1.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instruction_sets.h"

/// How an element's weight follows from its error e.
typedef enum {
  FUSED_LOSS_CONSTANT,  ///< 1.
  FUSED_LOSS_FOCAL,     ///< alpha e^gamma, with gradient through it.
  FUSED_LOSS_BINS,      ///< bin_weights[floor(e bin_count)], constant for the gradient.
} fused_loss_law;

typedef struct {
  fused_loss_law law;
  float gamma, target_alpha, other_alpha;  ///< Focal.
  const float *bin_weights;
  size_t bin_count;
  const float *other_class_weights;  ///< [classes]: factors of a foreground anchor's other classes; NULL for 1.
  bool skips_targets;                ///< The own classes of foreground anchors get no loss and gradient 0.
} fused_loss_weighting;

/// Adds up weight * CE over whole anchors and writes d sum / d logit.
///
/// anchor_weights: one an anchor, or NULL for 1; an anchor of weight 0 is skipped like an ignored one.
/// streaming: gradient stores bypass the caches; for buffers larger than they are.
/// Returns false where a logit that counts is not finite (sum and gradient are then worthless).
bool fused_loss_rows(
    instruction_set set, const fused_loss_weighting *weighting, const float *logits, const int32_t *labels,
    const float *anchor_weights, size_t anchors, size_t classes, bool streaming, float *gradient, double *sum);

/// errors = |p - t|, losses = CE; both 0 where ignored. Returns false where a logit that counts is not finite.
bool fused_loss_forward(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *errors,
    float *losses);

/// gradient = weight e + slope e (1 - e) CE, slope being d weight / d e or NULL for 0: right for targets 0, of the other
/// sign for targets 1. Returns the sum of weight * CE.
double fused_loss_combine(
    instruction_set set, const float *errors, const float *losses, const float *weights, const float *slopes,
    size_t count, bool streaming, float *gradient);

/// losses[a] = sum over classes of CE; 0 where ignored. Returns false where a logit that counts is not finite.
bool fused_loss_per_anchor(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, float *losses);

/// counts[k] += how many elements of not ignored anchors have floor(e bin_count) = k (the last bin holds e = 1 too).
/// At most 255 bins. Returns false where a logit that counts is not finite.
bool fused_loss_count_bins(
    instruction_set set, const float *logits, const int32_t *labels, size_t anchors, size_t classes, size_t bin_count,
    int64_t *counts);

/// e^x over all floats, at most 2 ulp off, denormal results included.
void fused_loss_exp(instruction_set set, const float *x, size_t count, float *y);

/// log(1 + x) for 0 <= x <= 1, at most 2 ulp off.
void fused_loss_log1p(instruction_set set, const float *x, size_t count, float *y);
