// The process that describes a file. In a fork of a process with threads only what is safe to call from a signal
// handler may be relied on, to which glibc adds malloc and the caller's lock adds libhdf5: hence C and not Swift, whose
// run time may have been forked while another thread held one of its locks.
//
// Records, numbers in the machine's byte order:
//   file       object end | error
//   object     'g' u64 address, attributes, links | 'd' u64 address, dataset, attributes | 't' u64 address |
//              'r' u64 address | error
//              ('r' stands for an object told before)
//   error      'e' u8 CODE text
//              (any step may be told so instead, where it ended an earlier process)
//   text       u64 bytes, the bytes
//   links      { 'l' text name, ('h' object | 's' text target | 'x') } (end | error)
//   attributes { 'a' text name, ('k' type space (value | error) | error) } (end | error)
//   type       i8 class, u64 bytes, i8 order, i8 sign, u64 precision, i64 offset, 5 x u64 fields, i8 normalisation,
//              u64 bias, u8 is variable text, u8 padding of text, text tag of an opaque type
//   space      u8 is null, u8 rank, u64 extents
//   value      'v' text (elements as stored) | 's' u64 count, texts | 'n'
//   dataset    'k' type space, u64 stored bytes, fill, ('c' text values | 'o' u64 offset | 'k' chunks | error) | error
//   fill       'v' text value | 'n' (zeros) | 'u' (none)
//   chunks     u8 rank, u64 extents, u8 filters, i64 identifiers,
//              { 'c' u64 index in C order, u32 mask, u64 address, u64 bytes } (end | error)
//   end        'z'
#define _GNU_SOURCE
#include "CHDF5Catalogue.h"
#include "driver.h"

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
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/// CODE_ENDED: the text is the number of the signal.
enum { CODE_LIBRARY, CODE_TOO_LARGE, CODE_REFUSED, CODE_NOT_HDF5, CODE_ENDED };

typedef struct {
  CHDF5CatalogueHeader *header;
  uint8_t *bytes;
  const CHDF5CatalogueLimits *limits;
  /// Addresses of objects told: a hash table without 0.
  haddr_t *seen;
  size_t seen_count, seen_capacity;
  uint64_t steps;
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

static herr_t collect_message(unsigned n, const H5E_error2_t *entry, void *data) {
  (void)n;
  char *text = data;
  if (!*text && entry->desc) strncpy(text, entry->desc, 255);
  return 0;
}

/// The innermost message says what is wrong; the others what was tried.
static void put_library_error(Catalogue *c) {
  char text[256] = {0};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_message, text);
  H5Eclear2(H5E_DEFAULT);
  put_error(c, CODE_LIBRARY, *text ? text : "unknown failure");
}

// MARK: Steps

/// The time for a step starts anew.
static void restart_timer(Catalogue *c) {
  struct itimerval timer = {{0, 0}, {c->limits->step_seconds, 0}};
  setitimer(ITIMER_PROF, &timer, NULL);
}

/// Begins what may crash or take for ever; steps may lie within one another. Returns whether to take it: where it ended an
/// earlier process, that is told instead.
static bool begin_step(Catalogue *c, uint64_t *outer) {
  *outer = c->header->step;
  uint64_t step = ++c->steps;
  c->header->step = step;
  for (uint32_t i = 0; i < c->limits->skipped_count; i++) {
    if (c->limits->skipped[i].step != step) continue;
    char text[16];
    snprintf(text, sizeof text, "%d", c->limits->skipped[i].signal);
    put_error(c, CODE_ENDED, text);
    c->header->step = *outer;
    return false;
  }
  restart_timer(c);
  return true;
}

static void end_step(Catalogue *c, uint64_t outer) {
  c->header->step = outer;
  restart_timer(c);
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
  char *tag = class == H5T_OPAQUE ? H5Tget_tag(type) : NULL;
  put_text(c, tag ? tag : "");
  if (tag) H5free_memory(tag);
  H5Eclear2(H5E_DEFAULT);
}

/// Whether elements are told as they are stored: not those that hold addresses.
static bool is_plain(hid_t type) {
  H5T_class_t class = H5Tget_class(type);
  return class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_OPAQUE || (class == H5T_STRING && H5Tis_variable_str(type) == 0);
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
  uint64_t outer;
  if (!begin_step(c, &outer)) return 0;
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
  end_step(c, outer);
  return 0;
}

static void put_attributes(Catalogue *c, hid_t object) {
  uint64_t outer;
  if (!begin_step(c, &outer)) return;
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, put_attribute, c) >= 0) {
    put_end(c);
  } else {
    put_library_error(c);
  }
  end_step(c, outer);
}

// MARK: Datasets

