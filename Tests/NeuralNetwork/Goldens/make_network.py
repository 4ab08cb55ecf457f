"""Writes network.json: a small network of every operation, its outputs and gradients in PyTorch, double precision.

python3 make_network.py   (PyTorch 1.13 or newer)
"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
P = {}


def param(name, *shape, positive=False):
    t = torch.rand(*shape) * 0.5 + 0.75 if positive else torch.randn(*shape) * 0.3
    P[name] = t.requires_grad_(True)
    return P[name]


def norm(name, c):
    return [param(f"{name}/gamma", c, positive=True), param(f"{name}/beta", c),
            param(f"{name}/moving_mean", c), param(f"{name}/moving_variance", c, positive=True)]


C = 20
x = torch.randn(2, 3, 32, 48)
param("stem/kernel", C, 3, 3, 3)
stem_norm = norm("stem_norm", C)
for name in ["a", "b"]:
    param(f"block/{name}/kernel", C, C, 3, 3)
    norm(f"block/{name}_norm", C)
param("down/kernel", C, C, 3, 3)
param("down/bias", C)
param("lateral/kernel", C, C, 1, 1)
param("lateral/bias", C)
gn = [param("group/gamma", C, positive=True), param("group/beta", C)]
param("head/kernel", 6, C, 3, 3)
param("head/bias", 6)


def batch_norm(t, name, training):
    mean, var = P[f"{name}/moving_mean"].detach().clone(), P[f"{name}/moving_variance"].detach().clone()
    y = F.batch_norm(t, mean, var, P[f"{name}/gamma"], P[f"{name}/beta"], training, 0.1, 1e-5)
    return y, mean, var


moved = {}


def network(training):
    t = F.conv2d(x, P["stem/kernel"], stride=2, padding=1)
    # Frozen: gamma, beta and statistics are constants.
    g, b, m, v = [p.detach() for p in stem_norm]
    t = F.relu((t - m[:, None, None]) / torch.sqrt(v + 1e-5)[:, None, None] * g[:, None, None] + b[:, None, None])
    t = F.max_pool2d(t, 3, 2, 1)
    u, *moved["block/a_norm", training] = batch_norm(F.conv2d(t, P["block/a/kernel"], padding=1), "block/a_norm", training)
    u, *moved["block/b_norm", training] = batch_norm(F.conv2d(F.relu(u), P["block/b/kernel"], padding=1), "block/b_norm", training)
    t = F.relu(t + u)
    d = F.relu(F.conv2d(t, P["down/kernel"], P["down/bias"], stride=2, padding=1))
    n = F.conv2d(t, P["lateral/kernel"], P["lateral/bias"]) + F.interpolate(d, scale_factor=2, mode="nearest")
    n = F.relu(F.group_norm(n, 4, *gn, 1e-5))
    levels = [torch.sigmoid(F.conv2d(l, P["head/kernel"], P["head/bias"], padding=1)) for l in (n, d)]
    return torch.cat([l.permute(0, 2, 3, 1).reshape(2, -1, 6) for l in levels], 1)


y = network(True)
g = torch.randn_like(y)
y.backward(g)
inference = network(False)
flat = lambda t: [float(f"{v:.8g}") if abs(v) > 1e-30 else 0.0 for v in t.detach().reshape(-1)]
entry = lambda t: {"shape": list(t.shape), "values": flat(t)}
json.dump({
    "input": entry(x), "outputGradient": entry(g), "output": entry(y), "inference": entry(inference),
    "parameters": {k: entry(v) for k, v in P.items()},
    "gradients": {k: entry(v.grad) for k, v in P.items() if v.grad is not None},
    "moved": {f"{k}/{s}": entry(v) for (k, training), (m, w) in moved.items() if training
              for s, v in (("moving_mean", m), ("moving_variance", w))},
}, open("network.json", "w"), separators=(",", ":"))
