#pragma once
// The entry points of GCC's OpenMP run time that compiled `#pragma omp` loops call (libgomp's stable ABI).
// Calling them directly lets Swift loops run on the same threads as oneDNN's, so that the two never compete for cores.
void GOMP_parallel(void (*body)(void *), void *data, unsigned thread_count, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
void omp_set_num_threads(int);
