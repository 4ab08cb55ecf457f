"""Makes decoding.json: some hundred small JPEG and PNG files, ordinary and odd, with the pixels that Pillow reads in them.

    python Tests/Datasets/Goldens/make_decoding.py      # Pillow 13.0.0, numpy 2.4.6

"pictures": [{"width", "height", "pixels": base64 of RGB rows}]; "files": name -> {"file": base64, "picture": its index or null
where the file is refused, "tolerance": of 255, "warns": whether libjpeg is known to warn}. Pixels are those of
ImageOps.exif_transpose, transparency laid over black.
"""
import base64
import io
import json
import pathlib
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
files, pictures = {}, []
b64 = lambda data: base64.b64encode(bytes(data)).decode()


def read(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    image.load()
    if image.mode.startswith("I;16") or image.mode == "I":  # Pillow has no RGB of it: the upper 8 bits, as it gives of RGB
        return np.repeat((np.asarray(image).astype(int) >> 8)[..., None], 3, 2)
    if image.mode in ("P", "LA", "PA", "RGBA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA")).astype(int)
        return (rgba[..., :3] * rgba[..., 3:] + 127) // 255
    return np.asarray(image.convert("RGB"))


def add(name, data, tolerance=0, warns=False, pixels=None, refused=False):
    """`pixels`: where Pillow refuses a file that is read here; `refused`: where it makes rows or colours up."""
    try:
        if refused:
            raise ValueError("here, not by Pillow")
        pixels = read(data) if pixels is None else pixels
        picture = {"width": pixels.shape[1], "height": pixels.shape[0], "pixels": b64(pixels.astype(np.uint8).tobytes())}
        if picture not in pictures:
            pictures.append(picture)
        index = pictures.index(picture)
    except Exception as error:
        print(f"refused: {name}: {error}")
        index = None
    assert name not in files, name
    files[name] = {"file": b64(data), "picture": index, "tolerance": tolerance, "warns": warns}


# JPEG -------------------------------------------------------------------------------------------------------------------
y, x = np.mgrid[0:9, 0:14]
photo = np.stack([x * 18, y * 28, 255 - x * 8 - y * 12], -1).astype(np.uint8)
JPEG = 2  # decoders of one family differ by rounding


def jpeg(image=photo, **options):
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, "JPEG", **{"quality": 90, "subsampling": 0, "optimize": True, **options})
    return buffer.getvalue()


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def split(data):
    """The segments before the first scan, and the rest."""
    position, parts = 2, []
    while data[position + 1] != 0xDA:
        length = struct.unpack(">H", data[position + 2:position + 4])[0] + 2
        parts.append(data[position:position + length])
        position += length
    return parts, data[position:]


def build(parts, rest):
    return b"\xff\xd8" + b"".join(parts) + rest


def ifd(entries, endian="<", head=None, after=b"", offset=8, count=None):
    """A TIFF block; an entry is (tag, type, count, value of 4 bytes)."""
    magic = head or {"<": b"II\x2a\0", ">": b"MM\0\x2a"}[endian]
    body = struct.pack(endian + "H", len(entries) if count is None else count)
    for tag, kind, number, value in entries:
        body += struct.pack(endian + "HHI", tag, kind, number) + value
    return magic + struct.pack(endian + "I", offset) + b"\0" * (offset - 8) + body + struct.pack(endian + "I", 0) + after


def short(value, endian="<", tag=0x0112, kind=3, count=1):
    return (tag, kind, count, struct.pack(endian + "HH", value, 0))


def long(value, endian="<", tag=0x0112, kind=4, count=1):
    return (tag, kind, count, struct.pack(endian + "I", value))


EXIF = b"Exif\0\0"
app1 = lambda block: segment(0xE1, EXIF + block)
xmp = lambda text: segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)
packet = lambda value, form='="%d"': b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation' + (form % value).encode() + b"/></x:xmpmeta>"
com = lambda text=b"made by me": segment(0xFE, text)
parts, rest = split(jpeg())
app0, others = parts[0], parts[1:]
dqt = [p for p in others if p[1] == 0xDB]
tables = [p for p in others if p[1] != 0xDB]

for orientation in range(0, 12):
    add(f"orientation {orientation}", build([app0, app1(ifd([short(orientation)]))] + others, rest), JPEG)
    add(f"orientation {orientation}, big-endian", build([app0, app1(ifd([short(orientation, '>')], ">"))] + others, rest), JPEG)
