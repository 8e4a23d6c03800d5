// Debian and Ubuntu compile libjpeg.a for programs: its one reference to data of another library,
// `stderr`, cannot be linked into a shared library. The build links with --wrap=stderr, which turns
// every reference to `stderr` into one to the variable below, inside the library.

#include <cstdio>

extern "C" {
extern FILE* __real_stderr;
__attribute__((visibility("hidden"))) FILE* __wrap_stderr = nullptr;
}

namespace {

// Before all other initialisation: libFuzzer, linked with the same flag, keeps `stderr` then.
__attribute__((constructor(101))) void SetStderr() { __wrap_stderr = __real_stderr; }

}  // namespace
