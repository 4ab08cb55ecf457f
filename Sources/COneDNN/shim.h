#pragma once
// oneDNN 2 and 3 alike: the engine calls the functions of oneDNN 3, and this header alone knows that there is a 2.
// There it defines those that are missing, by the same names. What both have, with other types or arguments, goes by
// names of ours: `onednn_`.
#include <dnnl.h>
#include <dnnl_version.h>

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6)
#error "This oneDNN is too old: 2.6 or newer is needed (Debian 12, Ubuntu 24.04 or newer; package libdnnl-dev)."
#endif

#if DNNL_VERSION_MAJOR >= 3

/// A memory descriptor by reference: extents, type and layout of a buffer.
typedef const_dnnl_memory_desc_t onednn_layout;

static inline dnnl_status_t onednn_layout_with_tag(
    onednn_layout *result, int rank, const dnnl_dims_t extents, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag((dnnl_memory_desc_t *)result, rank, extents, type, tag);
}

static inline dnnl_status_t onednn_layout_with_strides(
    onednn_layout *result, int rank, const dnnl_dims_t extents, dnnl_data_type_t type, const dnnl_dims_t strides) {
  return dnnl_memory_desc_create_with_strides((dnnl_memory_desc_t *)result, rank, extents, type, strides);
}

static inline dnnl_status_t onednn_layout_copy(onednn_layout *result, onednn_layout layout) {
  return dnnl_memory_desc_clone((dnnl_memory_desc_t *)result, layout);
}

static inline void onednn_layout_destroy(onednn_layout layout) { dnnl_memory_desc_destroy((dnnl_memory_desc_t)layout); }

static inline int onednn_layout_rank(onednn_layout layout) {
  int rank = 0;
  return dnnl_memory_desc_query(layout, dnnl_query_ndims_s32, &rank) == dnnl_success ? rank : 0;
}

/// As many as the rank says.
static inline const int64_t *onednn_layout_extents(onednn_layout layout) {
  dnnl_dims_t *extents = NULL;
  return dnnl_memory_desc_query(layout, dnnl_query_dims, &extents) == dnnl_success ? *extents : NULL;
}

static inline dnnl_data_type_t onednn_layout_type(onednn_layout layout) {
  dnnl_data_type_t type = dnnl_data_type_undef;
  dnnl_memory_desc_query(layout, dnnl_query_data_type, &type);
  return type;
}

static inline dnnl_status_t onednn_append_relu(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_relu, 0, 0);
}

static inline dnnl_status_t onednn_append_sum(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
}

static inline dnnl_status_t onednn_sum(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, onednn_layout target, int count, const float *scales,
    const onednn_layout *sources, const_dnnl_primitive_attr_t attributes) {
  return dnnl_sum_primitive_desc_create(result, engine, target, count, scales, sources, attributes);
}

/// Whether 3x3 convolutions may be done by Winograd's algorithm: oneDNN 3 has it no longer.
static inline int onednn_has_winograd(void) { return 0; }

#else

#include <stdlib.h>

typedef const dnnl_memory_desc_t *onednn_layout;

static inline dnnl_status_t onednn_layout_copy(onednn_layout *result, onednn_layout layout) {
  dnnl_memory_desc_t *copy = (dnnl_memory_desc_t *)malloc(sizeof *copy);
  if (copy == NULL) return dnnl_out_of_memory;
  *copy = *layout;
  *result = copy;
  return dnnl_success;
}

static inline dnnl_status_t onednn_layout_with_tag(
    onednn_layout *result, int rank, const dnnl_dims_t extents, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t layout;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(&layout, rank, extents, type, tag);
  return status == dnnl_success ? onednn_layout_copy(result, &layout) : status;
}

static inline dnnl_status_t onednn_layout_with_strides(
    onednn_layout *result, int rank, const dnnl_dims_t extents, dnnl_data_type_t type, const dnnl_dims_t strides) {
  dnnl_memory_desc_t layout;
  dnnl_status_t status = dnnl_memory_desc_init_by_strides(&layout, rank, extents, type, strides);
  return status == dnnl_success ? onednn_layout_copy(result, &layout) : status;
}

static inline void onednn_layout_destroy(onednn_layout layout) { free((void *)layout); }
static inline int onednn_layout_rank(onednn_layout layout) { return layout->ndims; }
static inline const int64_t *onednn_layout_extents(onednn_layout layout) { return layout->dims; }
static inline dnnl_data_type_t onednn_layout_type(onednn_layout layout) { return layout->data_type; }

static inline dnnl_status_t onednn_append_relu(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0);
}

static inline dnnl_status_t onednn_append_sum(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_sum(operations, 1);
}

