"""Runs us and the peers in turn and prints ratios; see docs/benchmarks.md.

bench.py [--only inference-640 ...] [--rounds N]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

import work

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, ".build", "benchmarks")
WEIGHTS = os.path.join(CACHE, "weights.h5")
OURS = os.path.join(ROOT, ".build", "release", "bench")
PEER = [sys.executable, os.path.join(HERE, "peer.py")]


class Worker:
    """A process that does one run whenever it is told to."""

    def __init__(self, name, command, threads):
        self.name = name
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        while (line := self.answer()) != "ready":
            print(f"  [{name}] {line}")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}")
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def seconds(self, clock):
        return json.loads(self.ask("run"))[clock]

    def check(self):
        return json.loads(self.ask("check"))

    def peak_megabytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def largest_difference(ours, theirs):
    """Relative to the largest value, over all that both report."""
    worst = 0.0
    for name in ours.keys() & theirs.keys():
        pairs = list(zip(ours[name], theirs[name]))
        scale = max(abs(b) for _, b in pairs) or 1
        worst = max(worst, max(abs(a - b) for a, b in pairs) / scale)
    return worst


def compare(title, ours, peers, options):
    """Prints a table: each peer's seconds over ours, the median of rounds in which all took their turn."""
    print(f"\n{title}, threads: {options.threads}" + (", processor time" if options.clock == "cpu" else ""))
    workers = [Worker(name, command, options.threads) for name, command in [("ours", ours)] + peers]
    checks = [worker.check() for worker in workers]
    times = {worker.name: [] for worker in workers}
    for round in range(options.rounds):
        # Every other round backwards, so that nobody always follows the same neighbour.
        for worker in workers if round % 2 == 0 else workers[::-1]:
            times[worker.name].append(worker.seconds(options.clock))
    print(f"  {'':28s} {'seconds':>8s} {'ratio':>6s} {'lowest':>7s} {'highest':>8s} {'peak MB':>8s}  difference")
    for worker, check in zip(workers, checks):
        ratios = [theirs / own for own, theirs in zip(times["ours"], times[worker.name])]
        difference = "" if worker is workers[0] or not check else f"{largest_difference(checks[0], check):.1e}"
        print(f"  {worker.name:28s} {statistics.median(times[worker.name]):8.3f} {statistics.median(ratios):6.2f} "
              f"{min(ratios):7.2f} {max(ratios):8.2f} {worker.peak_megabytes():8.0f}  {difference}", flush=True)
        worker.close()


def batch_arguments(images, height, width):
    return ["--weights", WEIGHTS, "--images", str(images), "--height", str(height), "--width", str(width)]


def inference(images, height, width, precision="fp32"):
    def run(options):
        arguments = batch_arguments(images, height, width)
        subprocess.run(PEER + ["export", "--cache", CACHE] + arguments, check=True)
        engines = ["torch", "onnxruntime", "openvino"] if precision == "fp32" else ["torch", "openvino"]
        peers = [(f"{engine} {precision}",
                  PEER + ["inference", "--engine", engine, "--precision", precision, "--cache", CACHE] + arguments)
                 for engine in engines]
        compare(f"Inference {precision}, {images} x {height}x{width}",
                [OURS, "inference", "--precision", precision] + arguments, peers, options)
    return run


def training(images, height, width):
    def run(options):
        arguments = batch_arguments(images, height, width)
        compare(f"Training step, {images} x {height}x{width}", [OURS, "training"] + arguments,
                [("torch", PEER + ["training"] + arguments)], options)
    return run


def postprocess(threshold):
    def run(options):
        compare(f"Post-processing, 201,600 anchors x 80 classes, threshold {threshold}",
                [OURS, "post-process", "--threshold", str(threshold)],
                [("torchvision", PEER + ["postprocess", "--threshold", str(threshold)])], options)
    return run


def evaluation(options):
    paths = [os.path.join(CACHE, name) for name in ["objects.f64", "detections.f64"]]
    for path, rows in zip(paths, work.evaluation_rows()):
        rows.tofile(path)
    compare("COCO evaluation, 5,000 images x 100 detections",
            [OURS, "evaluation", "--objects", paths[0], "--detections", paths[1]],
            [(engine, PEER + ["evaluation", "--engine", engine]) for engine in ["faster-coco-eval", "pycocotools"]], options)


WORKS = {
    "inference-640": inference(1, 640, 640),
    "inference-640-batch-4": inference(4, 640, 640),
    "inference-800": inference(1, 800, 1344),
    "inference-800-batch-4": inference(4, 800, 1344),
    "inference-640-bf16": inference(1, 640, 640, "bf16"),
    "inference-800-bf16": inference(1, 800, 1344, "bf16"),
    "training": training(4, 512, 512),
    "post-processing-0.05": postprocess(0.05),
    "post-processing-1e-5": postprocess(1e-5),
    "evaluation": evaluation,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["seconds", "cpu"], default="seconds",
                        help="wall time, or, with one thread on a busy machine, processor time")
    options = parser.parse_args()
    os.makedirs(CACHE, exist_ok=True)
    if not os.path.exists(WEIGHTS):
        subprocess.run([OURS, "prepare", WEIGHTS], check=True)
    for name in options.only:
        WORKS[name](options)


if __name__ == "__main__":
    main()
