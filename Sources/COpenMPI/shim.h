#pragma once
#include <mpi.h>

// Macros that cast, which Swift does not import.
static inline MPI_Comm openmpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype openmpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype openmpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Op openmpi_sum(void) { return MPI_SUM; }
static inline void *openmpi_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Status *openmpi_no_statuses(void) { return MPI_STATUSES_IGNORE; }
