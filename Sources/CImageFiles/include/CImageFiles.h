#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// libjpeg and libpng leave by longjmp where a file is damaged, which no Swift frame may be jumped over. So each of these
// functions is one whole attempt, which returns false and says why.

enum { CImageMessageLength = 256 };

/// What a codec said; texts end with 0 and are empty where it said nothing.
typedef struct {
  char error[CImageMessageLength];
  /// The first of the warnings: something is damaged, though all rows were decoded.
  char warning[CImageMessageLength];
} CImageMessages;

/// Decodes a JPEG file to RGB rows; CMYK is taken as Adobe writes it, inverted.
/// - Parameters:
///   - divisor: 1, 2, 4 or 8, by which both sides are divided; a part of a pixel becomes a pixel.
///   - rgb: room for height rows of width * 3 bytes; untouched beyond what was decoded.
///   - width, height: of the result; another size is an error.
bool CImageDecodeJPEG(
  const uint8_t *bytes, size_t count, int divisor, uint8_t *rgb, uint32_t width, uint32_t height,
  CImageMessages *messages);

/// Encodes RGB rows without chroma subsampling.
/// - Parameter file: where the bytes are, for free(); NULL on failure.
bool CImageEncodeJPEG(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **file, size_t *count,
  CImageMessages *messages);

/// Decodes a PNG file to rows of 8 bits a channel, whatever it says of gamma and colour spaces; of 16 bits the upper 8 stay.
/// - Parameters:
///   - channels: 3 for RGB, 4 with alpha, which is what the file must have.
///   - pixels: room for height rows of width * channels bytes.
bool CImageDecodePNG(
  const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, uint32_t width, uint32_t height,
  CImageMessages *messages);
