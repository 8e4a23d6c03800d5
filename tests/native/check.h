// CHECK: what a test asserts. A failure prints where and goes on, so that one run shows them all.
#ifndef FASTLOAD_TESTS_NATIVE_CHECK_H_
#define FASTLOAD_TESTS_NATIVE_CHECK_H_

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>

#include "error.h"

inline std::atomic<int> failed_checks{0};

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            ++failed_checks;                                                             \
        }                                                                                \
    } while (false)

// The code that `body` fails with, or FL_OK.
template <typename Body>
int32_t CodeOf(Body&& body) {
    try {
        body();
        return FL_OK;
    } catch (const fastload::Failure& failure) {
        return failure.code();
    }
}

// What `body` says as it fails; empty where it does not.
template <typename Body>
std::string MessageOf(Body&& body) {
    try {
        body();
        return {};
    } catch (const fastload::Failure& failure) {
        return failure.what();
    }
}

// For main() to return.
inline int Verdict() { return failed_checks == 0 ? 0 : 1; }

#endif  // FASTLOAD_TESTS_NATIVE_CHECK_H_
