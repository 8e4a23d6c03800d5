// libjpeg's headers lean on declarations that they do not include: only this file includes them.
#ifndef FASTLOAD_NATIVE_LIBJPEG_H_
#define FASTLOAD_NATIVE_LIBJPEG_H_

// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#endif  // FASTLOAD_NATIVE_LIBJPEG_H_
