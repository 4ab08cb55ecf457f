"""Runs us and the peers in turn, prints ratios and which goals they meet; see docs/benchmarks.md.

bench.py [--only inference-640 ...] [--rounds N] [--table FILE]
"""
import argparse
import os
import subprocess
import sys

import work
from comparison import Comparison, Side, markdown, memory, seconds, throughput

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, ".build", "benchmarks")
WEIGHTS = os.path.join(CACHE, "weights.h5")
OURS = os.path.join(ROOT, ".build", "release", "bench")
PEER = [sys.executable, os.path.join(HERE, "peer.py")]


def batch_arguments(images, height, width):
    return ["--weights", WEIGHTS, "--images", str(images), "--height", str(height), "--width", str(width)]


def prepare_weights():
    if not os.path.exists(WEIGHTS):
        subprocess.run([OURS, "prepare", WEIGHTS], check=True)


def inference(images, height, width):
    def make():
        prepare_weights()
        arguments = batch_arguments(images, height, width)
        subprocess.run(PEER + ["export", "--cache", CACHE] + arguments, check=True)
        engines = {"PyTorch": "torch", "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
        peers = [Side(name, PEER + ["inference", "--engine", engine, "--cache", CACHE] + arguments, like="ours")
                 for name, engine in engines.items()]
        return Comparison(
            f"Inference fp32, {images} x {height}x{width}",
            [Side("ours", [OURS, "inference"] + arguments)] + peers + [Side("matrix product", [OURS, "matrix-product"])],
            [seconds("PyTorch, channels last / ours", "PyTorch", "ours", least=1.5),
             seconds("OpenVINO / ours", "OpenVINO", "ours", least=1.2),
             seconds("ONNX Runtime / ours", "ONNX Runtime", "ours", least=1.2),
             throughput("GFLOP/s, ours / matrix product", "ours", "matrix product", least=0.75)])
    return make


def inference_bf16(images, height, width):
    def make():
        prepare_weights()
        arguments = batch_arguments(images, height, width)
        subprocess.run(PEER + ["export", "--cache", CACHE] + arguments, check=True)
        peer = PEER + ["inference", "--precision", "bf16", "--cache", CACHE] + arguments
        return Comparison(
            f"Inference bf16, {images} x {height}x{width}",
            [Side("ours", [OURS, "inference", "--precision", "bf16"] + arguments),
             Side("PyTorch", peer + ["--engine", "torch"], like="ours"),
             Side("OpenVINO", peer + ["--engine", "openvino"], like="ours")],
            [seconds("OpenVINO / ours", "OpenVINO", "ours", least=1.1)])
    return make


def training(images, height, width):
    def make():
        prepare_weights()
        arguments = batch_arguments(images, height, width)
        return Comparison(
            f"Training step, {images} x {height}x{width}",
            [Side("ours", [OURS, "training"] + arguments), Side("PyTorch", PEER + ["training"] + arguments, like="ours")],
            [seconds("PyTorch / ours", "PyTorch", "ours", least=1.6),
             memory("peak memory, ours / PyTorch", "ours", "PyTorch", most=0.6)])
    return make


def loss():
    ours = {name: [OURS, "loss", "--sampler", name] for name in ["none", "focal", "ohem", "ghm", "outside-focal"]}
    return Comparison(
        "Classification loss and gradient, 2 x 120,087 anchors x 80 classes",
        [Side("none", ours["none"]),
         Side("PyTorch BCE", PEER + ["loss", "--engine", "bce"], like="none"),
         Side("copy", [OURS, "copy"]),
         Side("PyTorch copy_", PEER + ["copy"]),
         Side("focal", ours["focal"]),
         Side("torchvision focal", PEER + ["loss", "--engine", "focal"], like="focal"),
         Side("outside-focal", ours["outside-focal"], like="focal"),
         Side("ohem", ours["ohem"]),
         Side("ghm", ours["ghm"])],
        [seconds("PyTorch BCE / none", "PyTorch BCE", "none", least=30),
         seconds("bandwidth, none / copy", "copy", "none", least=0.6),
         seconds("bandwidth, none / PyTorch's copy_", "PyTorch copy_", "none", least=0.6),
         seconds("torchvision focal / focal", "torchvision focal", "focal", least=120),
         seconds("ohem / none", "ohem", "none", most=3),
         seconds("ghm / none", "ghm", "none", most=3),
         seconds("speed, outside-focal / focal", "focal", "outside-focal", least=0.5)])


def postprocess(threshold):
    def make():
        return Comparison(
            f"Post-processing, 201,600 anchors x 80 classes, threshold {threshold}",
            [Side("ours", [OURS, "post-process", "--threshold", str(threshold)]),
             Side("torchvision", PEER + ["postprocess", "--threshold", str(threshold)], like="ours")],
            [seconds("torchvision / ours", "torchvision", "ours", least=5)])
    return make


def evaluation():
    paths = [os.path.join(CACHE, name) for name in ["objects.f64", "detections.f64"]]
    for path, rows in zip(paths, work.evaluation_rows()):
        rows.tofile(path)
    peers = [Side(engine, PEER + ["evaluation", "--engine", engine], like="ours")
             for engine in ["faster-coco-eval", "pycocotools"]]
    return Comparison(
        "COCO evaluation, 5,000 images x 100 detections",
        [Side("ours", [OURS, "evaluation", "--objects", paths[0], "--detections", paths[1]])] + peers,
        [seconds("faster-coco-eval / ours", "faster-coco-eval", "ours", least=1),
         seconds("pycocotools / ours", "pycocotools", "ours", least=20)])


COMPARISONS = {
    "loss": loss,
    "inference-640": inference(1, 640, 640),
    "inference-640-batch-4": inference(4, 640, 640),
    "inference-800": inference(1, 800, 1344),
    "inference-800-batch-4": inference(4, 800, 1344),
    "inference-640-bf16": inference_bf16(1, 640, 640),
    "inference-800-bf16": inference_bf16(1, 800, 1344),
    "training": training(4, 512, 512),
    "post-processing-0.05": postprocess(0.05),
    "post-processing-1e-5": postprocess(1e-5),
    "evaluation": evaluation,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(COMPARISONS), default=list(COMPARISONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["seconds", "cpu"], default="seconds",
                        help="wall time, or, with one thread on a busy machine, processor time")
    parser.add_argument("--table", help="file for a Markdown table of all goals")
    options = parser.parse_args()
    os.makedirs(CACHE, exist_ok=True)
    rows = [row for name in options.only for row in COMPARISONS[name]().run(options)]
    print(f"\n{sum(row[-1] for row in rows)} of {len(rows)} goals met")
    if options.table:
        with open(options.table, "w") as file:
            file.write(markdown(rows) + "\n")


if __name__ == "__main__":
    main()
