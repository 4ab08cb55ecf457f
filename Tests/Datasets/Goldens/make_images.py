"""Makes images.json: small JPEG and PNG files of every kind with the pixels that they hold, and Pillow's resizes.

    python Tests/Datasets/Goldens/make_images.py      # Pillow 13.0.0, numpy 2.4.6

"files": name -> {"file": base64, "width", "height", "pixels": base64 of RGB rows, "tolerance": of 255}.
"resizes": {"width", "height", "pixels"} of the source, and "targets" of other sizes, by Image.resize(BILINEAR).
"""
import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

random = np.random.default_rng(3)
files = {}
b64 = lambda data: base64.b64encode(bytes(data)).decode()


def add(name, data, pixels, tolerance=0):
    pixels = np.asarray(pixels, np.uint8)
    assert pixels.ndim == 3 and pixels.shape[2] == 3
    files[name] = {
        "file": b64(data), "width": pixels.shape[1], "height": pixels.shape[0], "pixels": b64(pixels.tobytes()),
        "tolerance": tolerance}


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def over_black(rgb, alpha):
    return np.round(rgb.astype(float) * alpha[..., None] / 255)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, color, rows, interlaced=False, extra=b""):
    """`rows`: the unfiltered bytes of each row (of each pass)."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# PNG. Smooth pictures, 11 x 7.
W, H = 11, 7
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 23, y * 36, (x * y * 5) % 256], -1).astype(np.uint8)
alpha = ((x * 25 + y * 3) % 256).astype(np.uint8)
grey = (x * 20 + y * 5).astype(np.uint8)
triple = lambda g: np.repeat(g[..., None], 3, -1)
add("png rgb", saved(Image.fromarray(rgb), "PNG"), rgb)
add("png grey", saved(Image.fromarray(grey), "PNG"), triple(grey))
add("png black and white", saved(Image.fromarray((grey > 100).astype(np.uint8) * 255).convert("1"), "PNG"), triple((grey > 100) * 255))
palette = Image.fromarray(rgb).quantize(13)
add("png palette", saved(palette, "PNG"), np.array(palette.convert("RGB")))
add("png rgb with alpha", saved(Image.fromarray(np.dstack([rgb, alpha])), "PNG"), over_black(rgb, alpha), 1)
add("png grey with alpha", saved(Image.fromarray(np.dstack([grey, alpha]), "LA"), "PNG"), over_black(triple(grey), alpha), 1)
transparent = saved(palette, "PNG", transparency=bytes([0, 128] + [255] * 11))
index = np.array(palette)
factor = np.where(index == 0, 0, np.where(index == 1, 128, 255)).astype(np.uint8)
add("png palette with transparency", transparent, over_black(np.array(palette.convert("RGB")), factor), 1)
deep = (random.integers(0, 65536, (H, W))).astype(">u2")
add("png grey of 16 bits", png(W, H, 16, 0, [r.tobytes() for r in deep]), triple(np.round(deep / 257)), 1)
deep3 = (random.integers(0, 65536, (H, W, 3))).astype(">u2")
add("png rgb of 16 bits", png(W, H, 16, 2, [r.tobytes() for r in deep3]), np.round(deep3 / 257), 1)
deep4 = np.dstack([deep3, np.full((H, W), 65535)]).astype(">u2")
add("png rgb of 16 bits with alpha", png(W, H, 16, 6, [r.tobytes() for r in deep4]), np.round(deep3 / 257), 1)
passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
rows = [r.tobytes() for y0, x0, dy, dx in passes for r in rgb[y0::dy, x0::dx] if r.size]
add("png interlaced", png(W, H, 8, 2, rows, interlaced=True), rgb)
add("png of one pixel", saved(Image.fromarray(rgb[2:3, 3:4]), "PNG"), rgb[2:3, 3:4])

# JPEG. Smooth, so that rounding stays small; 24 x 16.
y, x = np.mgrid[0:16, 0:24]
photo = np.stack([x * 6, y * 10, 255 - x * 3 - y * 4], -1).astype(np.uint8)
decoded = lambda data: np.array(Image.open(io.BytesIO(data)).convert("RGB"))
for name, options in {
    "jpeg": dict(subsampling=0), "jpeg subsampled": dict(subsampling=2), "jpeg of 4:2:2": dict(subsampling=1),
    "jpeg progressive": dict(progressive=True, subsampling=2), "jpeg poor": dict(quality=30), "jpeg optimised": dict(optimize=True),
}.items():
    data = saved(Image.fromarray(photo), "JPEG", **{"quality": 92, **options})
    add(name, data, decoded(data), 2)
data = saved(Image.fromarray(photo[..., 0]), "JPEG", quality=92)
add("jpeg grey", data, decoded(data), 2)
data = saved(Image.fromarray(photo).convert("CMYK"), "JPEG", quality=95, subsampling=0)
add("jpeg cmyk", data, decoded(data), 3)
data = saved(Image.fromarray(photo), "JPEG", quality=92)
add("jpeg with bytes after its end", data + b"trailing", decoded(data), 2)

# EXIF orientation: the picture a viewer shows.
small = Image.fromarray(photo[:9, :14])
for orientation in [1, 2, 3, 4, 5, 6, 7, 8, 0, 9]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(small, "JPEG", quality=95, subsampling=0, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))) if 1 <= orientation <= 8 else Image.open(io.BytesIO(data))
    add(f"jpeg turned {orientation}", data, np.array(upright.convert("RGB")), 2)
exif = Image.Exif()
exif[0x0112] = 6
data = saved(Image.fromarray(rgb), "PNG", exif=exif)
add("png turned 6", data, np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))
big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"  # big-endian, orientation 3
data = saved(small, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + big)
add("jpeg turned 3, big-endian", data, np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")), 2)
data = saved(small, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0MM\0\x2a\0\0\xff\xff")
add("jpeg with broken exif", data, np.array(Image.open(io.BytesIO(data)).convert("RGB")), 2)

# Resizes of noise, which shows every tap.
source = random.integers(0, 256, (11, 19, 3)).astype(np.uint8)
targets = []
for width, height in [(19, 11), (38, 22), (25, 5), (6, 20), (5, 3), (18, 10), (3, 2), (1, 1), (20, 12)]:
    target = np.array(Image.fromarray(source).resize((width, height), Image.Resampling.BILINEAR))
    targets.append({"width": width, "height": height, "pixels": b64(target.tobytes())})

golden = {
    "files": files,
    "resizes": {"width": 19, "height": 11, "pixels": b64(source.tobytes()), "targets": targets},
}
path = pathlib.Path(__file__).with_name("images.json")
path.write_text(json.dumps(golden, indent=0) + "\n")
print(path.name, path.stat().st_size, "bytes", len(files), "files")
