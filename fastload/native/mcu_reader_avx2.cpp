#include "mcu_reader_any.h"

namespace fastload {

void ReadMcuRowsAvx2(const McuPlan& plan, const McuRow* rows, int count, McuRowEnd* ends) {
    ReadRows(plan, rows, count, ends);
}

}  // namespace fastload
