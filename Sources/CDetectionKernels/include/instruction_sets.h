#pragma once

/// Instruction sets that kernels are compiled for, worst first.
typedef enum { INSTRUCTION_SET_BASELINE, INSTRUCTION_SET_AVX2, INSTRUCTION_SET_AVX512 } instruction_set;

/// The best that this processor runs.
instruction_set best_instruction_set(void);
