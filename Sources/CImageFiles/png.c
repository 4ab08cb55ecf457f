#include "CImageFiles.h"
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const uint8_t *next;
  size_t left;
} Input;

static void fail(png_structp codec, png_const_charp reason) {
  CImageMessages *messages = png_get_error_ptr(codec);
  snprintf(messages->error, CImageMessageLength, "%s", reason);
  png_longjmp(codec, 1);
}

static void note(png_structp codec, png_const_charp reason) {
  CImageMessages *messages = png_get_error_ptr(codec);
  if (!messages->warning[0]) snprintf(messages->warning, CImageMessageLength, "%s", reason);
}

static void take(png_structp codec, png_bytep target, png_size_t count) {
  Input *input = png_get_io_ptr(codec);
  if (count > input->left) png_error(codec, "it ends before its last chunk");
  memcpy(target, input->next, count);
  input->next += count;
  input->left -= count;
}

/// Chunks that say nothing of the stored values are passed over, so that nothing in them can hurt.
static const png_byte passed_over[] =
  "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";

bool CImageDecodePNG(
  const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, uint32_t width, uint32_t height,
  CImageMessages *messages) {
  memset(messages, 0, sizeof *messages);
  png_structp codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, messages, fail, note);
  png_infop info = codec ? png_create_info_struct(codec) : NULL;
  if (!info) {
    if (!messages->error[0]) snprintf(messages->error, CImageMessageLength, "no memory for the decoder");
    png_destroy_read_struct(&codec, NULL, NULL);
    return false;
  }
  Input input = {bytes, count};
  if (setjmp(png_jmpbuf(codec))) {
    png_destroy_read_struct(&codec, &info, NULL);
    return false;
  }
  png_set_read_fn(codec, &input, take);
  png_set_user_limits(codec, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, passed_over, sizeof passed_over / 5);
  png_read_info(codec, info);
  png_set_expand(codec);
  png_set_strip_16(codec);
  png_set_gray_to_rgb(codec);
  int passes = png_set_interlace_handling(codec);
  png_read_update_info(codec, info);
  if (png_get_image_width(codec, info) != width || png_get_image_height(codec, info) != height
      || png_get_rowbytes(codec, info) != (size_t)width * channels) {
    png_error(codec, "its header gives two sizes");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) png_read_row(codec, pixels + (size_t)y * width * channels, NULL);
  }
  png_read_end(codec, NULL);
  png_destroy_read_struct(&codec, &info, NULL);
  return true;
}
