// The process that describes a file. In a fork of a process with threads only what is safe to call from a signal
// handler may be relied on, to which glibc adds malloc and the caller's lock adds libhdf5: hence C and not Swift, whose
// run time may have been forked while another thread held one of its locks.
//
// Records, numbers in the machine's byte order:
//   file       object end | error
//   object     'g' u64 address, attributes, links | 'd' u64 address, dataset, attributes | 't' | 'r' u64 address | error
//              ('r' stands for an object told before)
//   error      'e' u8 CODE text
//   text       u64 bytes, the bytes
//   links      { 'l' text name, ('h' object | 's' text target | 'x') } (end | error)
//   attributes { 'a' text name, ('k' type space (value | error) | error) } (end | error)
//   type       i8 class, u64 bytes, i8 order, i8 sign, u64 precision, i64 offset, 5 x u64 fields, i8 normalisation,
//              u64 bias, u8 is variable text, u8 padding of text
//   space      u8 is null, u8 rank, u64 extents
//   value      'v' text (elements as stored) | 's' u64 count, texts | 'n'
//   dataset    'k' type space, u64 stored bytes, ('c' text values | 'o' u64 offset | 'k' chunks | error) | error
//   chunks     u64 user block, u8 rank, u64 extents, u8 filters, i64 identifiers, text fill value,
//              { 'c' u64 offsets, u32 mask, u64 address, u64 bytes } (end | error)
//   end        'z'
#define _GNU_SOURCE
#include "CHDF5Catalogue.h"

#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CODE_LIBRARY, CODE_TOO_LARGE, CODE_REFUSED, CODE_NOT_HDF5 };

typedef struct {
  CHDF5CatalogueHeader *header;
  uint8_t *bytes;
  const CHDF5CatalogueLimits *limits;
  /// Addresses of objects told: a hash table without 0.
  haddr_t *seen;
  size_t seen_count, seen_capacity;
  uint64_t user_block;
} Catalogue;

// MARK: Writing records

static void put(Catalogue *c, const void *bytes, size_t count) {
  CHDF5CatalogueHeader *header = c->header;
  if (count > header->capacity - header->used) {
    header->overflowed = 1;
    _exit(1);
  }
  memcpy(c->bytes + header->used, bytes, count);
  header->used += count;
}

static void put_u8(Catalogue *c, uint8_t value) { put(c, &value, 1); }
static void put_u32(Catalogue *c, uint32_t value) { put(c, &value, 4); }
static void put_u64(Catalogue *c, uint64_t value) { put(c, &value, 8); }

static void put_bytes(Catalogue *c, const void *bytes, size_t count) {
  put_u64(c, count);
  put(c, bytes, count);
}

static void put_text(Catalogue *c, const char *text) { put_bytes(c, text, strlen(text)); }

static void put_error(Catalogue *c, uint8_t code, const char *text) {
  put_u8(c, 'e');
  put_u8(c, code);
  put_text(c, text);
}

static void put_end(Catalogue *c) { put_u8(c, 'z'); }

typedef struct {
  char first[256], last[256];
  unsigned count;
} Messages;

static herr_t collect_message(unsigned n, const H5E_error2_t *entry, void *data) {
  (void)n;
  Messages *messages = data;
  if (!entry->desc || !*entry->desc) return 0;
  char *target = messages->count++ ? messages->last : messages->first;
  strncpy(target, entry->desc, sizeof messages->first - 1);
  return 0;
}

/// The innermost message says what is wrong and the outermost what was tried.
static void put_library_error(Catalogue *c) {
  Messages messages = {0};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_message, &messages);
  H5Eclear2(H5E_DEFAULT);
  char text[600] = "unknown failure";
  if (messages.count) strcpy(text, messages.first);
  if (messages.count > 1 && strcmp(messages.first, messages.last)) {
    strcat(text, " (");
    strcat(text, messages.last);
    strcat(text, ")");
  }
  put_error(c, CODE_LIBRARY, text);
}

// MARK: Types and shapes

