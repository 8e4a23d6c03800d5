// libjpeg's decompressor as an object: its errors arrive as `Failure`, and its warnings too,
// because a warning means that libjpeg is about to guess what damaged bytes meant.
#ifndef FASTLOAD_NATIVE_JPEG_SOURCE_H_
#define FASTLOAD_NATIVE_JPEG_SOURCE_H_

#include <csetjmp>
#include <cstddef>
#include <cstdint>

#include "jpeg_limits.h"
#include "libjpeg.h"

namespace fastload {

// Catches libjpeg's errors and warnings by longjmp. Its only landing is in `Succeeds`, whose frame
// holds no object with a destructor; the steps that run above it must not hold one either.
class JpegErrors {
  public:
    JpegErrors();

    jpeg_error_mgr* manager() { return &state_.manager; }

    // Runs `step(argument)`; throws Failure with libjpeg's words where that fails or warns.
    void Attempt(void (*step)(void*), void* argument);

    bool warned() const { return state_.warned; }

  private:
    // libjpeg hands back the pointer to `manager`, which is therefore first.
    struct State {
        jpeg_error_mgr manager;
        jmp_buf jump;
        bool warned;
    };

    static void OnError(j_common_ptr common);
    static void OnMessage(j_common_ptr common, int level);
    static void OnOutput(j_common_ptr common);

    bool Succeeds(void (*step)(void*), void* argument);
    int32_t CodeOfFailure() const;

    State state_;
};

class JpegSource {
  public:
    // `source` must outlive this object.
    JpegSource(const uint8_t* source, size_t size);
    ~JpegSource();
    JpegSource(const JpegSource&) = delete;
    JpegSource& operator=(const JpegSource&) = delete;

    // Reads up to the first scan's entropy-coded bytes.
    void ReadHeader();

    // Reads the whole image; the arrays, one a component, live as long as this object.
    jvirt_barray_ptr* ReadCoefficients();

    // Block row `row` of an array that ReadCoefficients returned.
    JBLOCKROW BlockRow(jvirt_barray_ptr array, uint32_t row);

    const jpeg_decompress_struct& info() const { return info_; }
    bool warned() const { return errors_.warned(); }

  private:
    JpegErrors errors_;
    ScanLimit scans_;
    jpeg_decompress_struct info_;
    const uint8_t* source_;
    size_t size_;
    jvirt_barray_ptr* coefficients_ = nullptr;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_SOURCE_H_