exif6 = app1(ifd([short(6)]))
places = {
    "alone": [exif6] + others, "after APP0": [app0, exif6] + others, "after COM": [com(), exif6] + others,
    "after APP0 and COM": [app0, com(), exif6] + others, "after two COM": [com(), com(b""), exif6, app0] + others,
    "after DQT": [app0] + dqt + [exif6] + tables, "last": [app0] + others + [exif6], "before APP0": [exif6, app0] + others,
    "after APP13": [app0, segment(0xED, b"Photoshop 3.0\0" + b"8BIM" * 20), exif6] + others,
    "after APP2 with a colour profile": [app0, segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(200))), exif6] + others,
    "after XMP": [app0, xmp(b"<x:xmpmeta/>"), exif6] + others, "before XMP": [app0, exif6, xmp(b"<x:xmpmeta/>")] + others,
    "after XMP of another orientation": [app0, xmp(packet(3)), exif6] + others,
    "after another APP1": [segment(0xE1, b"nothing known"), exif6] + others,
    "after APP14": [app0, segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"), exif6] + others,
    "after fill bytes": [app0, b"\xff\xff\xff" + exif6] + others, "after a restart interval": [app0, segment(0xDD, b"\0\0"), exif6] + others,
    "before a second": [app0, exif6, app1(ifd([short(3)]))] + others,
    "spread over two segments": [app0, app1(ifd([short(6)])[:15]), segment(0xE1, EXIF + ifd([short(6)])[15:])] + others,
    "beside a multi-picture index": [app0, segment(0xE2, b"MPF\0" + ifd([short(3), long(1, tag=0xB001)])), exif6] + others,
    "in a multi-picture index alone": [app0, segment(0xE2, b"MPF\0" + ifd([short(6), long(1, tag=0xB001)]))] + others,
    "in APP2": [app0, segment(0xE2, EXIF + ifd([short(6)]))] + others,
    "of lower case": [app0, segment(0xE1, b"exif\0\0" + ifd([short(6)]))] + others,
    "with the name twice": [app0, segment(0xE1, EXIF + EXIF + ifd([short(6)]))] + others,
    "empty": [app0, segment(0xE1, EXIF)] + others,
}
for name, order in places.items():
    add(f"EXIF {name}", build(order, rest), JPEG)
scan = struct.unpack(">H", rest[2:4])[0] + 2
add("EXIF after stray bytes", build([app0, b"stray", exif6] + others, rest), JPEG, warns=True)
upright = read(build([app0] + others, rest))

make, artist = (0x010F, 2, 6, struct.pack("<I", 100)), (0x013B, 2, 3, b"me\0\0")
blocks = {
    "with a value elsewhere before it": ifd([make, short(6)], after=b"\0" * 70 + b"maker\0" * 9),
    "with a value out of reach before it": ifd([(0x010F, 2, 6, struct.pack("<I", 60000)), short(6)]),
    "with a value out of reach after it": ifd([short(6), (0x013B, 2, 6, struct.pack("<I", 60000))]),
    "with an unknown type before it": ifd([(0x010F, 99, 1 << 30, b"\0\0\0\0"), short(6)]),
    "with an empty value before it": ifd([(0x010F, 2, 0, b"\0\0\0\0"), short(6)]),
    "with the directory elsewhere": ifd([artist, short(6)], offset=40),
    "twice": ifd([short(3), short(6)]), "of type LONG": ifd([long(6)]), "of type BYTE": ifd([(0x0112, 1, 1, b"\6\0\0\0")]),
    "of type ASCII": ifd([(0x0112, 2, 2, b"6\0\0\0")]), "of type UNDEFINED": ifd([(0x0112, 7, 1, b"\6\0\0\0")]),
    "of type SBYTE": ifd([(0x0112, 6, 1, b"\6\0\0\0")]), "of type SSHORT": ifd([short(6, kind=8)]),
    "of type SLONG": ifd([long(6, kind=9)]), "of type IFD": ifd([long(6, kind=13)]),
    "of type FLOAT": ifd([(0x0112, 11, 1, struct.pack("<f", 6))]), "of type FLOAT, 6.5": ifd([(0x0112, 11, 1, struct.pack("<f", 6.5))]),
    "of type FLOAT, NaN": ifd([(0x0112, 11, 1, struct.pack("<f", float("nan")))]),
    "of type RATIONAL": ifd([long(26, kind=5)], after=struct.pack("<II", 12, 2)),
    "of type RATIONAL by zero": ifd([long(26, kind=5)], after=struct.pack("<II", 6, 0)),
    "of type DOUBLE": ifd([long(26, kind=12)], after=struct.pack("<d", 6)),
    "of type LONG8": ifd([long(26, kind=16)], after=struct.pack("<Q", 6)),
    "of two values": ifd([(0x0112, 3, 2, struct.pack("<HH", 6, 3))]),
    "of three values": ifd([long(26, kind=3, count=3)], after=struct.pack("<HHH", 6, 3, 1)),
    "of no value": ifd([short(6, count=0)]), "of a million values": ifd([short(6, count=1_000_000)]),
    "as a large LONG": ifd([long(0x10006)]), "as a large LONG, big-endian": ifd([long(0x60000, ">")], ">"),
    "of type SHORT, big-endian, at the wrong end": ifd([(0x0112, 3, 1, struct.pack(">HH", 0, 6))], ">"),
    "in a directory cut short": ifd([artist, short(6)])[:10 + 12 + 7],
    "before the directory is cut short": ifd([short(6), artist])[:10 + 12 + 7],
    "in a directory that claims more": ifd([short(6)], count=500), "in a directory that claims none": ifd([short(6)], count=0),
    "with a header of mixed order": ifd([short(6, ">")], ">", head=b"MM\x2a\0"),
    "with a header of mixed order, little": ifd([short(6)], head=b"II\0\x2a"),
    "with a directory beyond the end": b"II\x2a\0" + struct.pack("<I", 5000), "of eight bytes": b"II\x2a\0\x08\0\0\0",
}
for name, block in blocks.items():
    add(f"orientation {name}", build([app0, app1(block)] + others, rest), JPEG)