static void put_type(Catalogue *c, hid_t type) {
  H5T_class_t class = H5Tget_class(type);
  bool is_number = class == H5T_INTEGER || class == H5T_FLOAT;
  size_t fields[5] = {0};
  if (class == H5T_FLOAT) H5Tget_fields(type, &fields[0], &fields[1], &fields[2], &fields[3], &fields[4]);
  put_u8(c, (uint8_t)class);
  put_u64(c, H5Tget_size(type));
  put_u8(c, (uint8_t)(is_number ? H5Tget_order(type) : 0));
  put_u8(c, (uint8_t)(class == H5T_INTEGER ? H5Tget_sign(type) : 0));
  put_u64(c, is_number ? H5Tget_precision(type) : 0);
  put_u64(c, (uint64_t)(is_number ? H5Tget_offset(type) : 0));
  for (int i = 0; i < 5; i++) put_u64(c, fields[i]);
  put_u8(c, (uint8_t)(class == H5T_FLOAT ? H5Tget_norm(type) : 0));
  put_u64(c, class == H5T_FLOAT ? H5Tget_ebias(type) : 0);
  put_u8(c, class == H5T_STRING && H5Tis_variable_str(type) > 0);
  put_u8(c, (uint8_t)(class == H5T_STRING ? H5Tget_strpad(type) : 0));
  H5Eclear2(H5E_DEFAULT);
}

/// Whether elements are told as they are stored: not those that hold addresses.
static bool is_plain(hid_t type) {
  H5T_class_t class = H5Tget_class(type);
  return class == H5T_INTEGER || class == H5T_FLOAT || (class == H5T_STRING && H5Tis_variable_str(type) == 0);
}

typedef struct {
  bool is_null;
  int rank;
  hsize_t extents[H5S_MAX_RANK];
} Shape;

static bool get_shape(hid_t space, Shape *shape) {
  memset(shape, 0, sizeof *shape);
  H5S_class_t class = H5Sget_simple_extent_type(space);
  if (class == H5S_NULL) shape->is_null = true;
  if (class == H5S_SCALAR || class == H5S_NULL) return true;
  shape->rank = H5Sget_simple_extent_ndims(space);
  return shape->rank >= 0 && shape->rank <= H5S_MAX_RANK && H5Sget_simple_extent_dims(space, shape->extents, NULL) >= 0;
}

static void put_shape(Catalogue *c, const Shape *shape) {
  put_u8(c, shape->is_null);
  put_u8(c, (uint8_t)shape->rank);
  for (int i = 0; i < shape->rank; i++) put_u64(c, shape->extents[i]);
}

/// The shape's number of elements if they take at most `most` bytes, else -1.
static int64_t element_count(const Shape *shape, size_t element_bytes, uint64_t most) {
  if (shape->is_null) return 0;
  for (int i = 0; i < shape->rank; i++)
    if (shape->extents[i] == 0) return 0;
  if (element_bytes == 0 || element_bytes > most) return -1;
  uint64_t count = 1;
  for (int i = 0; i < shape->rank; i++) {
    if (shape->extents[i] > most / element_bytes / count) return -1;
    count *= shape->extents[i];
  }
  return (int64_t)count;
}

// MARK: Attributes

static bool put_strings(Catalogue *c, hid_t attribute, hid_t type, hid_t space, int64_t count) {
  // Of the file's character set, as libhdf5 does not convert between them.
  hid_t memory_type = H5Tcopy(H5T_C_S1);
  char **texts = calloc((size_t)count, sizeof *texts);
  bool done = texts && memory_type >= 0 && H5Tset_size(memory_type, H5T_VARIABLE) >= 0 &&
    H5Tset_cset(memory_type, H5Tget_cset(type)) >= 0 && H5Aread(attribute, memory_type, texts) >= 0;
  if (done) {
    put_u8(c, 's');
    put_u64(c, (uint64_t)count);
    for (int64_t i = 0; i < count; i++) put_text(c, texts[i] ? texts[i] : "");
    H5Dvlen_reclaim(memory_type, space, H5P_DEFAULT, texts);
  }
  free(texts);
  if (memory_type >= 0) H5Tclose(memory_type);
  return done;
}