/// Tells the chunk at `offsets`, `index` in C order, if there is one.
static bool put_chunk(Catalogue *c, hid_t dataset, const hsize_t *offsets, uint64_t index, bool is_unfiltered) {
  uint32_t mask = 0;
  uint8_t nothing = 0;
  // By way of the index and nothing else: asking for chunks by their number walks over all before it.
  driver_begin_noting();
  herr_t status = H5Dread_chunk(dataset, H5P_DEFAULT, offsets, &mask, &nothing);
  DriverNote note = driver_end_noting();
  if (status < 0 || note.count != 1) {
    H5Eclear2(H5E_DEFAULT);
    return false;
  }
  put_u8(c, 'c');
  put_u64(c, index);
  put_u32(c, is_unfiltered ? UINT32_MAX : mask);
  put_u64(c, note.address);
  put_u64(c, note.bytes);
  return true;
}

typedef struct {
  hid_t dataset, space;
  int rank;
  /// Of the dataset and of a chunk.
  const hsize_t *shape, *extents;
  /// Chunks that reach beyond the dataset are stored without filters.
  bool leaves_edges;
} Chunks;

static bool is_unfiltered(const Chunks *chunks, const hsize_t *offsets) {
  if (!chunks->leaves_edges) return false;
  for (int axis = 0; axis < chunks->rank; axis++)
    if (chunks->shape[axis] - offsets[axis] < chunks->extents[axis]) return true;
  return false;
}

/// Tries every place of the grid.
static hsize_t put_grid(Catalogue *c, const Chunks *chunks, uint64_t places) {
  hsize_t offsets[H5S_MAX_RANK + 1] = {0}, found = 0;
  for (uint64_t index = 0; index < places; index++) {
    found += put_chunk(c, chunks->dataset, offsets, index, is_unfiltered(chunks, offsets));
    if (index % 1024 == 0) restart_timer(c);
    for (int axis = chunks->rank - 1; axis >= 0; axis--) {
      offsets[axis] += chunks->extents[axis];
      if (offsets[axis] < chunks->shape[axis]) break;
      offsets[axis] = 0;
    }
  }
  return found;
}

/// Tries the places of the few chunks that there are.
static hsize_t put_listed(Catalogue *c, const Chunks *chunks, hsize_t count) {
  hsize_t found = 0;
  for (hsize_t i = 0; i < count; i++) {
    hsize_t offsets[H5S_MAX_RANK + 1] = {0}, bytes = 0;
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    if (H5Dget_chunk_info(chunks->dataset, chunks->space, i, offsets, &mask, &address, &bytes) < 0) break;
    uint64_t index = 0;
    for (int axis = 0; axis < chunks->rank; axis++)
      index = index * ((chunks->shape[axis] - 1) / chunks->extents[axis] + 1) + offsets[axis] / chunks->extents[axis];
    found += put_chunk(c, chunks->dataset, offsets, index, is_unfiltered(chunks, offsets));
  }
  return found;
}

static void put_chunk_table(Catalogue *c, const Chunks *chunks) {
  hsize_t count = 0;
  uint64_t places = 1;
  if (H5Dget_num_chunks(chunks->dataset, chunks->space, &count) < 0) return put_library_error(c);
  for (int axis = 0; axis < chunks->rank; axis++) {
    if (chunks->shape[axis] == 0 || chunks->extents[axis] == 0) return put_end(c);
    uint64_t along = (chunks->shape[axis] - 1) / chunks->extents[axis] + 1;
    // Beyond any use.
    places = along > UINT32_MAX || places > UINT32_MAX ? UINT64_MAX : places * along;
  }
  hsize_t found = count;
  if (count > 0 && places / count <= 16) {
    found = put_grid(c, chunks, places);
  } else if (count <= 4096) {
    found = put_listed(c, chunks, count);
  } else if (places / count <= 4096) {
    found = put_grid(c, chunks, places);
  } else {
    return put_error(c, CODE_TOO_LARGE, "most of it was never written");
  }
  if (found != count) return put_error(c, CODE_LIBRARY, "damaged: chunks are missing");
  put_end(c);
}

static void put_chunks(Catalogue *c, hid_t dataset, hid_t properties, hid_t type, hid_t space, const Shape *shape) {
  hsize_t extents[H5S_MAX_RANK] = {0};
  int filters = H5Pget_nfilters(properties);
  unsigned options = 0;
  if (H5Pget_chunk(properties, H5S_MAX_RANK, extents) != shape->rank || filters < 0 || filters > 32 ||
      H5Pget_chunk_opts(properties, &options) < 0)
    return put_library_error(c);
  H5Z_filter_t identifiers[32];
  for (int i = 0; i < filters; i++) {
    unsigned flags = 0, configuration = 0;
    size_t values = 0;
    identifiers[i] = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &configuration);
    if (identifiers[i] < 0) return put_library_error(c);
  }
  put_u8(c, 'k');
  put_u8(c, (uint8_t)shape->rank);
  for (int i = 0; i < shape->rank; i++) put_u64(c, extents[i]);
  put_u8(c, (uint8_t)filters);
  for (int i = 0; i < filters; i++) put_u64(c, (uint64_t)identifiers[i]);
  // What cannot be read need not be found.
  if (!is_plain(type)) return put_end(c);
  uint64_t outer;
  if (!begin_step(c, &outer)) return;
  Chunks chunks = {
    dataset, space, shape->rank, shape->extents, extents, options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS};
  put_chunk_table(c, &chunks);
  end_step(c, outer);
}

