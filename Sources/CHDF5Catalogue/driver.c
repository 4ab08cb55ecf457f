#include "driver.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

/// The file, of which there is one in this process.
static struct {
  H5FD_t base;
  int descriptor;
  bool is_open, is_noting;
  haddr_t end_of_allocation;
  DriverNote note;
} driver;

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name, (void)access, (void)most;
  if (driver.is_open || flags & H5F_ACC_RDWR) return NULL;
  driver.is_open = true;
  driver.end_of_allocation = 0;
  return &driver.base;
}

static herr_t close_file(H5FD_t *file) {
  (void)file;
  driver.is_open = false;
  return 0;
}

static herr_t query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
    H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t get_end_of_allocation(const H5FD_t *file, H5FD_mem_t type) {
  (void)file, (void)type;
  return driver.end_of_allocation;
}

static herr_t set_end_of_allocation(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
  (void)file, (void)type;
  driver.end_of_allocation = address;
  return 0;
}

static haddr_t get_end_of_file(const H5FD_t *file, H5FD_mem_t type) {
  (void)file, (void)type;
  struct stat status;
  return fstat(driver.descriptor, &status) == 0 ? (haddr_t)status.st_size : HADDR_UNDEF;
}

static herr_t read_bytes(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t bytes, void *target) {
  (void)file, (void)transfer;
  if (type == H5FD_MEM_DRAW && driver.is_noting) {
    driver.note = (DriverNote){driver.note.count + 1, address, bytes};
    return 0;
  }
  char *rest = target;
  while (bytes > 0) {
    if (address > INT64_MAX) return -1;
    ssize_t count = pread(driver.descriptor, rest, bytes, (off_t)address);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) {
      // What was allocated and never written is zero.
      memset(rest, 0, bytes);
      return 0;
    }
    rest += count;
    address += (haddr_t)count;
    bytes -= (size_t)count;
  }
  return 0;
}

static herr_t write_nothing(
  H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t bytes, const void *source
) {
  (void)file, (void)type, (void)transfer, (void)address, (void)bytes, (void)source;
  return -1;
}

static const H5FD_class_t class = {
#ifdef H5FD_CLASS_VERSION
  .version = H5FD_CLASS_VERSION,
  // Of those left to anyone.
  .value = (H5FD_class_value_t)511,
#endif
  .name = "descriptor",
  .maxaddr = INT64_MAX,
  .fc_degree = H5F_CLOSE_WEAK,
  .open = open_file,
  .close = close_file,
  .query = query,
  .get_eoa = get_end_of_allocation,
  .set_eoa = set_end_of_allocation,
  .get_eof = get_end_of_file,
  .read = read_bytes,
  .write = write_nothing,
  .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t driver_register(int descriptor) {
  driver.descriptor = descriptor;
  return H5FDregister(&class);
}

void driver_begin_noting(void) {
  driver.note = (DriverNote){0, HADDR_UNDEF, 0};
  driver.is_noting = true;
}

DriverNote driver_end_noting(void) {
  driver.is_noting = false;
  return driver.note;
}