for name, block in {"without TIFF": b"nonsense in here", "of two bytes": b"II", "of BigTIFF": b"II\x2b\0\x08\0\0\0" + b"\x10" + b"\0" * 30}.items():
    add(f"EXIF {name}", build([app0, app1(block)] + others, rest), JPEG, pixels=upright)
for name, text in {"attribute": packet(6), "element": packet(8, ">%d<"), "of 0": packet(0), "of 9": packet(9),
                   "in single quotes": packet(6, "='%d'"), "twice": packet(6) + packet(3)}.items():
    add(f"XMP {name}", build([app0, xmp(text)] + others, rest), JPEG)
add("XMP beside EXIF without orientation", build([app0, app1(ifd([artist])), xmp(packet(6))] + others, rest), JPEG)
add("XMP beside EXIF of type BYTE", build([app0, app1(blocks["of type BYTE"]), xmp(packet(6))] + others, rest), JPEG)

# Kinds.
wide = np.stack([np.mgrid[0:19, 0:37][1] * 6, np.mgrid[0:19, 0:37][0] * 13, np.full((19, 37), 90)], -1).astype(np.uint8)
for name, options in {
    "4:4:4": {}, "4:2:2": dict(subsampling=1), "4:2:0": dict(subsampling=2), "4:1:1": dict(subsampling="4:1:1"),
    "progressive": dict(progressive=True), "progressive 4:2:0": dict(progressive=True, subsampling=2),
    "restart markers": dict(restart_marker_blocks=1), "restart markers a row": dict(restart_marker_rows=1, subsampling=2),
    "quality 1": dict(quality=1), "quality 100": dict(quality=100), "standard tables": dict(optimize=False),
    "kept RGB": dict(keep_rgb=True),
}.items():
    add(f"kind {name}", jpeg(wide, **options), JPEG)
