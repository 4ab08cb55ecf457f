"""Makes losses.json: what strategies come to by mmdetection's (and the papers' own codes') definitions, written anew in
PyTorch, in double precision, gradients by autograd.

    python Tests/Samplers/Goldens/make_losses.py      # torch 2.15.0
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(11)
IMAGES, ANCHORS, CLASSES = 2, 60, 4


def listed(tensor, digits=9):
    """Values with just the digits that they need: 9 are a float32."""
    return [float(f"{x:.{digits}g}") for x in tensor.flatten().tolist()]


def rounded(tensor):
    """What float32 in Swift will read."""
    return tensor.float().double()


# A mini-batch: overlaps from 0.5 on are foreground, from 0.4 on ignored; objects are numbered within their image.
count = IMAGES * ANCHORS
logits = rounded(torch.randn(count, CLASSES) * 2.5 - 1)
overlaps = torch.where(torch.rand(count) < 0.25, 0.5 + 0.5 * torch.rand(count), 0.5 * torch.rand(count) ** 2)
overlaps = rounded(overlaps)
objects = torch.where(overlaps >= 0.5, torch.randint(0, 5, (count,)), -1)
labels = torch.where(overlaps >= 0.5, objects % CLASSES + 1, torch.where(overlaps >= 0.4, -1, 0))
foreground, valid = labels > 0, labels >= 0
qualities = rounded(torch.where(foreground, torch.rand(count), 0))
first = foreground.nonzero()[:2, 0]
qualities[first[0]], qualities[first[1]] = 1, 0
target = torch.zeros(count, CLASSES, dtype=torch.float64)
target[foreground, labels[foreground] - 1] = 1
ious = torch.zeros_like(target)
ious[foreground, labels[foreground] - 1] = qualities[foreground]
counted = valid.double()[:, None]
positives = int(foreground.sum())
golden = {
    "version": torch.__version__.split("+")[0],
    "batch": {
        "classes": CLASSES, "imageOffsets": [0, ANCHORS, count], "logits": listed(logits), "labels": labels.tolist(),
        "overlaps": listed(overlaps), "objects": objects.tolist(), "qualities": listed(qualities),
    },
}


def bce(x, t):
    return F.binary_cross_entropy_with_logits(x, t, reduction="none")


def loss(make, at=logits):
    """Value and gradient of make(logits)."""
    x = at.clone().requires_grad_()
    value = make(x)
    return {"value": value.item(), "gradient": listed(torch.autograd.grad(value, x)[0], 6)}


# Soft weightings.

def quality_focal(x, beta):
    p = x.sigmoid()
    terms = bce(x, torch.zeros_like(x)) * p**beta
    own = (ious - p).abs() ** beta * bce(x, ious)
    return (torch.where(target > 0, own, terms) * counted).sum() / positives


def varifocal(x, alpha, gamma):
    q = torch.where(target > 0, ious.clamp(min=1e-6), 0.0)
    weight = torch.where(q > 0, q, alpha * (x.sigmoid() - q).abs() ** gamma)
    return (bce(x, q) * weight * counted).sum() / positives


golden["qualityFocal"] = [dict(beta=b, **loss(lambda x: quality_focal(x, b))) for b in (2.0, 1.5)]
golden["varifocal"] = [
    dict(alpha=a, gamma=g, **loss(lambda x: varifocal(x, a, g))) for a, g in ((0.75, 2.0), (0.5, 1.5))
]


class Harmonizer:
    """Weights inverse to the density of gradient norms, with moving counts."""

    def __init__(self, bins, momentum, last_edge):
        self.edges = torch.arange(bins + 1).double() / bins
        self.edges[-1] = last_edge
        self.momentum, self.counts = momentum, torch.zeros(bins, dtype=torch.float64)

    def __call__(self, norm, mask):
        weights, filled = torch.zeros_like(norm), 0
        total = max(mask.sum().item(), 1)
        for k in range(len(self.counts)):
            inside = (norm >= self.edges[k]) & (norm < self.edges[k + 1]) & mask
            number = inside.sum().item()
            if number == 0:
                continue
            filled += 1
            self.counts[k] = self.momentum * self.counts[k] + (1 - self.momentum) * number
            weights[inside] = total / self.counts[k]
        return weights / max(filled, 1), total


golden["ghm"] = []
for bins, momentum in ((30, 0.75), (10, 0.0)):
    harmonizer, steps = Harmonizer(bins, momentum, 1 + 1e-6), []
    for scale in (1.0, 0.5, 1.5):
        at = rounded(logits * scale)
        mask = counted.bool().expand_as(at)
        weights, total = harmonizer((at.sigmoid() - target).abs(), mask)
        steps.append(dict(scale=scale, **loss(lambda x: (bce(x, target) * weights).sum() / total, at)))
    golden["ghm"].append({"bins": bins, "momentum": momentum, "steps": steps})

# Of a training set with these objects (and images that show them).
object_counts, image_counts, images = torch.tensor([5000, 300, 10, 0]), [900, 120, 2, 0], 1000


def class_balanced(x, beta, gamma):
    inverse = torch.where(object_counts > 0, (1 - beta) / (1 - beta ** object_counts.double()), 0.0)
    weights = inverse / inverse.sum() * (object_counts > 0).sum()
    weights = torch.cat([torch.ones(1), torch.where(object_counts > 0, weights, 1.0)])
    per_anchor = weights[labels.clamp(min=0)][:, None] * counted
    terms = bce(x, target) * (x.sigmoid() - target).abs() ** gamma
    return (terms * per_anchor).sum() / (positives if gamma > 0 else positives + IMAGES)


def equalization(x, threshold):
    rare = torch.tensor([c / images < threshold for c in image_counts]).double()
    weight = 1 - foreground.double()[:, None] * rare[None] * (1 - target)
    return (bce(x, target) * weight * counted).sum() / (positives + IMAGES)


golden["statistics"] = {"objectCounts": object_counts.tolist(), "imageCounts": image_counts, "images": images}
golden["classBalanced"] = [
    dict(beta=b, gamma=g, **loss(lambda x: class_balanced(x, b, g))) for b, g in ((0.9999, 0.0), (0.99, 0.0), (0.999, 2.0))
]
golden["equalization"] = [dict(threshold=t, **loss(lambda x: equalization(x, t))) for t in (0.00176, 0.2)]

# Hard sampling: which anchors.
anchor_losses = (bce(logits, target) * counted).sum(1)


def hardest(candidates, number):
    if len(candidates) <= number:
        return candidates
    return candidates[anchor_losses[candidates].topk(number).indices]


def picked(rule):
    chosen = [rule(i * ANCHORS + torch.arange(ANCHORS)) for i in range(IMAGES)]
    return sorted(torch.cat(chosen).tolist())


def ohem(anchors, number, fraction):
    hard = hardest(anchors[foreground[anchors]], int(number * fraction))
    return torch.cat([hard, hardest(anchors[labels[anchors] == 0], number - len(hard))])


def ssd(anchors, ratio):
    positive = anchors[foreground[anchors]]
    return torch.cat([positive, hardest(anchors[labels[anchors] == 0], int(ratio * len(positive)))])


golden["ohem"] = [
    {"count": n, "fraction": f, "anchors": picked(lambda a: ohem(a, n, f))} for n, f in ((32, 0.25), (16, 0.5), (512, 0.25))
]
golden["ohemJoint"] = [{"count": n, "anchors": picked(lambda a: hardest(a[valid[a]], n))} for n in (20, 64)]
golden["ssd"] = [{"ratio": r, "anchors": picked(lambda a: ssd(a, r))} for r in (3.0, 1.5)]

# Regression.
deltas = rounded(torch.randn(12, 4) * 0.3)
wanted = rounded(torch.randn(12, 4) * 0.3)
wanted[3, 1] = deltas[3, 1]
trained = torch.tensor([0, 1, 3, 4, 7, 8, 11])
golden["regression"] = {"deltas": listed(deltas), "targets": listed(wanted), "foreground": trained.tolist()}
for name, make in {
    "smoothL1": lambda d: F.smooth_l1_loss(d[trained], wanted[trained], reduction="sum", beta=0.11) / len(trained),
    "l1": lambda d: F.l1_loss(d[trained], wanted[trained], reduction="sum") / len(trained),
}.items():
    golden["regression"][name] = loss(make, deltas)
golden["ghmRegression"] = []
for mu, bins, momentum in ((0.02, 10, 0.7), (0.1, 5, 0.0)):
    harmonizer, steps = Harmonizer(bins, momentum, 1e3), []
    for scale in (1.0, 0.3, 2.0):
        at = rounded(deltas * scale)
        difference = (at - wanted)[trained]
        root = (difference**2 + mu**2).sqrt()
        weights, total = harmonizer((difference / root).abs(), torch.ones_like(root).bool())
        steps.append(dict(scale=scale, **loss(
            lambda d: ((((d - wanted)[trained] ** 2 + mu**2).sqrt() - mu) * weights).sum() / total, at)))
    golden["ghmRegression"].append({"mu": mu, "bins": bins, "momentum": momentum, "steps": steps})

# Homoscedastic uncertainty: log variances trained by SGD on the total loss; 0 is no evidence.
rate = 0.1
variances = torch.zeros(2, dtype=torch.float64, requires_grad=True)
pairs, rows = [(4.0, 0.5), (2.0, 0.25), (1.0, 3.0), (0.5, 0.0), (3.0, 0.01)], []
for classification, regression in pairs:
    s = variances
    scales = torch.stack([torch.exp(-s[0]), torch.exp(-s[1]) / 2])
    total = scales[0] * classification + scales[1] * regression + s.sum() / 2
    rows.append({
        "losses": [classification, regression], "scales": scales.tolist(), "total": total.item(),
    })
    gradient = torch.autograd.grad(total, variances)[0] * torch.tensor([classification > 0, regression > 0])
    variances = (variances - rate * gradient).detach().requires_grad_()
golden["uncertainty"] = {"rate": rate, "steps": rows, "logVariances": variances.tolist()}

path = pathlib.Path(__file__).with_name("losses.json")
path.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in golden.items()) + "\n}\n")
print(path.name, path.stat().st_size, "bytes,", positives, "positives of", count)
