#pragma once
// The version of the Swift compiler that imports this header: 60301 is 6.3.1. Other compilers see 0.
#ifdef __swift__
enum { SWIFT_COMPILER_VERSION = __swift__ };
#else
enum { SWIFT_COMPILER_VERSION = 0 };
#endif
