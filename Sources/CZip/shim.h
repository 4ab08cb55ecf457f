#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/mman.h>
#include <zip.h>

/// Memory with a descriptor, which goes with its last user. Declared by glibc for GNU sources only.
static inline int CMemoryFile(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
