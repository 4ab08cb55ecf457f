#include "CImageFiles.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio.h, which it needs.
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf out;
  CImageMessages *messages;
} Errors;

static void fail(j_common_ptr codec) {
  Errors *errors = (Errors *)codec->err;
  char text[JMSG_LENGTH_MAX];
  errors->manager.format_message(codec, text);
  snprintf(errors->messages->error, CImageMessageLength, "%s", text);
  longjmp(errors->out, 1);
}

static void fail_with(j_common_ptr codec, const char *reason) {
  Errors *errors = (Errors *)codec->err;
  snprintf(errors->messages->error, CImageMessageLength, "%s", reason);
  longjmp(errors->out, 1);
}

static void note(j_common_ptr codec, int level) {
  Errors *errors = (Errors *)codec->err;
  if (level >= 0) return;
  char text[JMSG_LENGTH_MAX];
  errors->manager.format_message(codec, text);
  if (errors->manager.num_warnings++ == 0) snprintf(errors->messages->warning, CImageMessageLength, "%s", text);
}

static void say_nothing(j_common_ptr codec) { (void)codec; }

static struct jpeg_error_mgr *errors_into(Errors *errors, CImageMessages *messages) {
  memset(messages, 0, sizeof *messages);
  jpeg_std_error(&errors->manager);
  errors->manager.error_exit = fail;
  errors->manager.emit_message = note;
  errors->manager.output_message = say_nothing;
  errors->messages = messages;
  return &errors->manager;
}

static void do_nothing(j_decompress_ptr codec) { (void)codec; }

// libjpeg's own sources make up an end where a file is cut short, and the rest of the picture grey.
static boolean ends_early(j_decompress_ptr codec) {
  fail_with((j_common_ptr)codec, "it ends before its last row");
  return FALSE;
}

static void skip(j_decompress_ptr codec, long count) {
  if (count <= 0) return;
  if ((size_t)count > codec->src->bytes_in_buffer) ends_early(codec);
  codec->src->next_input_byte += count;
  codec->src->bytes_in_buffer -= count;
}

// A small file can hold any number of scans over a large picture, each of which takes as long as the first.
static void watch_scans(j_common_ptr codec) {
  if (codec->is_decompressor && ((j_decompress_ptr)codec)->input_scan_number > 500) fail_with(codec, "more than 500 scans");
}

/// Inverted CMYK, in which 255 is no ink: what an ink lets through of what the black does, rounded as Pillow rounds.
static void to_rgb(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    for (int channel = 0; channel < 3; channel++) {
      unsigned kept = (255u - cmyk[channel]) * cmyk[3] + 128;
      rgb[channel] = (uint8_t)(cmyk[3] - (((kept >> 8) + kept) >> 8));
    }
  }
}

bool CImageDecodeJPEG(
  const uint8_t *bytes, size_t count, int divisor, uint8_t *rgb, uint32_t width, uint32_t height,
  CImageMessages *messages) {
  struct jpeg_decompress_struct codec;
  Errors errors;
  memset(&codec, 0, sizeof codec);
  codec.err = errors_into(&errors, messages);
  if (setjmp(errors.out)) {
    jpeg_destroy_decompress(&codec);
    return false;
  }
  jpeg_create_decompress(&codec);
  struct jpeg_source_mgr source = {
    .next_input_byte = bytes, .bytes_in_buffer = count, .init_source = do_nothing, .fill_input_buffer = ends_early,
    .skip_input_data = skip, .resync_to_restart = jpeg_resync_to_restart, .term_source = do_nothing};
  codec.src = &source;
  struct jpeg_progress_mgr progress = {.progress_monitor = watch_scans};
  codec.progress = &progress;

  jpeg_read_header(&codec, TRUE);
  bool is_cmyk = codec.num_components == 4;
  codec.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  codec.scale_num = 1;
  codec.scale_denom = (unsigned)divisor;
  jpeg_calc_output_dimensions(&codec);
  if (codec.output_width != width || codec.output_height != height) {
    fail_with((j_common_ptr)&codec, "its header gives two sizes");
  }
  jpeg_start_decompress(&codec);
  JSAMPARRAY inks = is_cmyk
    ? codec.mem->alloc_sarray((j_common_ptr)&codec, JPOOL_IMAGE, (JDIMENSION)width * 4, 1) : NULL;
  while (codec.output_scanline < height) {
    uint8_t *row = rgb + (size_t)codec.output_scanline * width * 3;
    JSAMPROW target = is_cmyk ? inks[0] : row;
    if (jpeg_read_scanlines(&codec, &target, 1) == 1 && is_cmyk) to_rgb(inks[0], row, width);
  }
  // What follows the last row is not looked at.
  jpeg_destroy_decompress(&codec);
  return true;
}

bool CImageEncodeJPEG(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **file, size_t *count,
  CImageMessages *messages) {
  struct jpeg_compress_struct codec;
  Errors errors;
  // On the heap, as what a jump leaves behind in a local variable is anybody's guess.
  struct { unsigned char *bytes; unsigned long count; } *output = calloc(1, sizeof *output);
  *file = NULL;
  memset(&codec, 0, sizeof codec);
  codec.err = errors_into(&errors, messages);
  if (!output || setjmp(errors.out)) {
    jpeg_destroy_compress(&codec);
    if (output) free(output->bytes);
    free(output);
    return false;
  }
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &output->bytes, &output->count);
  codec.image_width = width;
  codec.image_height = height;
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)codec.next_scanline * width * 3);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  *file = output->bytes;
  *count = output->count;
  free(output);
  return true;
}
