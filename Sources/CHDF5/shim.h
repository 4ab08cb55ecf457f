#pragma once
// HDF5 names most of its constants by macros that Swift does not import: each becomes an inline function of the same
// name. The 1.10 interface is asked for, so that newer libraries serve as well.
#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <hdf5.h>

#define CHDF5_CONSTANT(type, name) \
  static inline type C##name(void) { return name; }

CHDF5_CONSTANT(hid_t, H5P_DEFAULT)
CHDF5_CONSTANT(hid_t, H5P_FILE_CREATE)
CHDF5_CONSTANT(hid_t, H5P_FILE_ACCESS)
CHDF5_CONSTANT(hid_t, H5P_GROUP_CREATE)
CHDF5_CONSTANT(hid_t, H5P_DATASET_CREATE)
CHDF5_CONSTANT(hid_t, H5P_LINK_CREATE)
CHDF5_CONSTANT(hid_t, H5P_LINK_ACCESS)
CHDF5_CONSTANT(hid_t, H5S_ALL)
CHDF5_CONSTANT(hid_t, H5E_DEFAULT)
CHDF5_CONSTANT(unsigned, H5F_ACC_RDONLY)
CHDF5_CONSTANT(unsigned, H5F_ACC_TRUNC)
CHDF5_CONSTANT(size_t, H5T_VARIABLE)
CHDF5_CONSTANT(hid_t, H5T_C_S1)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_FLOAT)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_DOUBLE)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_INT64)
CHDF5_CONSTANT(hid_t, H5T_IEEE_F32LE)
CHDF5_CONSTANT(hid_t, H5T_IEEE_F64LE)
CHDF5_CONSTANT(hid_t, H5T_STD_I64LE)

// Versioned names are macros for one of several functions.
typedef herr_t (*CH5LinkVisitor)(hid_t group, const char *name, const H5L_info_t *info, void *data);
static inline herr_t CH5Literate(hid_t group, CH5LinkVisitor visitor, void *data) {
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visitor, data);
}
static inline herr_t CH5Lget_info(hid_t group, const char *name, H5L_info_t *info) {
  return H5Lget_info(group, name, info, H5P_DEFAULT);
}
/// The address of an object's header in the file: its identity.
static inline herr_t CH5Oget_address(hid_t object, haddr_t *address) {
  H5O_info_t info;
  herr_t status = H5Oget_info(object, &info);
  if (status >= 0) *address = info.addr;
  return status;
}