# Kinds that Pillow does not write, of libjpeg-turbo 2.1.5's cjpeg -quality 90, with -arithmetic, -sample or -scans.
MADE_BY_CJPEG = {
    "arithmetic coding": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/yQARCAATACUDASIAAhEB
AxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AOU2/HtZGe1g/Z2F62vyFtqM0rgBU1CJfOgXN+s5fKlafeGqbx/trzgAsmnDfELoLr9UXNNP6BPu
AzNBXjzhOGbUs+aEECllP+bLI0DzrLEiNdNTfsfamXFdixwcnfJdwA9wR5YWq2Wv5U8aJbuSxMuCsFWCFR7i+JiYmArzvQWAOlMHb2kQNHzJ3kWvQP/Z""",
    "arithmetic coding, progressive": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/ygARCAATACUDASIAAhEB
AxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8AyjS51ortMmYFmeHorfB51fYojGN7z12RE7RV0X0AFe7srGtXwP/MAAQQBf/aAAgBAQABBQIa5lrbBcGm
+lzDdBqe5/aN6I/LmQapYGj/zAAEEQX/2gAIAQMBAT8BFfaDEmN/rfjSFiON+keNGyT/zAAEEQX/2gAIAQIBAT8BQ2++kX5j+ZX0iRHY/8wABBAF/9oA
CAEBAAY/Al4T8eDX/8wABBAF/9oACAEBAAE/IR8SHPAe2wgnnYXA/9oADAMBAAIAAwAAABCZ/JQO4P/MAAQRBf/aAAgBAwEBPxCqMxthBMkw/8wABBEF
/9oACAECAQE/ENMh+J9xA//MAAQQBf/aAAgBAQABPxBUkt71kQUASFUNQKwkqPoo/9k=""",
    "4:4:0": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDARIAAhEB
AxEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAYIBwX/xAAfEAABBAIDAQEAAAAAAAAAAAAABAUHIzGhAiEzEyL/xAAXAQEBAQEAAAAAAAAAAAAAAAAFBwYJ
/8QAIBEAAgEEAwEBAQAAAAAAAAAAAAIEAwYhMSJRYjIREv/aAAwDAQACEQMRAD8Ah1vjnFWio2+OcVaGatz+iNwbx1yMCb45xVoqNvjnFWgmrc/ooEG8
dcjA2+OcVaKib45xVoKq3P6KBBvHXIwNvjrFWio2+OcVaCatz+igQbx1yJ+SxzX5aKjSx1X5aC3ufP0bqPePD6OM3oE/VXEDOVWbs44QXbGRnb0Cfqri
AVVZuygQXbGRmb0Cf81cQCarN2UCC7YyMzegT9VcQCqrN2UCC7YyMaVAn+flxAMdm/dm6ju38bP/2Q==""",
    "4:1:0": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDAUIAAhEB
AxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAYIBf/EAB8QAAEEAgMBAQAAAAAAAAAAAAAEBQcjMaECITMTIv/EABgBAAMBAQAAAAAAAAAAAAAAAAMGCAcJ
/8QAHhEAAQQCAwEAAAAAAAAAAAAAAgAGISIBBRExMhL/2gAMAwEAAhEDEQA/AMOt8c4q0UzfHOKtFO3xzirRTN8dYq0WDfHOKtFM3xzirRTN8c4q0U7f
HOKtANk5+7IbIeXiyz8ljmvy0ADUaWOq/LQAEjLnn0qiB41xZcZvQJ+quJTt6BP1VxKZvQJ/zVxKZvQJ+quIABn+yIplcyWQZUlUaVAn+flxAAAAkZIu
e1UAmXziV//Z""",
    "3x1": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDATEAAhEB
AxEB/8QAGAABAQADAAAAAAAAAAAAAAAABgAEBQj/xAAfEAABBAIDAQEAAAAAAAAAAAAABAUHIzGhAiEzEyL/xAAYAQEAAwEAAAAAAAAAAAAAAAAGBAgJ
Bf/EACERAAEDAwUBAQAAAAAAAAAAAAADBSEBAjEEBiIkMhIU/9oADAMBAAIRAxEAPwDh1vjnFWhM3xzirQnb45xVoY650zJ1trPPmRM3x1irQiSxzX5a
ICrunPJappeevSTOb45xVoTN8c4q0Jm+OcVaDuudMyZwbWefMidvjnFWhEljqvy0QFXdOeS1TS89ekmmb0CfqriJ29An6q4iZvQJ/wA1cSFrlb5kz92s
rfxkTN6BP1VxEaVAn+flxIDLqX/eS1TSrf8AnpJ//9k=""",
    "2x2 with colour in 2x1": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDASIAAiEB
AyEB/8QAGAABAQEBAQAAAAAAAAAAAAAAAAYHCAX/xAAfEAABBAIDAQEAAAAAAAAAAAAABAUHIzGhAiEzEyL/xAAYAQADAQEAAAAAAAAAAAAAAAAABQcG
Cf/EACARAAIBBAMBAQEAAAAAAAAAAAACBAMGITEiUWIyERL/2gAMAwEAAhEDEQA/AOHW+OcVaKZvjnFWjfW+OcVaKZvjnFWhzVuf0Katz+iNwbx1yKBB
vHXIwNvjnFWimb46xVo3xvjnFWinb45xVoVVbn9Cmrc/ooEG8dcigQbx1yOfksc1+WgdRpY6r8tAVvc+foDdR7x4fQHjN6BP1VxKdvQJ+quIBnKrN2Kq
rN2ccILtjJQILtjJTN6BP+auJTN6BP1VxAFNVm7FVVm7KBBdsZKBBdsZKNKgT/Py4gAWOzfuwN1Hdv42B//Z""",
    "4:4:1": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDARQAAhEB
AxEB/8QAFgABAQEAAAAAAAAAAAAAAAAACAAH/8QAHxAAAQQCAwEBAAAAAAAAAAAAAAQFByMxoQIhMxMi/8QAFwEBAQEBAAAAAAAAAAAAAAAABQcGCP/E
AB8RAAAGAgMBAAAAAAAAAAAAAAAEBQYhoQNRAhExEv/aAAwDAQACEQMRAD8ADrfHOKtCjb45xVo3xvQJ+quJAGV3H92OVCL6VImwBm+OcVaFG3xzirRv
regT9VcSCsruP7sUAi+lSJsAZvjnFWhRN8c4q0b63oE/5q4kE5Xcf3YoBF9KkTYAzfHWKtCjb45xVo3xvQJ+quJBGV3H92KARfSpE2AEljmvy0KNLHVf
lo31KgT/AD8uJBnN3H+/bG6LvpU+PbH/2Q==""",
    "a scan a colour": """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIU
FRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAATACUDASIAAhEB
AxEB/8QAFwABAAMAAAAAAAAAAAAAAAAABgQFCP/EAB8QAAAGAgMBAAAAAAAAAAAAAAAEBQcjoQIxEyEzIv/aAAgBAQAAPwDDqe3OoqCZPbnUVBOntzqK
gmT261FQRFW5j8qE5PbnUVBMntzqKgmT251FQTp7c6ioIirdR+VCmTyBfqLEJ08gX6ixCZPIF/mLEJk8gX6ixCMqQL8fliP/xAAVAQEBAAAAAAAAAAAA
AAAAAAAGBP/EAB0RAAICAgMBAAAAAAAAAAAAAAACBAZRYhEhMTL/2gAIAQIRAD8Auk2fYJybPsH2s/f0E5LNkKyWbIfZm59P/8QAFgEBAQEAAAAAAAAA
AAAAAAAABwgJ/8QAHREAAAYDAQAAAAAAAAAAAAAAAAIFBiEiAQMxEv/aAAgBAxEAPwA6RHlywoFEeXLBf1PKmLDItDOaJFAIZzRIX9RzeMSP/9k=""",
}
for name, text in MADE_BY_CJPEG.items():
    add(f"kind {name}", base64.b64decode(text), JPEG)
for side in [(1, 1), (1, 8), (8, 1), (7, 9), (16, 16), (17, 33)]:
    add(f"size {side[0]} x {side[1]}", jpeg(np.ascontiguousarray(np.resize(wide, (side[1], side[0], 3))), subsampling=2), JPEG)
add("grey", jpeg(photo[..., 0]), JPEG)
add("grey progressive", jpeg(photo[..., 0], progressive=True), JPEG)
grey_parts, grey_rest = split(jpeg(photo[..., 0]))
add("grey with odd sampling factors", build([p.replace(b"\1\1\x11\0", b"\1\1\x22\0") if p[1] == 0xC0 else p for p in grey_parts], grey_rest), JPEG)
add("grey turned", build([exif6] + grey_parts, grey_rest), JPEG)
cmyk = Image.fromarray(np.dstack([photo, (x * 9 + y * 3).astype(np.uint8)]), "CMYK")
for options in [{}, dict(subsampling=2), dict(progressive=True)]:
    data = jpeg(cmyk, **options)
    add(f"CMYK {options}", data, JPEG)
cmyk_parts, cmyk_rest = split(jpeg(cmyk))
adobe = lambda transform: segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
without = [p for p in cmyk_parts if p[1] != 0xEE]
add("CMYK without Adobe's segment", build(without, cmyk_rest), JPEG)
add("CMYK of transform 0", build([adobe(0)] + without, cmyk_rest), JPEG)
add("YCCK", build([adobe(2)] + without, cmyk_rest), JPEG)
add("CMYK turned", build([exif6] + cmyk_parts, cmyk_rest), JPEG)
add("YCCK of an unknown transform", build([adobe(7)] + without, cmyk_rest), JPEG, warns=True)
no_app0 = others
add("RGB by Adobe's segment", build([adobe(0)] + no_app0, rest), JPEG)
add("YCbCr by Adobe's segment", build([adobe(1)] + no_app0, rest), JPEG)
add("an unknown Adobe transform", build([adobe(7)] + no_app0, rest), JPEG, warns=True)
add("JFIF before Adobe's RGB", build([app0, adobe(0)] + others, rest), JPEG)
add("without JFIF", build(others, rest), JPEG)
add("components named RGB", build([p.replace(b"\1\x11", b"R\x11").replace(b"\2\x11", b"G\x11").replace(b"\3\x11", b"B\x11") if p[1] == 0xC0 else p for p in others],
                                  rest[:4] + rest[4:scan].replace(b"\3\1\0\2\x11\3\x11", b"\3R\0G\x11B\x11") + rest[scan:]), JPEG)

# What libjpeg warns of, or could.
add("JFIF of version 9", build([app0[:9] + b"\x09\x09" + app0[11:]] + others, rest), JPEG, warns=True)
add("stray bytes before DQT", build([app0, b"abc"] + others, rest), JPEG, warns=True)
add("stray bytes before the scan", build(parts + [b"\0\0\0"], rest), JPEG, warns=True)
add("stray FF00 before DQT", build([app0, b"\xff\0"] + others, rest), JPEG, warns=True)
add("stray bytes before the end", jpeg()[:-2] + b"\0\0\0\0\xff\xd9", JPEG)
add("bytes after the end", jpeg() + b"trailing", JPEG)
add("another JPEG after the end", jpeg() + jpeg(photo[::-1].copy()), JPEG)
add("two end markers", jpeg() + b"\xff\xd9", JPEG)
add("zeros after the end", jpeg() + b"\0" * 500, JPEG)
add("an empty comment", build([app0, com(b"")] + others, rest), JPEG)
add("an unknown APP", build([app0, segment(0xEB, b"anything")] + others, rest), JPEG)
add("JPG0 extension", build([app0] + others + [segment(0xF0, b"anything")], rest), JPEG)
restarts = jpeg(wide, restart_marker_blocks=1)
add("a restart marker out of order", restarts.replace(b"\xff\xd1", b"\xff\xd5", 1), 255, warns=True)
noise = np.random.default_rng(1).integers(0, 256, (24, 24, 3)).astype(np.uint8)
noisy = jpeg(noise, quality=60, optimize=False)
end = split(noisy)
body = bytearray(noisy)
middle = len(noisy) - 300
body[middle:middle + 3] = b"\x13\x37\x55"
add("damaged in the middle", bytes(body), 255)
ends = noisy[:len(noisy) - 300] + b"\xff\xd9"
add("cut short, with an end marker", ends, 255, warns=True)

# Errors.
for cut in [1, 2, 3, 10, 60, 200]:
    add(f"cut short by {cut}", noisy[:-cut])
progressive = jpeg(noise, progressive=True)
for cut in [1, 2, 30, 300]:
    add(f"progressive cut short by {cut}", progressive[:-cut])
add("stray bytes, and cut short", build([app0, b"abc"] + others, rest)[:-12])
add("header alone", build(parts, b""))
add("header with an end", build(parts, b"\xff\xd9"))
add("no frame", build([p for p in parts if p[1] not in (0xC0,)], rest))
add("no Huffman tables", build([p for p in parts if p[1] != 0xC4], rest))
add("of 0 rows", build([p[:5] + b"\0\0" + p[7:] if p[1] == 0xC0 else p for p in parts], rest))
add("of 0 columns", build([p[:7] + b"\0\0" + p[9:] if p[1] == 0xC0 else p for p in parts], rest))
add("of 12 bits", build([p[:4] + b"\x0c" + p[5:] if p[1] == 0xC0 else p for p in parts], rest))
add("of two components", build([segment(0xC0, p[4:9] + b"\2" + p[10:16]) if p[1] == 0xC0 else p for p in parts], rest))
add("lossless", build([b"\xff\xc3" + p[2:] if p[1] == 0xC0 else p for p in parts], rest))
add("a segment of length 1", build([app0, b"\xff\xfe\0\1"] + others, rest))

# PNG --------------------------------------------------------------------------------------------------------------------
W, H = 11, 7
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 23, y * 36, (x * y * 5) % 256], -1).astype(np.uint8)
alpha = ((x * 25 + y * 3) % 256).astype(np.uint8)
grey = (x * 20 + y * 5).astype(np.uint8)
random = np.random.default_rng(3)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def packed(rows, depth):
    """The bytes of rows of samples."""
    rows = np.asarray(rows)
    flat = rows.reshape(rows.shape[0], -1)
    if depth == 16:
        return [r.astype(">u2").tobytes() for r in flat]
    bits = ((flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(len(flat), -1)
    return [np.packbits(r).tobytes() for r in bits.astype(np.uint8)]


def png(samples, colour, depth=8, extra=b"", after=b"", interlaced=False, filter=0, split=None, tail=b"", end=True):
    samples = np.asarray(samples)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour, 0, 0, int(interlaced))
    if interlaced:
        passes = [samples[y0::dy, x0::dx] for y0, x0, dy, dx in PASSES]
        rows = [r for p in passes if p.size for r in packed(p, depth)]
    else:
        rows = packed(samples, depth)
    data = zlib.compress(b"".join(bytes([filter]) + r for r in rows))
    pieces = [data] if split is None else [data[i:i + split] for i in range(0, len(data), split)]
    return (SIGNATURE + chunk(b"IHDR", header) + extra + b"".join(chunk(b"IDAT", p) for p in pieces) + after
            + (chunk(b"IEND", b"") if end else b"") + tail)


def palette(depth, entries=None):
    entries = entries or 1 << depth
    return chunk(b"PLTE", bytes(v for i in range(entries) for v in ((i * 97) % 256, 255 - i * 200 // entries, (i * 31 + 60) % 256)))


random_samples = lambda depth, channels=(): random.integers(0, 1 << depth, (H, W) + channels)
for interlaced in [False, True]:
    more = " interlaced" if interlaced else ""
    for depth in [1, 2, 4, 8, 16]:
        add(f"png grey of {depth} bits{more}", png(random_samples(depth), 0, depth, interlaced=interlaced))
    for depth in [1, 2, 4, 8]:
        add(f"png palette of {depth} bits{more}", png(random_samples(depth), 3, depth, palette(depth), interlaced=interlaced))
    for depth in [8, 16]:
        add(f"png rgb of {depth} bits{more}", png(random_samples(depth, (3,)), 2, depth, interlaced=interlaced))
        add(f"png grey and alpha of {depth} bits{more}", png(random_samples(depth, (2,)), 4, depth, interlaced=interlaced))
        add(f"png rgb and alpha of {depth} bits{more}", png(random_samples(depth, (4,)), 6, depth, interlaced=interlaced))
gama = lambda v: chunk(b"gAMA", struct.pack(">I", v))
srgb = chunk(b"sRGB", b"\0")
chrm = lambda *v: chunk(b"cHRM", struct.pack(">8I", *v))
narrow, wide_gamut = chrm(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000), chrm(34570, 35850, 73470, 26530, 0, 100000, 100, -7700 % (1 << 32))
profile = lambda data, name=b"icc": chunk(b"iCCP", name + b"\0\0" + zlib.compress(data))
from PIL import ImageCms
icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
colours = {"gAMA 1": gama(100000), "gAMA 2.2": gama(45455), "gAMA of 1 / 100000": gama(1), "gAMA 0": gama(0), "gAMA 2.5": gama(250000),
           "sRGB": srgb, "gAMA 1 and sRGB": gama(100000) + srgb, "cHRM": narrow, "gAMA 1 and cHRM": gama(100000) + narrow,
           "cHRM of a wide space": gama(55556) + wide_gamut, "iCCP": profile(icc), "iCCP and gAMA 1": gama(100000) + profile(icc),
           "iCCP of nonsense": profile(b"nonsense"), "sBIT": chunk(b"sBIT", b"\4\4\4"), "bKGD": chunk(b"bKGD", b"\0\xff\0\xff\0\xff"),
           "cICP": chunk(b"cICP", b"\x09\x10\0\1"), "pHYs, tIME": chunk(b"pHYs", b"\0\0\x0b\x13\0\0\x0b\x13\1") + chunk(b"tIME", b"\x07\xe8\1\1\0\0\0")}
for name, extra in colours.items():
    add(f"png rgb with {name}", png(rgb, 2, 8, extra))
for name in ["gAMA 1", "iCCP and gAMA 1"]:
    add(f"png grey with {name}", png(grey, 0, 8, colours[name]))
    add(f"png grey of 16 bits with {name}", png(random_samples(16), 0, 16, colours[name]))
    add(f"png rgba with {name}", png(np.dstack([rgb, alpha]), 6, 8, colours[name]))
    add(f"png palette with {name}", png(random_samples(4), 3, 4, colours[name] + palette(4)))
key = rgb[3, 4]
add("png rgb with a transparent colour", png(rgb, 2, 8, chunk(b"tRNS", struct.pack(">HHH", *map(int, key)))))
add("png grey with a transparent colour", png(grey, 0, 8, chunk(b"tRNS", struct.pack(">H", int(grey[2, 2])))))
add("png black and white with transparent white", png(random_samples(1), 0, 1, chunk(b"tRNS", b"\0\1")))
add("png palette with transparency", png(random_samples(4), 3, 4, palette(4) + chunk(b"tRNS", bytes([0, 128, 255, 1, 77]))))
add("png palette of 1 bit with transparency", png(random_samples(1), 3, 1, palette(1) + chunk(b"tRNS", bytes([9]))))
add("png palette shorter than its indexes", png(random_samples(4), 3, 4, palette(4, 9)))
add("png rgb with a palette to suggest", png(rgb, 2, 8, palette(8, 5)))
add("png all transparent", png(np.dstack([rgb, alpha * 0]), 6))
for filter in range(1, 5):
    add(f"png with filter {filter}", png(rgb, 2, filter=filter))
add("png in many pieces", png(rgb, 2, split=7))
add("png with an empty piece", png(rgb, 2, extra=chunk(b"IDAT", b"")))
add("png with bytes after its end", png(rgb, 2, tail=b"trailing"))
add("png with an unknown chunk", png(rgb, 2, 8, chunk(b"prVt", b"anything")))
add("png of one pixel", png(rgb[:1, :1], 2))
add("png of one column, interlaced", png(rgb[:, :1], 2, interlaced=True))
add("png of one row, interlaced", png(rgb[:1], 2, interlaced=True))
frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1].copy()), Image.fromarray(255 - rgb)]
buffer = io.BytesIO()
frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=100)
add("png animated", buffer.getvalue())
buffer = io.BytesIO()
frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=100, default_image=True)
add("png animated beside its picture", buffer.getvalue())

exif = lambda block: chunk(b"eXIf", block)
for orientation in range(1, 10):
    add(f"png turned {orientation}", png(rgb, 2, 8, exif(ifd([short(orientation)]))))
add("png turned, big-endian", png(rgb, 2, 8, exif(ifd([short(6, ">")], ">"))))
add("png turned after the pixels", png(rgb, 2, 8, after=exif(ifd([short(6)]))))
add("png turned with a name", png(rgb, 2, 8, exif(EXIF + ifd([short(6)]))))
add("png turned by LONG", png(rgb, 2, 8, exif(ifd([long(6)]))))
add("png turned twice", png(rgb, 2, 8, exif(ifd([short(6)])), exif(ifd([short(3)]))))
add("png turned with alpha", png(np.dstack([rgb, alpha]), 6, 8, exif(ifd([short(5)]))))
add("png turned, interlaced", png(rgb, 2, 8, exif(ifd([short(7)])), interlaced=True))
raw = lambda block: b"\nexif\n%8d\n" % len(EXIF + block) + b"\n".join((EXIF + block).hex().encode()[i:i + 72] for i in range(0, 999, 72) if (EXIF + block).hex().encode()[i:i + 72]) + b"\n"
add("png turned by a text", png(rgb, 2, 8, chunk(b"tEXt", b"Raw profile type exif\0" + raw(ifd([short(6)])))))
add("png turned by a compressed text", png(rgb, 2, 8, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw(ifd([short(6)]))))))
add("png turned by a text and a chunk", png(rgb, 2, 8, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw(ifd([short(6)])))) + exif(ifd([short(3)]))))
itxt = lambda text, flag=0: chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([flag]) + b"\0\0\0" + text)
add("png turned by XMP", png(rgb, 2, 8, itxt(packet(6))))
add("png turned by compressed XMP", png(rgb, 2, 8, itxt(zlib.compress(packet(6)), 1)))
add("png turned by XMP after the pixels", png(rgb, 2, 8, after=itxt(packet(8))))
add("png turned by a plain text of XMP", png(rgb, 2, 8, chunk(b"tEXt", b"XML:com.adobe.xmp\0" + packet(6))))
add("png turned by XMP and a chunk", png(rgb, 2, 8, itxt(packet(6)) + exif(ifd([short(3)]))))

# Errors.
whole = png(rgb, 2, split=40)
for cut in [1, 11, 12, 13, 30, 60, 100]:
    add(f"png cut short by {cut}", whole[:-cut], refused=True)
add("png without a header", SIGNATURE + whole[33:])
add("png with a damaged header", whole[:20] + b"\x55" + whole[21:])
add("png of 0 rows", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 0, 8, 2, 0, 0, 0)) + whole[33:])
add("png without pixels", SIGNATURE + whole[8:33] + chunk(b"IEND", b""))
add("png of 3 bits", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 3, 0, 0, 0, 0)) + whole[33:])
add("png of rgb in 4 bits", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 4, 2, 0, 0, 0)) + whole[33:])
add("png with half of its rows", SIGNATURE + whole[8:33] + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in packed(rgb[:3], 8)))) + chunk(b"IEND", b""), refused=True)
add("png palette without entries", png(random_samples(4), 3, 4), refused=True)
add("png in nonsense", SIGNATURE + whole[8:33] + chunk(b"IDAT", b"nonsense, not compressed") + chunk(b"IEND", b""))

path = pathlib.Path(__file__).with_name("decoding.json")
path.write_text(json.dumps({"pictures": pictures, "files": files}, indent=0) + "\n")
print(path.name, path.stat().st_size, "bytes", len(files), "files", len(pictures), "pictures")
