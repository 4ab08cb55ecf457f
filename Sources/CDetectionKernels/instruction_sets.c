#include "instruction_sets.h"

instruction_set best_instruction_set(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return INSTRUCTION_SET_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return INSTRUCTION_SET_AVX2;
#endif
  return INSTRUCTION_SET_BASELINE;
}
