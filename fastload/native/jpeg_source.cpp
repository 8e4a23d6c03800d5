#include "jpeg_source.h"

#include <limits>
#include <string>

#include "error.h"

namespace fastload {

JpegErrors::JpegErrors() : state_{} {
    jpeg_std_error(&state_.manager);
    state_.manager.error_exit = OnError;
    state_.manager.emit_message = OnMessage;
    state_.manager.output_message = OnOutput;
}

void JpegErrors::OnError(j_common_ptr common) {
    longjmp(reinterpret_cast<State*>(common->err)->jump, 1);
}

void JpegErrors::OnMessage(j_common_ptr common, int level) {
    if (level >= 0) return;
    auto* state = reinterpret_cast<State*>(common->err);
    state->warned = true;
    longjmp(state->jump, 1);
}

void JpegErrors::OnOutput(j_common_ptr) {}

bool JpegErrors::Succeeds(void (*step)(void*), void* argument) {
    if (setjmp(state_.jump) != 0) return false;
    step(argument);
    return true;
}

int32_t JpegErrors::CodeOfFailure() const {
    if (state_.warned) return FL_JPEG_WARNING;
    switch (state_.manager.msg_code) {
        case JERR_OUT_OF_MEMORY:
            return FL_OUT_OF_MEMORY;
        case JERR_SOF_UNSUPPORTED:
        case JERR_BAD_PRECISION:
#if JPEG_LIB_VERSION < 70  // Ubuntu's libjpeg-turbo speaks version 8, which has no such message.
        case JERR_ARITH_NOTIMPL:
#endif
        case JERR_NOT_COMPILED:
        case JERR_COMPONENT_COUNT:
        case JERR_IMAGE_TOO_BIG:
            return FL_JPEG_UNSUPPORTED;
        default:
            return FL_CORRUPT;
    }
}

void JpegErrors::Attempt(void (*step)(void*), void* argument) {
    if (Succeeds(step, argument)) return;
    jpeg_common_struct common{};
    common.err = &state_.manager;
    char words[JMSG_LENGTH_MAX];
    state_.manager.format_message(&common, words);
    throw Failure(CodeOfFailure(), std::string("JPEG: ") + words);
}

JpegSource::JpegSource(const uint8_t* source, size_t size) : info_{}, source_(source), size_(size) {
    if (size > std::numeric_limits<unsigned long>::max()) {
        throw Failure(FL_BAD_ARGUMENT, "more bytes than libjpeg can count");
    }
    info_.err = errors_.manager();
    errors_.Attempt([](void* info) { jpeg_create_decompress(static_cast<j_decompress_ptr>(info)); },
                    &info_);
}

JpegSource::~JpegSource() { jpeg_destroy_decompress(&info_); }

void JpegSource::ReadHeader() {
    const auto step = [](void* self) {
        auto* source = static_cast<JpegSource*>(self);
        jpeg_mem_src(&source->info_, source->source_, static_cast<unsigned long>(source->size_));
        (void)jpeg_read_header(&source->info_,
                               TRUE);  // TRUE: anything but JPEG_HEADER_OK is an error
    };
    errors_.Attempt(step, this);
}

jvirt_barray_ptr* JpegSource::ReadCoefficients() {
    scans_.Watch(info_);
    const auto step = [](void* self) {
        auto* source = static_cast<JpegSource*>(self);
        source->coefficients_ = jpeg_read_coefficients(&source->info_);
    };
    errors_.Attempt(step, this);
    if (coefficients_ == nullptr) throw Failure(FL_INTERNAL, "libjpeg suspended on a whole file");
    return coefficients_;
}

JBLOCKROW JpegSource::BlockRow(jvirt_barray_ptr array, uint32_t row) {
    struct Request {
        jpeg_decompress_struct* info;
        jvirt_barray_ptr array;
        JDIMENSION row;
        JBLOCKROW blocks;
    } request = {&info_, array, row, nullptr};
    const auto step = [](void* argument) {
        auto* wanted = static_cast<Request*>(argument);
        auto* common = reinterpret_cast<j_common_ptr>(wanted->info);
        wanted->blocks =
            wanted->info->mem->access_virt_barray(common, wanted->array, wanted->row, 1, FALSE)[0];
    };
    errors_.Attempt(step, &request);
    return request.blocks;
}

}  // namespace fastload
