// How a failure travels: a `Failure` inside the library, an `fl_error` at the C door, never an
// exception across it.
#ifndef FASTLOAD_NATIVE_ERROR_H_
#define FASTLOAD_NATIVE_ERROR_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fl_error {
    int32_t code;
    char message[252];
} fl_error;

// Codes are part of the C interface: library.py mirrors them by name, so a number is never used
// twice.
typedef enum fl_code {
    FL_OK = 0,
    FL_BAD_ARGUMENT = 1,
    FL_OUT_OF_MEMORY = 2,
    FL_INTERNAL = 3,
    FL_CORRUPT = 4,            // the bytes break their own format
    FL_JPEG_WARNING = 10,      // libjpeg would go on, but guessing what the damaged bytes meant
    FL_JPEG_INCOMPLETE = 11,   // progressive without its last scans: decoders smooth such blocks
    FL_JPEG_UNSUPPORTED = 12,  // CMYK, YCCK, 12 bit, lossless and other modes
    FL_JPEG_NOT_BASELINE = 13  // coefficients or sampling that baseline Huffman cannot carry
} fl_code;

#ifdef __cplusplus
}

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace fastload {

class Failure : public std::exception {
  public:
    Failure(int32_t code, std::string message) : code_(code), message_(std::move(message)) {}

    int32_t code() const noexcept { return code_; }
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    int32_t code_;
    std::string message_;
};

inline int Report(fl_error* error, int32_t code, const char* message) noexcept {
    if (error != nullptr) {
        error->code = code;
        std::snprintf(error->message, sizeof(error->message), "%s", message);
    }
    return code;
}

// Runs `body` behind the C door: returns 0, or the code of what it threw.
template <typename Body>
int Guard(fl_error* error, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
        return Report(error, FL_OK, "");
    } catch (const Failure& failure) {
        return Report(error, failure.code(), failure.what());
    } catch (const std::bad_alloc&) {
        return Report(error, FL_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& exception) {
        return Report(error, FL_INTERNAL, exception.what());
    } catch (...) {
        return Report(error, FL_INTERNAL, "unknown exception");
    }
}

}  // namespace fastload
#endif  // __cplusplus

#endif  // FASTLOAD_NATIVE_ERROR_H_
