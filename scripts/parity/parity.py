"""Compares what we compute from other frameworks' weights with what those frameworks compute, on random weights.

parity.py COMMAND BENCH [--only NAME ...]      (`make parity` builds both and calls this)
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import keras_models as km  # first: it chooses Keras' backend
import h5py
import keras
import numpy as np
import torch
import torchvision
import torchvision_models as tm

LIMIT = 1e-4
# Mean and deviation of deltas and of logits, about those of a trained detector.
TRAINED = [(0, 0.5), (-6, 1)]
CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


class Checks:
    """Prints what was compared, and remembers whether all of it was right."""

    def __init__(self, command, bench, folder):
        self.command, self.bench, self.folder = os.path.abspath(command), os.path.abspath(bench), folder
        self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def report(self, name, text, good):
        self.failures += not good
        print(f"  {'ok  ' if good else 'FAIL'}  {name}: {text}", flush=True)

    def run(self, *arguments):
        result = subprocess.run([self.command, *arguments], cwd=self.folder, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{' '.join(arguments)}: status {result.returncode}\n{result.stderr}")
        return result.stdout

    def forward(self, weights, pixels):
        """Our outputs by name. pixels: [images, 3, height, width], RGB."""
        with h5py.File(self.path("pixels.h5"), "w") as file:
            file["pixels"] = pixels
        subprocess.run(
            [self.bench, "forward", weights, self.path("pixels.h5"), self.path("outputs.h5")], check=True)
        with h5py.File(self.path("outputs.h5")) as file:
            return {name: dataset[()] for name, dataset in file.items()}

    def close(self, name, ours, theirs):
        """The largest difference relative to the largest value."""
        error = np.abs(ours.reshape(theirs.shape) - theirs).max() / np.abs(theirs).max()
        self.report(name, f"relative error {error:.1e}", error < LIMIT)

    def equal_files(self, name, ours, theirs):
        """Whether two HDF5 files hold the same datasets, byte by byte, whatever their groups are called."""
        def datasets(path):
            found = {}

            def visit(name, item):
                if isinstance(item, h5py.Dataset) and "optimizer" not in name and name.split("/")[-1] != "iteration":
                    parts = name.split(":")[0].split("/")
                    found["/".join(parts[-2:])] = (item.shape, str(item.dtype), item[()].tobytes())

            with h5py.File(path) as file:
                file.visititems(visit)
            return {n: v for n, v in found.items() if not n.endswith("num_batches_tracked")}

        ours, theirs = datasets(ours), datasets(theirs)
        same = sum(ours.get(key) == value for key, value in theirs.items())
        self.report(name, f"{same} of {len(theirs)} datasets byte-equal", len(ours) == same == len(theirs))

    def equal_weights(self, name, ours, theirs):
        same = sum(a.tobytes() == b.tobytes() and a.shape == b.shape for a, b in zip(ours, theirs))
        self.report(name, f"{same} of {len(theirs)} arrays byte-equal", same == len(theirs) == len(ours))

    def same_detections(self, name, weights, image, classes, theirs):
        """theirs: (box [x1, y1, x2, y2], score, class), by descending score."""
        torchvision.io.write_png(torch.from_numpy(image).permute(2, 0, 1).contiguous(), self.path("image.png"))
        with open(self.path("classes.txt"), "w") as file:
            file.writelines(f"{i}\n" for i in range(classes))
        report = json.loads(self.run(
            "detect", weights, "image.png", "--classes", "classes.txt", "--json", "--minimum-score", "0"))
        ours = [
            ([x, y, x + w, y + h], d["score"], int(d["category"]))
            for d in report[0]["detections"] for x, y, w, h in [d["bbox"]]]
        # Scores that differ by rounding may change places.
        left, matched, box_error, score_error = list(ours), 0, 0.0, 0.0
        for box, score, label in theirs:
            def distance(other):
                return max(abs(a - b) for a, b in zip(box, other[0]))
            candidates = [d for d in left if d[2] == label and abs(d[1] - score) < 1e-3]
            best = min(candidates, key=distance, default=None)
            if best is None or distance(best) > 0.05:
                continue
            matched += 1
            box_error, score_error = max(box_error, distance(best)), max(score_error, abs(best[1] - score))
            left.remove(best)
        self.report(
            name, f"{matched} of {len(theirs)} detections the same ({len(ours)} ours), boxes within {box_error:.1e} pixels, "
            f"scores within {score_error:.1e}", matched == len(theirs) == len(ours) > 50)


def noise(generator, shape):
    return generator.normal(0, 1, shape).astype(np.float32)


def photograph(generator, height, width):
    """Coloured blobs: something between noise and one colour."""
    small = torch.from_numpy(generator.uniform(0, 255, (1, 3, height // 16 + 1, width // 16 + 1)))
    large = torch.nn.functional.interpolate(small, (height, width), mode="bicubic")[0]
    return (large + torch.from_numpy(generator.normal(0, 8, (3, height, width)))).clamp(0, 255).byte().permute(1, 2, 0).numpy()


def to_keras(pixels):
    """RGB planes to BGR pixels."""
    return np.ascontiguousarray(pixels[:, ::-1].transpose(0, 2, 3, 1))


# MARK: Keras

def applications(checks, depth):
    generator = np.random.default_rng(depth)
    make = {50: keras.applications.ResNet50, 101: keras.applications.ResNet101}[depth]
    model = km.randomise(make(weights=None, include_top=False, input_shape=(None, None, 3)), generator)
    # Inputs as large as those of caffe's preprocessing.
    pixels = 50 * noise(generator, (2, 3, 160, 192))
    expected = km.features(model, depth).predict(to_keras(pixels), verbose=0)
    for name in ["legacy.h5", "numbered.weights.h5", "archive.keras"]:
        path = checks.path(name)
        (model.save_weights if name == "numbered.weights.h5" else model.save)(path)
        if name != "legacy.h5" and depth != 50:
            continue
        outputs = checks.forward(path, pixels)
        for stage, theirs in zip(["C2", "C3", "C4", "C5"], expected):
            checks.close(f"{name} {stage}", outputs[stage], theirs)
    checks.run("convert", "legacy.h5", "native.h5", "--to", "native")
    for name in ["back.h5", "back.weights.h5"]:
        checks.run("convert", "native.h5", name, "--to", "keras")
        again = make(weights=None, include_top=False, input_shape=(None, None, 3))
        again.load_weights(checks.path(name))
        checks.equal_weights(f"round trip through {name} and Keras", again.get_weights(), model.get_weights())
    checks.equal_files("round trip seen by h5py", checks.path("back.h5"), checks.path("legacy.h5"))


@case
def keras_resnet50(checks):
    applications(checks, 50)


@case
def keras_resnet101(checks):
    applications(checks, 101)


def retinanet_of_keras(checks, zero_padded):
    generator = np.random.default_rng(7)
    classes = 20
    model = km.randomise(km.keras_retinanet(classes=classes, zero_padded=zero_padded), generator)
    image = photograph(generator, 800, 832)
    prepared = image[None, ..., ::-1].astype(np.float32) - km.BLUE_GREEN_RED
    last = {layer.name: layer for layer in km.all_layers(model)}
    for name, results, wanted in zip(
            ["pyramid_regression", "pyramid_classification"], model.predict(prepared, verbose=0), TRAINED):
        kernel, bias = last[name].get_weights()
        last[name].set_weights([kernel * wanted[1] / results.std(), bias * 0 + wanted[0]])
    path = checks.path("retinanet.h5")
    model.save(path)
    pixels = 50 * noise(generator, (2, 3, 224, 320))
    deltas, logits = model.predict(to_keras(pixels), verbose=0)
    outputs = checks.forward(path, pixels)
    checks.close("logits", outputs["logits"], logits)
    checks.close("deltas", outputs["deltas"], deltas)
    deltas, logits = model.predict(prepared, verbose=0)
    checks.same_detections(
        "detections", path, image, classes, km.keras_retinanet_detections(deltas[0], logits[0], *image.shape[:2]))
    checks.run("convert", "retinanet.h5", "native.h5", "--to", "native")
    checks.run("convert", "native.h5", "back.h5", "--to", "keras")
    again = km.keras_retinanet(classes=classes, zero_padded=zero_padded)
    again.load_weights(checks.path("back.h5"))
    checks.equal_weights("round trip through Keras", again.get_weights(), model.get_weights())
    checks.equal_files("round trip seen by h5py", checks.path("back.h5"), path)


@case
def keras_retinanet(checks):
    retinanet_of_keras(checks, zero_padded=False)


@case
def keras_retinanet_zero_padded(checks):
    retinanet_of_keras(checks, zero_padded=True)


# MARK: torchvision

@case
def torchvision_retinanet(checks):
    generator = torch.Generator().manual_seed(1)
    make = torchvision.models.detection.retinanet_resnet50_fpn
    classes = 91
    model = tm.randomise(make(weights=None, weights_backbone=None, num_classes=classes), generator)
    numbers = np.random.default_rng(1)
    pixels = noise(numbers, (2, 3, 224, 320))
    image = photograph(numbers, 480, 640)
    planes = torch.from_numpy(image).permute(2, 0, 1) / 255
    last = [model.head.regression_head.bbox_reg, model.head.classification_head.cls_logits]
    logits, deltas = tm.raw_outputs(model, model.transform([planes])[0].tensors)
    with torch.no_grad():
        for layer, results, wanted in zip(last, [deltas, logits], TRAINED):
            layer.weight *= wanted[1] / results.std()
            layer.bias.fill_(wanted[0])
    path = checks.path("torchvision.h5")
    tm.export(model, path)
    logits, deltas = tm.raw_outputs(model, torch.from_numpy(pixels))
    outputs = checks.forward(path, pixels)
    checks.close("logits", outputs["logits"], logits.numpy())
    checks.close("deltas", outputs["deltas"], deltas.numpy())
    with torch.no_grad():
        found = model([planes])[0]
    theirs = list(zip(found["boxes"].tolist(), found["scores"].tolist(), found["labels"].tolist()))
    checks.same_detections("detections", path, image, classes, theirs)
    checks.run("convert", "torchvision.h5", "native.h5", "--to", "native")
    checks.run("convert", "native.h5", "back.h5", "--to", "torchvision")
    again = make(weights=None, weights_backbone=None, num_classes=classes)
    with h5py.File(checks.path("back.h5")) as file:
        state = {name: torch.from_numpy(dataset[()]) for name, dataset in file.items()}
    missing, unexpected = again.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    checks.report("round trip through PyTorch", f"missing {missing}, unexpected {unexpected}", not missing + unexpected)
    checks.equal_files("round trip seen by h5py", checks.path("back.h5"), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command")
    parser.add_argument("bench")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    failures = 0
    for name in options.only:
        print(name)
        with tempfile.TemporaryDirectory() as folder:
            checks = Checks(options.command, options.bench, folder)
            CASES[name](checks)
            failures += checks.failures
    sys.exit(f"{failures} comparisons failed" if failures else 0)


main()
