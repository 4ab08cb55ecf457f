"""Writes Tests/Weights/Goldens: narrow models in every layout that is read, with what their frameworks compute.

make_goldens.py      (with the packages of scripts/benchmarks/requirements.txt: .build/peers)
"""
import gzip
import json
import os
import shutil
import tempfile

import keras_models as km  # first: it chooses Keras' backend
import h5py
import numpy as np
from hashed_values import mosaic, pixels, rounded, sample

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(HERE, "../../Tests/Weights/Goldens")
WIDTH, CHANNELS, CLASSES = 2, 8, 3
# Binary places of parameters: compression then makes the files small.
DIGITS = 5
SHAPE = (2, 3, 64, 96)


def keep(path):
    """Compressed, as half of a small HDF5 file is zeros."""
    with open(path, "rb") as file, open(os.path.join(GOLDENS, os.path.basename(path) + ".gz"), "wb") as target:
        with gzip.GzipFile("", "wb", 9, target, mtime=0) as packed:
            shutil.copyfileobj(file, packed)


def detections(found):
    return [{"box": [rounded(v) for v in box], "score": rounded(score), "label": label} for box, score, label in found]


def to_keras(planes):
    return np.ascontiguousarray(planes[:, ::-1].transpose(0, 2, 3, 1))


def applications(folder):
    """One model in the four layouts of Keras, with a classifier that no detector takes."""
    from keras.src.legacy.saving import legacy_h5_format

    model = km.randomise(km.applications_resnet(50, WIDTH, classes=5), np.random.default_rng(1), DIGITS)
    model.compile("adam", "mse")
    path = lambda name: os.path.join(folder, name)
    with h5py.File(path("keras-legacy-weights.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    model.save(path("keras-legacy-model.h5"))
    model.save_weights(path("keras3.weights.h5"))
    model.save(path("keras3.keras"))
    expected = km.features(model, 50).predict(to_keras(pixels("pixels", SHAPE)), verbose=0)
    outputs = {
        name: sample(name, values.reshape(SHAPE[0], -1, values.shape[-1]))
        for name, values in zip(["C2", "C3", "C4", "C5"], expected)}
    return {name: {"convention": "keras-applications", "leftovers": ["predictions/bias", "predictions/kernel"],
                   "outputs": outputs}
            for name in ["keras-legacy-weights.h5", "keras-legacy-model.h5", "keras3.weights.h5", "keras3.keras"]}


def retinanet_of_keras(folder, name, zero_padded):
    model = km.randomise(
        km.keras_retinanet(50, CLASSES, WIDTH, CHANNELS, zero_padded=zero_padded), np.random.default_rng(2), DIGITS)
    image = mosaic("mosaic", 800, 832, 32)
    prepared = image[None, ..., ::-1].astype(np.float32) - km.BLUE_GREEN_RED
    last = {layer.name: layer for layer in km.all_layers(model)}
    # Logits and deltas like those of a trained detector.
    for layer, results, mean, deviation in zip(
            ["pyramid_regression", "pyramid_classification"], model.predict(prepared, verbose=0), [0, -7], [0.5, 1]):
        kernel, bias = last[layer].get_weights()
        last[layer].set_weights([kernel * deviation / results.std(), bias * 0 + mean])
    model.save(os.path.join(folder, name))
    deltas, logits = model.predict(to_keras(pixels("pixels", SHAPE)), verbose=0)
    outputs = {"logits": sample("logits", logits), "deltas": sample("deltas", deltas)}
    deltas, logits = model.predict(prepared, verbose=0)
    return {name: {
        "convention": "keras-retinanet" + ("-zero-padded" if zero_padded else ""), "leftovers": [], "outputs": outputs,
        "image": {"height": 800, "width": 832, "side": 32},
        "detections": detections(km.keras_retinanet_detections(deltas[0], logits[0], 800, 832))}}


def retinanet_of_torchvision(folder, name):
    import torch
    import torchvision_models as tm

    model = tm.randomise(
        tm.narrow_retinanet(WIDTH, CHANNELS, CLASSES), torch.Generator().manual_seed(3), DIGITS)
    image = mosaic("mosaic", 75, 100, 5)
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))) / 255
    logits, deltas = tm.raw_outputs(model, model.transform([planes])[0].tensors)
    with torch.no_grad():
        for layer, results, mean, deviation in [
                (model.head.regression_head.bbox_reg, deltas, 0, 0.5),
                (model.head.classification_head.cls_logits, logits, -11, 1)]:
            layer.weight *= deviation / results.std()
            layer.bias.fill_(mean)
    tm.export(model, os.path.join(folder, name), ["background", "cat", "dog"])
    logits, deltas = tm.raw_outputs(model, torch.from_numpy(pixels("pixels", SHAPE)))
    with torch.no_grad():
        found = model([planes])[0]
    return {name: {
        "convention": "torchvision", "leftovers": [],
        "outputs": {"logits": sample("logits", logits), "deltas": sample("deltas", deltas)},
        "image": {"height": 75, "width": 100, "side": 5},
        "detections": detections(zip(found["boxes"].tolist(), found["scores"].tolist(), found["labels"].tolist()))}}


def main():
    os.makedirs(GOLDENS, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        expected = {
            **applications(folder), **retinanet_of_keras(folder, "keras-retinanet.h5", False),
            **retinanet_of_keras(folder, "keras-retinanet-zero-padded.h5", True),
            **retinanet_of_torchvision(folder, "torchvision.h5")}
        for name in expected:
            keep(os.path.join(folder, name))
    with open(os.path.join(GOLDENS, "expected.json"), "w") as file:
        json.dump(expected, file, separators=(",", ":"), sort_keys=True)


if __name__ == "__main__":
    main()