static inline dnnl_status_t onednn_sum(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, onednn_layout target, int count, const float *scales,
    const onednn_layout *sources, const_dnnl_primitive_attr_t attributes) {
  dnnl_memory_desc_t *copies = (dnnl_memory_desc_t *)malloc(count * sizeof *copies);
  if (copies == NULL) return dnnl_out_of_memory;
  for (int i = 0; i < count; i++) copies[i] = *sources[i];
  dnnl_status_t status = dnnl_sum_primitive_desc_create(result, target, count, scales, copies, attributes, engine);
  free(copies);
  return status;
}

static inline int onednn_has_winograd(void) { return 1; }

// oneDNN 2 describes an operation first, by `initialize`, and then the primitive.
#define ONEDNN_DESCRIBE(Operation, hint, initialize, ...)                                                      \
  Operation operation;                                                                                         \
  dnnl_status_t status = initialize(&operation, __VA_ARGS__);                                                  \
  return status == dnnl_success ? dnnl_primitive_desc_create(result, &operation, attributes, engine, hint) : status;

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    onednn_layout x, onednn_layout kernel, onednn_layout bias, onednn_layout y, const dnnl_dims_t strides,
    const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after,
    const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_convolution_desc_t, NULL, dnnl_dilated_convolution_forward_desc_init, pass, algorithm, x, kernel, bias, y,
      strides, dilations, before, after)
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, onednn_layout dx,
    onednn_layout kernel, onednn_layout dy, const dnnl_dims_t strides, const dnnl_dims_t dilations,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_convolution_desc_t, hint, dnnl_dilated_convolution_backward_data_desc_init, algorithm, dx, kernel, dy, strides,
      dilations, before, after)
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, onednn_layout x,
    onednn_layout dkernel, onednn_layout dbias, onednn_layout dy, const dnnl_dims_t strides, const dnnl_dims_t dilations,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_convolution_desc_t, hint, dnnl_dilated_convolution_backward_weights_desc_init, algorithm, x, dkernel, dbias,
      dy, strides, dilations, before, after)
}

static inline dnnl_status_t dnnl_eltwise_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    onednn_layout x, onednn_layout y, float alpha, float beta, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_eltwise_desc_t, NULL, dnnl_eltwise_forward_desc_init, pass, algorithm, x, alpha, beta)
}

static inline dnnl_status_t dnnl_eltwise_backward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, onednn_layout dx, onednn_layout dy,
    onednn_layout data, float alpha, float beta, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_eltwise_desc_t, hint, dnnl_eltwise_backward_desc_init, algorithm, dx, data, alpha, beta)
}

static inline dnnl_status_t dnnl_batch_normalization_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, onednn_layout x, onednn_layout y,
    float epsilon, unsigned flags, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_batch_normalization_desc_t, NULL, dnnl_batch_normalization_forward_desc_init, pass, x, epsilon, flags)
}

static inline dnnl_status_t dnnl_batch_normalization_backward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, onednn_layout dx, onednn_layout dy,
    onednn_layout x, float epsilon, unsigned flags, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_batch_normalization_desc_t, hint, dnnl_batch_normalization_backward_desc_init, pass, dx, x, epsilon, flags)
}

// Pooling is not dilated here.
static inline dnnl_status_t dnnl_pooling_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    onednn_layout x, onednn_layout y, const dnnl_dims_t strides, const dnnl_dims_t window, const dnnl_dims_t dilations,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_pooling_desc_t, NULL, dnnl_pooling_forward_desc_init, pass, algorithm, x, y, strides, window, before, after)
}

static inline dnnl_status_t dnnl_pooling_backward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, onednn_layout dx, onednn_layout dy,
    const dnnl_dims_t strides, const dnnl_dims_t window, const dnnl_dims_t dilations, const dnnl_dims_t before,
    const dnnl_dims_t after, const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(
      dnnl_pooling_desc_t, hint, dnnl_pooling_backward_desc_init, algorithm, dx, dy, strides, window, before, after)
}

static inline dnnl_status_t dnnl_resampling_forward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t algorithm,
    const float *factors, onednn_layout x, onednn_layout y, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_resampling_desc_t, NULL, dnnl_resampling_forward_desc_init, pass, algorithm, factors, x, y)
}

static inline dnnl_status_t dnnl_resampling_backward_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const float *factors,
    onednn_layout dx, onednn_layout dy, const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_resampling_desc_t, hint, dnnl_resampling_backward_desc_init, algorithm, factors, dx, dy)
}

static inline dnnl_status_t dnnl_binary_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, onednn_layout a, onednn_layout b,
    onednn_layout y, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_binary_desc_t, NULL, dnnl_binary_desc_init, algorithm, a, b, y)
}

static inline dnnl_status_t dnnl_matmul_primitive_desc_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, onednn_layout a, onednn_layout b, onednn_layout bias,
    onednn_layout y, const_dnnl_primitive_attr_t attributes) {
  ONEDNN_DESCRIBE(dnnl_matmul_desc_t, NULL, dnnl_matmul_desc_init, a, b, bias, y)
}

#undef ONEDNN_DESCRIBE
#endif
