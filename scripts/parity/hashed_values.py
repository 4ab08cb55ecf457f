"""Values that follow from a name, the same as in Tests/Support/HashedValues.swift, so that goldens need not store them."""
import numpy as np


def uniform(name, count):
    """count numbers of 0..<1 in steps of 2^-24: SplitMix64 of the index, started at the name's FNV-1a hash."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-24


def pixels(name, shape):
    """-2..<2, float32."""
    return (4 * uniform(name, int(np.prod(shape))) - 2).astype(np.float32).reshape(shape)


def mosaic(name, height, width, side):
    """An image [height, width, 3] of squares, each of one colour."""
    rows, columns = -(-height // side), -(-width // side)
    colours = (256 * uniform(name, rows * columns * 3)).astype(np.uint8).reshape(rows, columns, 3)
    return colours.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]


def rounded(value):
    return float(f"{value:.9g}")


def sample(name, values):
    """What a golden keeps of an array: TensorSample in Swift."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    step = max(1, flat.size // 12)
    return {"shape": list(np.shape(values)), "norm": rounded(np.linalg.norm(flat)),
            "product": rounded((flat * (2 * uniform("probe " + name, flat.size) - 1)).sum()), "step": step,
            "values": [rounded(v) for v in flat[::step]]}
