"""From the start of a process to a picture with detections: `sampling-free detect` and the same through torchvision, in turns.

startup.py [--rounds N] [--threads N]

One image of 1333 x 800, RetinaNet ResNet-50-FPN with the same weights: an HDF5 file here, a state dict there.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import bench
import work

IMAGE = os.path.join(bench.CACHE, "startup.jpg")
STATE = os.path.join(bench.CACHE, "startup.pth")
PICTURE = os.path.join(bench.CACHE, "startup-{}.png")
CLASSES = 91


def peer(threads):
    """All that a short script for torchvision would do."""
    import torch
    from torchvision.io import decode_image, write_png
    from torchvision.models.detection import retinanet_resnet50_fpn
    from torchvision.utils import draw_bounding_boxes

    torch.set_num_threads(threads)
    model = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=CLASSES).eval()
    model.load_state_dict(torch.load(STATE, mmap=True))
    image = decode_image(IMAGE)
    with torch.inference_mode():
        found = model([image / 255])[0]
    labels = [f"{label} {score:.2f}" for label, score in zip(found["labels"].tolist(), found["scores"].tolist())]
    write_png(draw_bounding_boxes(image, found["boxes"], labels, width=3), PICTURE.format("torchvision"))


def prepare():
    import numpy as np
    import torch
    from PIL import Image
    os.makedirs(bench.CACHE, exist_ok=True)
    if not os.path.exists(bench.WEIGHTS):
        subprocess.run([bench.OURS, "prepare", bench.WEIGHTS], check=True)
    torch.save(work.retinanet(bench.WEIGHTS, CLASSES).state_dict(), STATE)
    coarse = np.random.default_rng(0).integers(0, 256, (50, 84, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((1333, 800), Image.BICUBIC).save(IMAGE, quality=90)


def seconds(command, threads):
    start = time.monotonic()
    subprocess.run(command, check=True, env=dict(os.environ, OMP_NUM_THREADS=str(threads)), stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.threads)
    subprocess.run([sys.executable, "-c", "import startup; startup.prepare()"], check=True, cwd=bench.HERE)
    ours = [os.path.join(bench.ROOT, ".build", "release", "sampling-free"), "detect", bench.WEIGHTS, IMAGE, "-o", PICTURE.format("ours")]
    theirs = [sys.executable, os.path.abspath(__file__), "--peer", "--threads", str(options.threads)]
    commands = {"ours": ours, "torchvision": theirs}
    times = {name: [] for name in commands}
    for round in range(options.rounds + 1):
        for name, command in commands.items():
            elapsed = seconds(command, options.threads)
            if round > 0:  # the first reads files from disk
                times[name].append(elapsed)
    ratios = [b / a for a, b in zip(times["ours"], times["torchvision"])]
    for name in commands:
        print(f"{name:12s} median {statistics.median(times[name]):.3f} s, lowest {min(times[name]):.3f} s")
    print(f"ratio: median {statistics.median(ratios):.2f}, lowest {min(ratios):.2f}, highest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
