"""Adds to Tests/Weights/Goldens what Keras 2 and Keras 1 wrote, with what they compute. Two versions of Keras each write theirs:

    pip install tensorflow-cpu==2.15.1 && make_keras2_goldens.py
    pip install tensorflow-cpu==2.13.1 && make_keras2_goldens.py
"""
import json
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras_models as km
import h5py
import keras
import numpy as np
from hashed_values import mosaic, pixels, sample
from keras import layers
from make_goldens import CHANNELS, CLASSES, DIGITS, GOLDENS, SHAPE, WIDTH, detections, keep, to_keras

PREDICTIONS = ["predictions/bias", "predictions/kernel"]


def outputs(model):
    expected = model.predict(to_keras(pixels("pixels", SHAPE)), verbose=0)
    return {
        name: sample(name, values.reshape(SHAPE[0], -1, values.shape[-1]))
        for name, values in zip(["C2", "C3", "C4", "C5"], expected)}


def in_a_classifier(backbone):
    """A ResNet as one layer of another model, as tutorials fine-tune it."""
    return keras.Sequential([
        keras.Input((64, 64, 3)), backbone, layers.GlobalAveragePooling2D(), layers.Dense(3, name="predictions")])


def nested_applications(path):
    model = km.randomise(km.applications_resnet(50, WIDTH), np.random.default_rng(4), DIGITS)
    whole = in_a_classifier(keras.Model(model.input, model.outputs[-1], name="resnet50"))
    whole.compile("adam", "mse")
    whole.save_weights(path) if path.endswith(".weights.h5") else whole.save(path)
    return {"convention": "keras-applications", "outputs": outputs(model)}


def first_applications(path):
    """With the pooling of Keras 2.2: a whole model, which states all settings."""
    model = km.randomise(km.first_resnet50(WIDTH, pool="zeros"), np.random.default_rng(5), DIGITS)
    in_a_classifier(keras.Model(model.input, model.outputs[-1], name="resnet50")).save(path)
    return {"convention": "keras-resnet50", "leftovers": PREDICTIONS, "outputs": outputs(model)}


def keras1(path):
    """Weights alone as Keras 1's save_weights wrote them, by way of TensorFlow."""
    model = km.randomise(km.first_resnet50(WIDTH), np.random.default_rng(6), DIGITS)
    names = {"kernel": "W", "bias": "b", "gamma": "gamma", "beta": "beta", "moving_mean": "running_mean",
             "moving_variance": "running_std"}
    calls = {"ZeroPadding2D": "zeropadding2d", "MaxPooling2D": "maxpooling2d", "Activation": "activation",
             "Add": "merge", "InputLayer": "input"}
    counts = {}
    with h5py.File(path, "w") as file:
        listed = []
        for layer in model.layers:
            name, kind = layer.name, calls.get(type(layer).__name__)
            if kind:
                counts[kind] = counts.get(kind, 0) + 1
                name = f"{kind}_{counts[kind]}"
            listed.append(name.encode())
            group = file.create_group(name)
            weights = [(f"{name}_{names[w.name.split('/')[-1].split(':')[0]]}:0", w.numpy()) for w in layer.weights]
            group.attrs["weight_names"] = np.array([n.encode() for n, _ in weights])
            for n, values in weights:
                group[n] = values
        file.attrs["layer_names"] = np.array(listed)
    return {"convention": "keras-resnet50", "leftovers": [], "outputs": outputs(model)}


# MARK: keras-retinanet with anchors of its user's

RATIOS, SCALES, DEVIATION = [0.25, 1.0], [1.0, 1.5], 0.25


def stating(kind):
    """A layer of keras-retinanet's that has settings: what it computes is not in the file."""
    class Layer(layers.Layer):
        def __init__(self, settings=None, **named):
            super().__init__(**named)
            self.settings = settings

        def call(self, inputs):
            return inputs

        def get_config(self):
            return {**super().get_config(), **self.settings}
    Layer.__name__ = kind
    return Layer


def retinanet_with_anchors(path):
    count = len(RATIOS) * len(SCALES)
    training = km.randomise(
        km.keras_retinanet(50, CLASSES, WIDTH, CHANNELS, anchors=count), np.random.default_rng(7), DIGITS)
    image = mosaic("mosaic", 800, 832, 32)
    prepared = image[None, ..., ::-1].astype(np.float32) - km.BLUE_GREEN_RED
    last = {layer.name: layer for layer in km.all_layers(training)}
    for layer, results, mean, deviation in zip(
            ["pyramid_regression", "pyramid_classification"], training.predict(prepared, verbose=0), [0, -5.5], [0.5, 1]):
        kernel, bias = last[layer].get_weights()
        last[layer].set_weights([kernel * deviation / results.std(), bias * 0 + mean])
    anchors = [
        stating("Anchors")(
            {"size": 4 << level, "stride": 1 << level, "ratios": RATIOS, "scales": SCALES}, name=f"anchors_{level - 3}")(
            last[f"P{level}"].output) for level in range(3, 8)]
    boxes = stating("RegressBoxes")({"mean": [0, 0, 0, 0], "std": [DEVIATION] * 4}, name="boxes")(training.outputs[0])
    found = stating("FilterDetections")(
        {"nms": True, "class_specific_filter": True, "nms_threshold": 0.5, "score_threshold": 0.05, "max_detections": 300},
        name="filtered_detections")(training.outputs[1])
    keras.Model(training.input, [*anchors, boxes, found], name="retinanet-bbox").save(path)
    deltas, logits = training.predict(to_keras(pixels("pixels", SHAPE)), verbose=0)
    result = {"logits": sample("logits", logits), "deltas": sample("deltas", deltas)}
    deltas, logits = training.predict(prepared, verbose=0)
    return {
        "convention": "keras-retinanet", "leftovers": [], "outputs": result,
        "image": {"height": 800, "width": 832, "side": 32},
        "detections": detections(
            km.keras_retinanet_detections(deltas[0], logits[0], 800, 832, RATIOS, SCALES, DEVIATION))}


def main():
    version = ".".join(keras.__version__.split(".")[:2])
    written = {
        "2.13": {"keras-2.13-nested.keras": lambda path: {**nested_applications(path), "leftovers": PREDICTIONS}},
        "2.15": {
            "keras-2.15-nested.weights.h5": lambda path: {
                **nested_applications(path), "leftovers": ["layers/dense/bias", "layers/dense/kernel"]},
            "keras-2.15-first-resnet50.h5": first_applications, "keras-1-weights.h5": keras1,
            "keras-retinanet-anchors.h5": retinanet_with_anchors},
    }[version]
    with open(os.path.join(GOLDENS, "expected.json")) as file:
        expected = json.load(file)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in written.items():
            expected[name] = write(os.path.join(folder, name))
            keep(os.path.join(folder, name))
    with open(os.path.join(GOLDENS, "expected.json"), "w") as file:
        json.dump(expected, file, separators=(",", ":"), sort_keys=True)


main()
