"""Writes torchvision.json, and step.json of Tests/Training: torchvision's own RetinaNets in double precision.

Parameters and pixels follow from a hash of their names (`hashed`, as in Tests/Support/HashedValues.swift), so that only
results are stored, and of those a sample: the L2 norm, the product with another hash, and some values.

python3 make_torchvision.py   (PyTorch 2 and torchvision 0.15 or newer)
"""
import json
import os
import re
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.detection import (
    _utils, retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2)
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.ops import box_iou
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../../scripts/parity"))
import hashed_values
from hashed_values import uniform

torch.set_default_dtype(torch.float64)


def hashed(name, shape):
    """A parameter's values by its path, rounded to float32."""
    u = uniform(name, int(np.prod(shape)))
    kind = name.split("/")[-1]
    if kind == "kernel":
        values = (2 * u - 1) * np.sqrt(3.0 / np.prod(shape[1:]))
    elif kind in ("gamma", "moving_variance"):
        values = 0.5 + u
    else:
        values = 0.2 * u - 0.1
    return torch.from_numpy(values.astype(np.float32).astype(np.float64).reshape(shape))


def pixels(name, shape):
    return torch.from_numpy(hashed_values.pixels(name, shape).astype(np.float64))


def native(key):
    """Our path of a parameter by torchvision's."""
    parts = key.split(".")
    owner = ".".join(parts[:-1])
    for pattern, path in [
        (r"backbone.body.conv1", "backbone/stem/conv"), (r"backbone.body.bn1", "backbone/stem/norm"),
        (r"backbone.body.layer(\d).(\d+).conv(\d)", "backbone/stage{0}/block{1}/conv{2}"),
        (r"backbone.body.layer(\d).(\d+).bn(\d)", "backbone/stage{0}/block{1}/norm{2}"),
        (r"backbone.body.layer(\d).(\d+).downsample.0", "backbone/stage{0}/block{1}/downsample/conv"),
        (r"backbone.body.layer(\d).(\d+).downsample.1", "backbone/stage{0}/block{1}/downsample/norm"),
        (r"backbone.fpn.inner_blocks.(\d).0", "pyramid/lateral{0}"),
        (r"backbone.fpn.layer_blocks.(\d).0", "pyramid/output{0}"),
        (r"backbone.fpn.extra_blocks.p(\d)", "pyramid/level{0}"),
        (r"head.(\w+)_head.conv.(\d).0", "heads/{0}/conv{1}"), (r"head.(\w+)_head.conv.(\d).1", "heads/{0}/norm{1}"),
        (r"head.classification_head.cls_logits", "heads/classification/logits"),
        (r"head.regression_head.bbox_reg", "heads/regression/deltas"),
    ]:
        found = re.fullmatch(pattern, owner)
        if not found:
            continue
        groups = list(found.groups())
        if "block{1}" in path or "heads/{0}/" in path:
            groups[1] = int(groups[1]) + 1
        if path.startswith("pyramid/lateral") or path.startswith("pyramid/output"):
            groups[0] = int(groups[0]) + 3
        path = path.format(*groups)
        leaf = parts[-1]
        is_norm = "/norm" in path
        return path + "/" + {"weight": "gamma" if is_norm else "kernel", "bias": "beta" if is_norm else "bias",
                             "running_mean": "moving_mean", "running_var": "moving_variance"}[leaf]
    raise KeyError(key)


def fill(model):
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if "num_batches_tracked" not in key:
                value.copy_(hashed(native(key), tuple(value.shape)))
    return model.double()


def sample(name, tensor):
    return hashed_values.sample(name, tensor.detach().numpy())


def forward(model, x):
    features = list(model.backbone(x).values())
    result = model.head(features)
    return features, result["cls_logits"], result["bbox_regression"]


def published(make):
    model = fill(make(weights=None, weights_backbone=None, num_classes=7)).eval()
    x = pixels("pixels", (2, 3, 64, 96))
    with torch.no_grad():
        _, logits, deltas = forward(model, x)
    return {"parameters": len([k for k in model.state_dict() if "num_batches" not in k]),
            "logits": sample("logits", logits), "deltas": sample("deltas", deltas)}


class Narrow(ResNet):
    """torchvision's ResNet with an eighth of the channels."""

    def _make_layer(self, block, planes, *rest, **named):
        if planes == 64:
            self.inplanes = 8
            self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(8)
        return super()._make_layer(block, planes // 8, *rest, **named)


class Tiny(nn.Module):
    def __init__(self, classes, generator):
        super().__init__()
        body = Narrow(BasicBlock, [2, 2, 2, 2])
        self.backbone = BackboneWithFPN(
            body, {"layer2": "0", "layer3": "1", "layer4": "2"}, [16, 32, 64], 24, extra_blocks=LastLevelP6P7(24, 24))
        self.head = RetinaNetHead(24, generator.num_anchors_per_location()[0], classes)


def step():
    """One training step of Sampling-Free: cross entropy over all anchors, smooth L1, guided loss scaling."""
    classes, size = 4, 128
    generator = AnchorGenerator(
        tuple((s, round(s * 1.5)) for s in (12, 24, 48, 80, 112)), ((0.5, 1.0, 2.0),) * 5)
    model = fill(Tiny(classes, generator)).train()
    # Of 400, the image whose values come no closer than 2e-5 to any ReLU's kink: rounding does not change gradients.
    image = "pixels 254"
    x = pixels(image, (2, 3, size, size))
    boxes = [torch.tensor([[10., 20, 42, 61], [60, 5, 118, 58], [70, 80, 83, 90]]), torch.tensor([[30., 30, 100, 120]])]
    labels = [[1, 3, 0], [2]]
    features, logits, deltas = forward(model, x)
    anchors = generator(ImageList(x, [(size, size)] * 2), features)
    matcher = _utils.Matcher(0.5, 0.4, allow_low_quality_matches=True)
    coder = _utils.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
    cross_entropy, smooth_l1, positives, ignored = 0, 0, 0, 0
    for i in range(2):
        match = matcher(box_iou(boxes[i], anchors[i]))
        foreground = match >= 0
        target = torch.zeros_like(logits[i])
        target[foreground, torch.tensor(labels[i])[match[foreground]]] = 1
        kept = match != matcher.BETWEEN_THRESHOLDS
        cross_entropy = cross_entropy + F.binary_cross_entropy_with_logits(logits[i][kept], target[kept], reduction="sum")
        wanted = coder.encode_single(boxes[i][match[foreground]], anchors[i][foreground])
        smooth_l1 = smooth_l1 + F.smooth_l1_loss(deltas[i][foreground], wanted, beta=0.11, reduction="sum")
        positives += int(foreground.sum())
        ignored += int((~kept).sum())
    classification = cross_entropy / (positives + 2)
    regression = smooth_l1 / positives
    w = (regression / classification).item()
    (w * classification + regression).backward()
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    return {
        "image": image, "size": size, "boxes": [b.tolist() for b in boxes], "labels": labels, "anchors": len(anchors[0]),
        "foreground": positives, "ignored": ignored, "classification": classification.item(),
        "regression": regression.item(), "scale": w, "gradientNorm": norm.item(),
        "logits": sample("logits", logits), "deltas": sample("deltas", deltas),
        "gradients": {native(k): sample(native(k), p.grad) for k, p in model.named_parameters()},
    }


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, separators=(",", ":"), sort_keys=True)


write(os.path.join(HERE, "torchvision.json"), {
    "resnet50": published(retinanet_resnet50_fpn), "resnet50V2": published(retinanet_resnet50_fpn_v2)})
write(os.path.join(HERE, "../../Training/Goldens/step.json"), step())
