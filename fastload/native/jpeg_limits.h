// Bounds of what a JPEG may cost: no more memory and time than its bytes account for.
#ifndef FASTLOAD_NATIVE_JPEG_LIMITS_H_
#define FASTLOAD_NATIVE_JPEG_LIMITS_H_

#include <cstddef>

#include "libjpeg.h"

namespace fastload {

// `info` stands behind the header of a file of `size` bytes. Throws FL_JPEG_WARNING where these
// are too few for its blocks: such a file was cut, and must get no room for coefficients that will
// not come.
void CheckSize(const jpeg_decompress_struct& info, size_t size);

// Lets libjpeg fail at a file of more scans than any image has use for: each is a walk over all
// blocks, and may take no more than a header of the file's bytes.
class ScanLimit {
  public:
    // For as long as `info` decodes.
    void Watch(jpeg_decompress_struct& info) { info.progress = &monitor_; }

  private:
    static void Check(j_common_ptr common);

    jpeg_progress_mgr monitor_ = {.progress_monitor = Check,
                                  .pass_counter = 0,
                                  .pass_limit = 0,
                                  .completed_passes = 0,
                                  .total_passes = 0};
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_LIMITS_H_