static void put_attribute_value(Catalogue *c, hid_t attribute, hid_t type, hid_t space) {
  Shape shape;
  if (!get_shape(space, &shape)) return put_library_error(c);
  uint64_t most = c->limits->attribute_bytes;
  // What an attribute holds is stored, if not always with itself.
  if (c->limits->file_bytes < most) most = c->limits->file_bytes;
  bool is_variable = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
  int64_t count = element_count(&shape, H5Tget_size(type), most);
  if (count < 0 || (is_variable && (uint64_t)count > c->limits->variable_strings))
    return put_error(c, CODE_TOO_LARGE, "its shape and type claim more than the file can hold or the limits allow");
  put_u8(c, 'k');
  put_type(c, type);
  put_shape(c, &shape);
  if (count > 0 && is_variable) {
    if (!put_strings(c, attribute, type, space, count)) put_library_error(c);
  } else if (count > 0 && is_plain(type)) {
    size_t bytes = (size_t)count * H5Tget_size(type);
    void *buffer = calloc(1, bytes);
    if (buffer && H5Aread(attribute, type, buffer) >= 0) {
      put_u8(c, 'v');
      put_bytes(c, buffer, bytes);
    } else {
      put_library_error(c);
    }
    free(buffer);
  } else {
    put_u8(c, 'n');
  }
}

static herr_t put_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data) {
  (void)info;
  Catalogue *c = data;
  put_u8(c, 'a');
  put_text(c, name);
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
  hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
  if (type >= 0 && space >= 0) {
    put_attribute_value(c, attribute, type, space);
  } else {
    put_library_error(c);
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
  return 0;
}

static void put_attributes(Catalogue *c, hid_t object) {
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, put_attribute, c) >= 0) {
    put_end(c);
  } else {
    put_library_error(c);
  }
}

// MARK: Datasets

static void put_chunk_table(Catalogue *c, hid_t dataset, hid_t space, int rank) {
  hsize_t count = 0;
  if (H5Dget_num_chunks(dataset, space, &count) < 0) return put_library_error(c);
  for (hsize_t i = 0; i < count; i++) {
    hsize_t offsets[H5S_MAX_RANK + 1] = {0}, bytes = 0;
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    if (H5Dget_chunk_info(dataset, space, i, offsets, &mask, &address, &bytes) < 0) return put_library_error(c);
    put_u8(c, 'c');
    for (int axis = 0; axis < rank; axis++) put_u64(c, offsets[axis]);
    put_u32(c, mask);
    put_u64(c, address);
    put_u64(c, bytes);
  }
  put_end(c);
}

static void put_chunks(Catalogue *c, hid_t dataset, hid_t properties, hid_t type, hid_t space, int rank) {
  hsize_t extents[H5S_MAX_RANK] = {0};
  int filters = H5Pget_nfilters(properties);
  if (H5Pget_chunk(properties, H5S_MAX_RANK, extents) != rank || filters < 0 || filters > 32)
    return put_library_error(c);
  H5Z_filter_t identifiers[32];
  for (int i = 0; i < filters; i++) {
    unsigned flags = 0, configuration = 0;
    size_t values = 0;
    identifiers[i] = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &configuration);
    if (identifiers[i] < 0) return put_library_error(c);
  }
  uint8_t fill[16] = {0};
  size_t element_bytes = H5Tget_size(type);
  bool has_fill = is_plain(type) && element_bytes <= sizeof fill && H5Pget_fill_value(properties, type, fill) >= 0;
  H5Eclear2(H5E_DEFAULT);
  put_u8(c, 'k');
  put_u64(c, c->user_block);
  put_u8(c, (uint8_t)rank);
  for (int i = 0; i < rank; i++) put_u64(c, extents[i]);
  put_u8(c, (uint8_t)filters);
  for (int i = 0; i < filters; i++) put_u64(c, (uint64_t)identifiers[i]);
  put_bytes(c, fill, has_fill ? element_bytes : 0);
  put_chunk_table(c, dataset, space, rank);
}

