"""Cuts DeepForest's annotated aerial photographs into Sources/Datasets/Resources/tree-crowns, plain COCO data.

    pip download --no-deps --no-binary :all: deepforest==2.1.0
    python scripts/make_tree_crowns.py deepforest-2.1.0.tar.gz        # needs Pillow

Each photograph is cut into an even grid of disjoint tiles near 400 px; a tile belongs to one split whole, so no pixel
is in both. A tree that a cut leaves at least 40 % of stays, clipped to the tile; one with less, but more than a
sliver, becomes a crowd box (ignored); slivers are dropped. Pascal VOC counts pixels from 1 and includes the last:
x1 = xmin - 1, x2 = xmax.
"""
import collections
import io
import json
import pathlib
import sys
import tarfile
import xml.etree.ElementTree as ElementTree

from PIL import Image

TILE, QUALITY, VISIBLE, SLIVER = 400, 85, 0.4, 4
# Name, short name, whether the tile at (row, column) of (rows, columns) is for validation.
PHOTOGRAPHS = [
    ("2019_YELL_2_528000_4978000_image_crop2", "yell-528", lambda r, c, rows, columns: r == rows - 1),
    ("2019_YELL_2_541000_4977000_image_crop", "yell-541", lambda r, c, rows, columns: c == columns - 1),
    ("OSBS_029", "osbs-029", lambda *_: False),
    ("SOAP_061", "soap-061", lambda *_: False),
]
target = pathlib.Path(__file__).parent.parent / "Sources/Datasets/Resources/tree-crowns"


def cuts(length):
    parts = max(1, round(length / TILE))
    return [round(length * i / parts) for i in range(parts + 1)]


def clipped(box, tile):
    x1, y1, x2, y2 = (max(box[0], tile[0]), max(box[1], tile[1]), min(box[2], tile[2]), min(box[3], tile[3]))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def annotations_of(boxes, tile):
    for box in boxes:
        part = clipped(box, tile)
        if part is None:
            continue
        width, height = part[2] - part[0], part[3] - part[1]
        visible = width * height / ((box[2] - box[0]) * (box[3] - box[1]))
        if visible < VISIBLE and min(width, height) < SLIVER:
            continue
        yield {
            "bbox": [part[0] - tile[0], part[1] - tile[1], width, height],
            "area": width * height, "iscrowd": int(visible < VISIBLE), "category_id": 1,
        }


def main():
    archive = tarfile.open(sys.argv[1])
    member = "deepforest-2.1.0/src/deepforest/data/"
    read = lambda name: archive.extractfile(member + name).read()
    splits = {s: {"images": [], "annotations": []} for s in ("train", "validation")}
    sizes = collections.Counter()
    (target / "images").mkdir(parents=True, exist_ok=True)
    for name, short, is_validation in PHOTOGRAPHS:
        photograph = Image.open(io.BytesIO(read(name + ".png"))).convert("RGB")
        boxes = []
        for node in ElementTree.fromstring(read(name + ".xml")).iter("object"):
            x1, y1, x2, y2 = (int(node.find("bndbox/" + key).text) for key in ("xmin", "ymin", "xmax", "ymax"))
            boxes.append((x1 - 1, y1 - 1, x2, y2))
        xs, ys = cuts(photograph.width), cuts(photograph.height)
        for r in range(len(ys) - 1):
            for c in range(len(xs) - 1):
                tile = (xs[c], ys[r], xs[c + 1], ys[r + 1])
                split = "validation" if is_validation(r, c, len(ys) - 1, len(xs) - 1) else "train"
                data = splits[split]
                file = target / "images" / f"{short}-r{r}-c{c}.jpg"
                photograph.crop(tile).save(file, quality=QUALITY, optimize=True)
                sizes["bytes"] += file.stat().st_size
                image = {
                    "id": len(data["images"]) + 1, "file_name": file.name,
                    "width": tile[2] - tile[0], "height": tile[3] - tile[1],
                    # Where the tile lies: not COCO's, but readers skip keys they do not know.
                    "photograph": name, "origin": [tile[0], tile[1]],
                }
                data["images"].append(image)
                for annotation in annotations_of(boxes, tile):
                    data["annotations"].append(
                        {"id": len(data["annotations"]) + 1, "image_id": image["id"], **annotation})
    for split, data in splits.items():
        header = {
            "info": {"description": "Tree crowns on aerial photographs, from DeepForest 2.1.0 (MIT)"},
            "categories": [{"id": 1, "name": "tree"}],
        }
        lines = [f'"{key}": {json.dumps(value)}' for key, value in header.items()]
        for key, rows in data.items():
            lines.append(f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
        (target / f"{split}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
        crowds = sum(a["iscrowd"] for a in data["annotations"])
        print(split, len(data["images"]), "tiles", len(data["annotations"]) - crowds, "trees", crowds, "crowd boxes")
    print(sizes["bytes"], "bytes of JPEG")


main()
