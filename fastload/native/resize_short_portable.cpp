#include "resize_short_any.h"

namespace fastload {

const ResizeKernels kPortableShortResize = MakeShortResize<Register128>();

}  // namespace fastload
