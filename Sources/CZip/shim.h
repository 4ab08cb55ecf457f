#pragma once
#include <zip.h>

/// glibc's, which its headers declare for GNU sources only; defining that here would give this module other system types
/// than its neighbours see.
extern int memfd_create(const char *name, unsigned int flags);

/// Memory with a descriptor (closed on exec), which goes with its last user.
static inline int CMemoryFile(const char *name) { return memfd_create(name, 1u); }
