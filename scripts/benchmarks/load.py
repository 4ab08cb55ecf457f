"""Loading ResNet-50's weights: us, h5py, and one read() of the whole file, in turn; prints ratios.

load.py [--rounds N]
"""
import argparse
import json
import os
import statistics
import sys
import time

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.path.dirname(os.path.dirname(HERE)), ".build", "benchmarks")
STAGES = [(3, 64), (4, 128), (6, 256), (3, 512)]


def resnet50():
    """Names and shapes of torchvision's state dictionary, less the classifier."""
    def normalised(convolution, norm, out, inputs, kernel):
        yield f"{convolution}.weight", (out, inputs, kernel, kernel)
        for name in ["weight", "bias", "running_mean", "running_var"]:
            yield f"{norm}.{name}", (out,)

    yield from normalised("conv1", "bn1", 64, 3, 7)
    inputs = 64
    for stage, (blocks, channels) in enumerate(STAGES, 1):
        for block in range(blocks):
            path = f"layer{stage}.{block}"
            yield from normalised(f"{path}.conv1", f"{path}.bn1", channels, inputs, 1)
            yield from normalised(f"{path}.conv2", f"{path}.bn2", channels, channels, 3)
            yield from normalised(f"{path}.conv3", f"{path}.bn3", 4 * channels, channels, 1)
            if block == 0:
                yield from normalised(f"{path}.downsample.0", f"{path}.downsample.1", 4 * channels, inputs, 1)
            inputs = 4 * channels


def write(path):
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, shape in resnet50():
            file.create_dataset(name, data=generator.standard_normal(shape, dtype=np.float32))


def with_h5py(path):
    with h5py.File(path) as file:
        return {name: dataset[()] for name, dataset in file.items()}


def plain(path):
    """read() into memory from malloc()."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def huge(path):
    """read() into memory that numpy asks huge pages for: as fast as it gets."""
    target = memoryview(np.empty(os.path.getsize(path), np.uint8))
    done = 0
    with open(path, "rb", buffering=0) as file:
        while done < len(target):
            done += file.readinto(target[done:])
    return target


def serve(work):
    """A worker like bench's: a line in, a run, its seconds out."""
    print("ready", flush=True)
    for _ in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        work()
        print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--worker", choices=["h5py", "read", "huge"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    path = os.path.join(CACHE, "resnet50.h5")
    if options.worker:
        work = {"h5py": with_h5py, "read": plain, "huge": huge}[options.worker]
        return serve(lambda: work(path))

    from bench import OURS
    from worker import Process

    os.makedirs(CACHE, exist_ok=True)
    write(path)
    me = [sys.executable, os.path.abspath(__file__), "--worker"]
    commands = {"ours": [OURS, "load", path], **{name: me + [name] for name in ["h5py", "read", "huge"]}}
    rounds = []
    for _ in range(options.rounds):
        times = {}
        for name, command in commands.items():
            worker = Process(name, command, options.threads)
            times[name] = [worker.run("seconds") for _ in range(4)]
            worker.close()
        rounds.append(times)
    print(f"ResNet-50, {os.path.getsize(path) / 1e6:.0f} MB, medians of {options.rounds} rounds, {options.threads} threads")
    for title, run in [("first load of a process", 0), ("fourth load of a process", 3)]:
        print(f"{title}:")
        for name in commands:
            print(f"  {name:5} {1e3 * statistics.median(r[name][run] for r in rounds):7.1f} ms")
        for name in ["read", "h5py", "huge"]:
            print(f"  ours / {name}: {statistics.median(r['ours'][run] / r[name][run] for r in rounds):.2f}")


main()