static void put_compact(Catalogue *c, hid_t dataset, hid_t type, const Shape *shape) {
  int64_t count = is_plain(type) ? element_count(shape, H5Tget_size(type), 1 << 16) : 0;
  if (count < 0) return put_error(c, CODE_TOO_LARGE, "more values than an object's header holds");
  size_t bytes = (size_t)count * H5Tget_size(type);
  void *buffer = calloc(1, bytes + 1);
  if (buffer && (bytes == 0 || H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0)) {
    put_u8(c, 'c');
    put_bytes(c, buffer, bytes);
  } else {
    put_library_error(c);
  }
  free(buffer);
}

static void put_layout(Catalogue *c, hid_t dataset, hid_t properties) {
  // First of all, as asking a virtual dataset for its shape opens the files that it is made of.
  H5D_layout_t layout = H5Pget_layout(properties);
  int external = layout == H5D_VIRTUAL ? 0 : H5Pget_external_count(properties);
  if (layout < 0 || external < 0) return put_library_error(c);
  if (layout == H5D_VIRTUAL) return put_error(c, CODE_REFUSED, "a virtual dataset, made of other files");
  if (external > 0) return put_error(c, CODE_REFUSED, "values stored in another file");
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  Shape shape;
  if (type >= 0 && space >= 0 && get_shape(space, &shape)) {
    put_u8(c, 'k');
    put_type(c, type);
    put_shape(c, &shape);
    put_u64(c, H5Dget_storage_size(dataset));
    if (layout == H5D_CHUNKED) {
      put_chunks(c, dataset, properties, type, space, shape.rank);
    } else if (layout == H5D_COMPACT) {
      put_compact(c, dataset, type, &shape);
    } else {
      put_u8(c, 'o');
      put_u64(c, H5Dget_offset(dataset));
    }
  } else {
    put_library_error(c);
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
}

static void put_dataset(Catalogue *c, hid_t dataset, haddr_t address) {
  put_u8(c, 'd');
  put_u64(c, address);
  hid_t properties = H5Dget_create_plist(dataset);
  if (properties >= 0) {
    put_layout(c, dataset, properties);
    H5Pclose(properties);
  } else {
    put_library_error(c);
  }
  H5Eclear2(H5E_DEFAULT);
  put_attributes(c, dataset);
}

// MARK: Groups

/// Whether the address was there before; adds it.
static bool was_seen(Catalogue *c, haddr_t address) {
  if (2 * c->seen_count >= c->seen_capacity) {
    size_t capacity = c->seen_capacity ? 2 * c->seen_capacity : 1024;
    haddr_t *seen = malloc(capacity * sizeof *seen);
    if (!seen) abort();
    memset(seen, 0xff, capacity * sizeof *seen);
    for (size_t i = 0; i < c->seen_capacity; i++) {
      if (c->seen[i] == HADDR_UNDEF) continue;
      size_t slot = (c->seen[i] * 0x9e3779b97f4a7c15u) % capacity;
      while (seen[slot] != HADDR_UNDEF) slot = (slot + 1) % capacity;
      seen[slot] = c->seen[i];
    }
    free(c->seen);
    c->seen = seen;
    c->seen_capacity = capacity;
  }
  size_t slot = (address * 0x9e3779b97f4a7c15u) % c->seen_capacity;
  for (; c->seen[slot] != HADDR_UNDEF; slot = (slot + 1) % c->seen_capacity)
    if (c->seen[slot] == address) return true;
  c->seen[slot] = address;
  c->seen_count++;
  return false;
}

typedef struct {
  Catalogue *catalogue;
  uint64_t depth;
} Level;

static void put_group(Catalogue *c, hid_t group, haddr_t address, uint64_t depth);

static void put_object(Catalogue *c, hid_t parent, const char *name, haddr_t address, uint64_t depth) {
  if (address != HADDR_UNDEF && was_seen(c, address)) {
    put_u8(c, 'r');
    return put_u64(c, address);
  }
  hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
  if (object < 0) return put_library_error(c);
  switch (H5Iget_type(object)) {
  case H5I_GROUP:
    put_group(c, object, address, depth);
    break;
  case H5I_DATASET:
    put_dataset(c, object, address);
    break;
  default:
    put_u8(c, 't');
  }
  H5Oclose(object);
}

static herr_t put_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
  const Level *level = data;
  Catalogue *c = level->catalogue;
  put_u8(c, 'l');
  put_text(c, name);
  if (info->type == H5L_TYPE_HARD) {
    put_u8(c, 'h');
    put_object(c, group, name, info->u.address, level->depth);
  } else if (info->type == H5L_TYPE_SOFT && info->u.val_size < 1 << 16) {
    char *target = calloc(1, info->u.val_size + 1);
    if (target && H5Lget_val(group, name, target, info->u.val_size, H5P_DEFAULT) >= 0) {
      put_u8(c, 's');
      put_text(c, target);
    } else {
      put_library_error(c);
    }
    free(target);
  } else {
    put_u8(c, 'x');
  }
  return 0;
}

