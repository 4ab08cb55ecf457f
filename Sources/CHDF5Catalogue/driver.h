#pragma once
// A driver of libhdf5 that reads from a descriptor that is open already: no file is opened by name, be it the one described
// or one that it names. It can note where values lie instead of reading them.
#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <hdf5.h>
#include <stdbool.h>

/// Where the last values asked for lie, from the beginning of the file, user block included: libhdf5's own answers include
/// it in some versions only.
typedef struct {
  unsigned count;
  haddr_t address;
  size_t bytes;
} DriverNote;

/// Registers the driver, for `descriptor` alone, and returns its identifier.
hid_t driver_register(int descriptor);

/// From now on values are not read but noted.
void driver_begin_noting(void);
DriverNote driver_end_noting(void);
