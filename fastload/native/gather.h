// What a GPU needs of one image, put into a batch's arena: packed blocks where the record has them,
// else pixels, of the box that the steps read; and the weights of its resize. Where the kernels do
// not know a step, the steps are done here and the arena gets the finished pixels.
#ifndef FASTLOAD_NATIVE_GATHER_H_
#define FASTLOAD_NATIVE_GATHER_H_

#include <cstdint>

#include "arena.h"
#include "capi.h"
#include "record_cache.h"
#include "steps.h"

namespace fastload {

// Sets the room of the item's fl_gathered for a stored image of this size, and returns it.
uint64_t SetRoom(const fl_item& item, uint32_t height, uint32_t width);

// Fills the item's fl_gathered and what it tells of; `cache` is null for none. Returns whether the
// cache had what was needed. All that a kernel will follow is checked. Throws Failure.
bool GatherItem(const fl_item& item, Arena& arena, RecordCache* cache, Workspace& workspace);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_GATHER_H_
