"""Makes torchvision.json: anchors, matches, box deltas, suppression, losses and detections as torchvision has them.

    python Tests/DetectionCore/Goldens/make_torchvision.py      # torch 2.15.0, torchvision 0.29.2
"""
import json
import pathlib
import types

import torch
import torchvision
from torchvision.models.detection import RetinaNet
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

torch.manual_seed(7)
golden = {"versions": [torch.__version__.split("+")[0], torchvision.__version__.split("+")[0]]}


def listed(tensor):
    """Float32 values with just the digits that they need."""
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def boxes(count, size, smallest=2.0):
    corner = torch.rand(count, 2) * (size - smallest)
    side = smallest + torch.rand(count, 2) ** 2 * (size - corner - smallest)
    return torch.cat([corner, corner + side], 1)


# Anchors of an image of 32x48 pixels on two levels.
levels = [(4, 6), (2, 3)]
sizes = ((12, 15, 19), (24, 30, 38))
generator = AnchorGenerator(sizes=sizes, aspect_ratios=((0.5, 1.0, 2.0),) * 2)
features = [torch.zeros(1, 1, *level) for level in levels]
anchors = generator(ImageList(torch.zeros(1, 3, 32, 48), [(32, 48)]), features)[0]
golden["anchors"] = {"levels": levels, "strides": [8, 16], "sizes": sizes, "boxes": listed(anchors)}

truth = boxes(6, 32, 6.0)
quality = torchvision.ops.box_iou(truth, anchors)
golden["matcher"] = {"boxes": listed(truth), "overlaps": listed(quality.max(0).values)}
for low in (True, False):
    matches = Matcher(0.5, 0.4, allow_low_quality_matches=low)(quality)
    golden["matcher"]["lowQuality" if low else "plain"] = matches.tolist()

coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
references, targets = boxes(20, 100), boxes(20, 100)
deltas = torch.randn(20, 4) * torch.tensor([10.0, 10.0, 12.0, 12.0])  # some log scales past the bound
golden["coder"] = {
    "weights": [10, 10, 5, 5], "anchors": listed(references), "boxes": listed(targets),
    "encoded": listed(coder.encode_single(targets, references)), "deltas": listed(deltas),
    "decoded": listed(coder.decode_single(deltas, references)),
}

candidates = boxes(120, 80, 10.0)
scores = (torch.rand(120) * 40).round() / 40  # with ties
golden["suppression"] = {
    "boxes": listed(candidates), "scores": listed(scores),
    "kept": {str(t): torchvision.ops.nms(candidates, scores, t).tolist() for t in (0.3, 0.5, 0.7)},
}

predicted = torch.randn(12, dtype=torch.float64, requires_grad=True)
wanted = torch.randn(12, dtype=torch.float64) * 0.3
wanted[3] = predicted[3].detach()
golden["regression"] = {"deltas": listed(predicted), "targets": listed(wanted)}
for name, loss in {
    "smoothL1": lambda: torch.nn.functional.smooth_l1_loss(predicted, wanted, reduction="sum", beta=0.4),
    "l1": lambda: torch.nn.functional.l1_loss(predicted, wanted, reduction="sum"),
}.items():
    value = loss()
    golden["regression"][name] = {"sum": value.item(), "gradient": listed(torch.autograd.grad(value, predicted)[0])}

# Logits of float32 in double precision; anchor 5 is ignored.
logits = (torch.randn(14, 5) * 4).double()
logits[0, :] = torch.tensor([-60.0, 60.0, -17.0, 17.0, 0.0])
labels = torch.tensor([2, 0, 0, 5, 1, -1, 0, 0, 3, 0, 4, 0, 0, 1])
target = torch.zeros(14, 5, dtype=torch.float64)
for row, label in enumerate(labels.tolist()):
    if label > 0:
        target[row, label - 1] = 1
logits.requires_grad_()
counted = (labels >= 0).double()[:, None]
golden["classification"] = {"labels": labels.tolist(), "logits": listed(logits), "focal": []}
for gamma, alpha in ((2.0, 0.25), (0.0, 0.5), (1.5, 0.4)):
    loss = (torchvision.ops.sigmoid_focal_loss(logits, target, alpha, gamma) * counted).sum()
    golden["classification"]["focal"].append({
        "gamma": gamma, "alpha": alpha, "sum": loss.item(),
        "gradient": listed(torch.autograd.grad(loss, logits)[0]),
    })
loss = (torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * counted).sum()
golden["classification"]["uniform"] = {"sum": loss.item(), "gradient": listed(torch.autograd.grad(loss, logits)[0])}

# Post-processing over the anchors above, three classes.
split = [9 * h * w for h, w in levels]
cls = torch.randn(1, len(anchors), 3) * 1.5 - 2
reg = torch.randn(1, len(anchors), 4) * 2
cls, reg = (torch.tensor(listed(x)).reshape(x.shape) for x in ((cls * 1000).round() / 1000, (reg * 1000).round() / 1000))
settings = types.SimpleNamespace(
    score_thresh=0.3, topk_candidates=100, nms_thresh=0.5, detections_per_img=40, box_coder=coder)
found = RetinaNet.postprocess_detections(
    settings, {"cls_logits": cls.split(split, 1), "bbox_regression": reg.split(split, 1)}, [anchors.split(split)],
    [(32, 48)])[0]
golden["detections"] = {
    "logits": listed(cls), "deltas": listed(reg), "threshold": 0.3, "candidates": 100, "nms": 0.5, "maximum": 40,
    "boxes": listed(found["boxes"]), "scores": listed(found["scores"]), "classes": found["labels"].tolist(),
}

path = pathlib.Path(__file__).with_name("torchvision.json")
path.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in golden.items()) + "\n}\n")
print(path.name, path.stat().st_size, "bytes")
