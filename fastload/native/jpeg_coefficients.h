// Tokens from coefficients that libjpeg has read: the way for every JPEG that libjpeg can read.
#ifndef FASTLOAD_NATIVE_JPEG_COEFFICIENTS_H_
#define FASTLOAD_NATIVE_JPEG_COEFFICIENTS_H_

#include "jpeg_frame.h"
#include "jpeg_hash.h"
#include "jpeg_source.h"
#include "jpeg_tokens.h"

namespace fastload {

// Throws FL_JPEG_NOT_BASELINE where a coefficient is larger than baseline Huffman symbols can say.
void TokensOfCoefficients(JpegSource& source, jvirt_barray_ptr* coefficients, const Frame& frame,
                          TokenStream& tokens, JpegHash& hash);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_COEFFICIENTS_H_
