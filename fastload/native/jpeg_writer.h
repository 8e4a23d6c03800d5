// Writes a baseline JPEG with Huffman tables made for it and a restart marker after each MCU row.
#ifndef FASTLOAD_NATIVE_JPEG_WRITER_H_
#define FASTLOAD_NATIVE_JPEG_WRITER_H_

#include "buffer.h"
#include "jpeg_frame.h"
#include "jpeg_tokens.h"

namespace fastload {

// Appends the file. `tokens` holds frame.mcus_down rows whose DC symbols are differences that begin
// anew in each row.
void WriteJpeg(const Frame& frame, const TokenStream& tokens, Buffer& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_WRITER_H_