/// What values never written are: zeros unless a fill value is to be used.
static void put_fill(Catalogue *c, hid_t properties, hid_t type) {
  H5D_fill_time_t time = H5D_FILL_TIME_IFSET;
  H5D_fill_value_t state = H5D_FILL_VALUE_DEFAULT;
  uint8_t value[16] = {0};
  size_t element_bytes = H5Tget_size(type);
  H5Pget_fill_time(properties, &time);
  H5Pfill_value_defined(properties, &state);
  if (time != H5D_FILL_TIME_NEVER && state == H5D_FILL_VALUE_UNDEFINED) {
    put_u8(c, 'u');
  } else if (time != H5D_FILL_TIME_NEVER && state == H5D_FILL_VALUE_USER_DEFINED && is_plain(type) &&
             element_bytes <= sizeof value && H5Pget_fill_value(properties, type, value) >= 0) {
    put_u8(c, 'v');
    put_bytes(c, value, element_bytes);
  } else {
    put_u8(c, 'n');
  }
  H5Eclear2(H5E_DEFAULT);
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
    put_fill(c, properties, type);
    if (layout == H5D_CHUNKED) {
      put_chunks(c, dataset, properties, type, space, &shape);
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
  uint64_t outer;
  if (begin_step(c, &outer)) {
    hid_t properties = H5Dget_create_plist(dataset);
    if (properties >= 0) {
      put_layout(c, dataset, properties);
      H5Pclose(properties);
    } else {
      put_library_error(c);
    }
    H5Eclear2(H5E_DEFAULT);
    end_step(c, outer);
  }
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
  uint64_t outer;
  if (!begin_step(c, &outer)) return;
  hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
  switch (object < 0 ? H5I_BADID : H5Iget_type(object)) {
  case H5I_BADID:
    put_library_error(c);
    break;
  case H5I_GROUP:
    put_group(c, object, address, depth);
    break;
  case H5I_DATASET:
    put_dataset(c, object, address);
    break;
  default:
    put_u8(c, 't');
    put_u64(c, address);
  }
  if (object >= 0) H5Oclose(object);
  end_step(c, outer);
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
  uint64_t outer;
  if (!begin_step(c, &outer)) return;
  Level level = {c, depth + 1};
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, put_link, &level) >= 0) {
    put_end(c);
  } else {
    put_library_error(c);
  }
  end_step(c, outer);
}

// MARK: The process

/// Whether the file has the signature where HDF5 looks for it: at its beginning or behind a user block.
static bool has_signature(const CHDF5CatalogueLimits *limits, int descriptor) {
  char bytes[8];
  for (uint64_t offset = 0; offset + sizeof bytes <= limits->file_bytes; offset = offset ? 2 * offset : 512) {
    if (pread(descriptor, bytes, sizeof bytes, (off_t)offset) != sizeof bytes) return false;
    if (memcmp(bytes, "\x89HDF\r\n\x1a\n", sizeof bytes) == 0) return true;
  }
  return false;
}

static void put_file(Catalogue *c, int descriptor) {
  if (!has_signature(c->limits, descriptor)) return put_error(c, CODE_NOT_HDF5, "");
  uint64_t outer;
  begin_step(c, &outer);
  hid_t driver = driver_register(descriptor);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  // No locks, as finished files only change by being replaced.
  if (driver < 0 || access < 0 || H5Pset_driver(access, driver, NULL) < 0 || H5Pset_file_locking(access, false, true) < 0)
    return put_library_error(c);
  hid_t file = H5Fopen("file", H5F_ACC_RDONLY, access);
  hid_t root = file >= 0 ? H5Gopen2(file, "/", H5P_DEFAULT) : -1;
  H5O_info_t info;
  if (root < 0 || H5Oget_info(root, &info) < 0) return put_library_error(c);
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
  int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM, SIGXCPU, SIGPROF, SIGTERM, SIGINT};
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
  int descriptor, const CHDF5CatalogueLimits *limits, void *shared, uint64_t shared_bytes
) {
  CHDF5CatalogueHeader *header = shared;
  memset(header, 0, sizeof *header);
  header->capacity = shared_bytes - sizeof *header;
  pid_t process = fork();
  if (process != 0) return process;
  prepare_process(limits);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  Catalogue catalogue = {.header = header, .bytes = (uint8_t *)(header + 1), .limits = limits};
  put_file(&catalogue, descriptor);
  header->finished = 1;
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
