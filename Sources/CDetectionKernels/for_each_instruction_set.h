// Includes the file KERNELS once for each instruction set that this architecture has, with LANES (floats a vector) and
// NAME(x) defined; DISPATCH(set, f) is the function NAME(f) of a set.
#include "instruction_sets.h"

#define NAME(x) x##_baseline
#define LANES 4
#include KERNELS
#undef NAME
#undef LANES

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) x##_avx2
#define LANES 8
#include KERNELS
#undef NAME
#undef LANES
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"), min_vector_width(512))), apply_to = function)
#define NAME(x) x##_avx512
#define LANES 16
#include KERNELS
#undef NAME
#undef LANES
#pragma clang attribute pop

#define DISPATCH(set, f) \
  ((set) == INSTRUCTION_SET_AVX512 ? f##_avx512 : (set) == INSTRUCTION_SET_AVX2 ? f##_avx2 : f##_baseline)
#else
#define DISPATCH(set, f) (f##_baseline)
#endif
