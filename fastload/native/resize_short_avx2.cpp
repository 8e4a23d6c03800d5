#include "resize_short_any.h"

namespace fastload {

const ResizeKernels kAvx2ShortResize = MakeShortResize<Register256>();

}  // namespace fastload