static void put_group(Catalogue *c, hid_t group, haddr_t address, uint64_t depth) {
  put_u8(c, 'g');
  put_u64(c, address);
  put_attributes(c, group);
  if (depth > c->limits->group_depth) return put_error(c, CODE_TOO_LARGE, "groups nested too deeply");
  Level level = {c, depth + 1};
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, put_link, &level) >= 0) {
    put_end(c);
  } else {
    put_library_error(c);
  }
}

// MARK: The process

static void put_file(Catalogue *c, const char *path) {
  htri_t is_hdf5 = H5Fis_hdf5(path);
  if (is_hdf5 == 0) return put_error(c, CODE_NOT_HDF5, "");
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  // Of the drivers the one that asks for no more than the path, which may be that of memory without a name; no locks,
  // as finished files only change by being replaced.
  if (is_hdf5 < 0 || access < 0 || H5Pset_fapl_stdio(access) < 0 || H5Pset_file_locking(access, false, true) < 0)
    return put_library_error(c);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  // That driver clears the reasons as it closes; another one leaves them.
  if (file < 0 && H5Pset_fapl_sec2(access) >= 0 && H5Fopen(path, H5F_ACC_RDONLY, access) < 0)
    return put_library_error(c);
  hid_t creation = file >= 0 ? H5Fget_create_plist(file) : -1;
  hsize_t user_block = 0;
  hid_t root = file >= 0 ? H5Gopen2(file, "/", H5P_DEFAULT) : -1;
  H5O_info_t info;
  if (creation < 0 || root < 0 || H5Pget_userblock(creation, &user_block) < 0 || H5Oget_info(root, &info) < 0)
    return put_library_error(c);
  c->user_block = user_block;
  was_seen(c, info.addr);
  put_group(c, root, info.addr, 1);
  put_end(c);
}

/// The process' address space in bytes.
static uint64_t address_space(void) {
  char text[64] = {0};
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  size_t read = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  return read ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void limit(int resource, rlim_t value) {
  struct rlimit limit = {value, value};
  setrlimit(resource, &limit);
}

static void prepare_process(const CHDF5CatalogueLimits *limits) {
  // The caller's handlers are not for this process, whose death is expected.
  int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM, SIGXCPU, SIGTERM, SIGINT};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // glibc says there what corrupted its heap.
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits->cpu_seconds);
  uint64_t used = address_space();
  if (used) limit(RLIMIT_AS, used + limits->memory_bytes);
  alarm(limits->wall_seconds);
}

pid_t CHDF5CatalogueStart(
  const char *path, const CHDF5CatalogueLimits *limits, void *shared, uint64_t shared_bytes
) {
  CHDF5CatalogueHeader *header = shared;
  memset(header, 0, sizeof *header);
  header->capacity = shared_bytes - sizeof *header;
  pid_t process = fork();
  if (process != 0) return process;
  prepare_process(limits);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  Catalogue catalogue = {.header = header, .bytes = (uint8_t *)(header + 1), .limits = limits};
  put_file(&catalogue, path);
  // What the caller has open for writing is not to be flushed from here.
  _exit(0);
}

int CHDF5CatalogueWait(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    // Another part of the program waited for it: the records tell whether it finished.
    if (errno != EINTR) return 0;
  }
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
