"""Makes coco.json: random images, objects and detections, and what pycocotools' COCOeval says of them.

    python Tests/Evaluation/Goldens/make_coco.py      # pycocotools 2.0.11, numpy 2.4.6

A case is {"classes", "images": [ids], "objects": [image, class, x, y, w, h, area, crowd], "detections": [image, class,
x, y, w, h, score], "numbers": COCOeval's twelve, "ap": one a class, "ap50": one a class}. Numbers are rounded first,
so that both sides read the same.
"""
import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def case(seed, images, classes, objects, detections, size=400, crowd=0.1, score_steps=50, hit=0.7, area_factor=(0.5, 1.0)):
    """`objects` and `detections`: the most in an image; `score_steps`: few make ties; `hit`: share of detections near
    an object."""
    random = np.random.default_rng(seed)
    # Ids that do not begin at 0, and are neither dense nor in order.
    ids = [int(i) for i in random.choice(np.arange(3, 10 * images + 3), images, replace=False)]
    truth, found = [], []
    for image in ids:
        if random.random() < 0.15:
            continue  # nothing at all
        boxes = []
        for _ in range(random.integers(0, objects + 1)):
            side = np.exp(random.uniform(np.log(6), np.log(0.7 * size), 2))
            x, y = random.uniform(0, size - side)
            box = [round(float(v), 1) for v in (x, y, *side)]
            boxes.append((int(random.integers(classes)), box))
            area = round(box[2] * box[3] * float(random.uniform(*area_factor)), 1)
            truth.append([image, boxes[-1][0], *box, area, int(random.random() < crowd)])
        for _ in range(random.integers(0, detections + 1)):
            score = float(random.integers(1, score_steps + 1)) / score_steps
            if boxes and random.random() < hit:
                label, box = boxes[random.integers(len(boxes))]
                if random.random() < 0.1:
                    label = int(random.integers(classes))
                x, y, w, h = np.array(box) + np.array([box[2], box[3]] * 2) * random.normal(0, 0.08, 4)
            else:
                label = int(random.integers(classes))
                w, h = np.exp(random.uniform(np.log(4), np.log(0.7 * size), 2))
                x, y = random.uniform(0, size - np.array([w, h]))
            found.append([image, label, *(round(float(v), 1) for v in (x, y, max(w, 1), max(h, 1))), round(score, 4)])
    return {"classes": classes, "images": ids, "objects": truth, "detections": found}


def judge(data):
    truth = COCO()
    truth.dataset = {
        "info": {}, "images": [{"id": i} for i in data["images"]],
        "categories": [{"id": c + 1, "name": str(c)} for c in range(data["classes"])],
        "annotations": [
            {"id": n + 1, "image_id": o[0], "category_id": o[1] + 1, "bbox": o[2:6], "area": o[6], "iscrowd": o[7]}
            for n, o in enumerate(data["objects"])],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        if data["detections"]:
            found = truth.loadRes([
                {"image_id": d[0], "category_id": d[1] + 1, "bbox": d[2:6], "score": d[6]} for d in data["detections"]])
        else:
            found = COCO()
            found.dataset = {**truth.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # [IoU, recall, class]
    mean = lambda p: [float(v.mean()) if (v := p[..., c][p[..., c] > -1]).size else -1.0 for c in range(data["classes"])]
    return {**data, "numbers": [float(v) for v in evaluation.stats], "ap": mean(precision), "ap50": mean(precision[:1])}


cases = {
    "mixed": case(1, 20, 3, 6, 14),
    "ties": case(2, 8, 2, 6, 20, score_steps=3),
    "crowds": case(3, 10, 2, 6, 12, crowd=0.5),
    "small objects": case(4, 10, 2, 8, 14, size=60),
    "large objects": case(5, 6, 2, 4, 8, size=900),
    "exact boxes": case(6, 8, 2, 6, 10),
    "classes without objects": case(7, 6, 9, 2, 5),
    "more than a hundred detections": case(8, 2, 1, 12, 320, hit=0.5),
    "areas on the bounds": case(9, 8, 1, 5, 8),
    "objects over each other": case(10, 5, 1, 10, 16, size=40),
    "no detections": case(21, 4, 2, 9, 0),
    "no objects": case(12, 4, 2, 0, 5),
    "nothing": case(13, 2, 1, 0, 0),
    "all crowds": case(14, 5, 1, 4, 8, crowd=1.0),
}
# Detections that are objects, with equal scores.
exact = cases["exact boxes"]
exact["detections"] = [[*o[:6], 0.5] for o in exact["objects"] for _ in range(2)]
# IoUs of just 0.5, 0.75 and so on, and areas of just 32 and 96 squared.
bounds = cases["areas on the bounds"]
bounds["objects"] = [[i, 0, 10, 10, s, s, s * s, 0] for i, s in zip(bounds["images"], (32, 96, 31, 33, 95, 97, 32, 96))]
bounds["detections"] = [
    [o[0], 0, 10, 10, o[4], o[5] * part, 0.9 - 0.1 * n]
    for o in bounds["objects"] for n, part in enumerate((0.5, 0.75, 1, 0.9, 0.95))]

result = {name: judge(data) for name, data in cases.items()}
path = pathlib.Path(__file__).with_name("coco.json")
path.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in result.items()) + "\n}\n")
print(path.name, path.stat().st_size, "bytes")
for name, data in result.items():
    print(f"{name:32}", " ".join(f"{v:6.3f}" for v in data["numbers"]))
