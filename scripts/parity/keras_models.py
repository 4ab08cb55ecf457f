"""Keras' models with random parameters, of any width: keras.applications' ResNets, and keras-retinanet, whose package is
no longer maintained, from Keras' layers under its names (keras-retinanet 1.0.0, keras-resnet 0.1.0 and 0.2.0)."""
import logging
import os

os.environ.setdefault("KERAS_BACKEND", "torch")
logging.getLogger("absl").setLevel(logging.ERROR)  # that the legacy layout is an old one
import keras
import numpy as np
from keras import layers

BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
BLUE_GREEN_RED = np.float32([103.939, 116.779, 123.68])


def all_layers(model):
    for layer in model.layers:
        yield from all_layers(layer) if isinstance(layer, keras.Model) else [layer]


def randomise(model, generator, digits=None):
    """New values for every parameter, statistics of batch normalisation too, so that nothing cancels.

    digits: round to so many binary places, which makes goldens small."""
    def uniform(low, high, shape):
        values = generator.uniform(low, high, shape)
        return values if digits is None else np.round(values * 2**digits) / 2**digits

    for layer in all_layers(model):
        values = []
        for weight in layer.weights:
            # Keras 2's variables have a name only.
            kind, shape = getattr(weight, "path", weight.name).split("/")[-1].split(":")[0], tuple(weight.shape)
            if kind == "kernel":
                bound = np.sqrt((6 if len(shape) == 4 else 3) / np.prod(shape[:-1]))
                values.append(uniform(-bound, bound, shape))
            elif kind == "moving_variance":
                values.append(uniform(0.5, 1.5, shape))
            elif kind == "gamma":
                # A block's last normalisation is small, so that activations do not grow with every block.
                last = layer.name.endswith(("_3_bn", "_branch2c"))
                values.append(uniform(0.125, 0.5, shape) if last else uniform(0.5, 1.5, shape))
            else:
                values.append(uniform(-0.25, 0.25, shape))
        layer.set_weights(values)
    return model


# MARK: keras.applications

def applications_resnet(depth, width=64, classes=None):
    """As keras.applications.ResNet50, 101, 152, which do not have a width. Outputs: C2...C5, or probabilities."""
    def bottleneck(x, channels, stride, project, name):
        def convolution(x, number, kernel, out, stride=1, padding="valid"):
            x = layers.Conv2D(out, kernel, strides=stride, padding=padding, name=f"{name}_{number}_conv")(x)
            return layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_{number}_bn")(x)

        shortcut = convolution(x, 0, 1, 4 * channels, stride) if project else x
        y = layers.Activation("relu", name=f"{name}_1_relu")(convolution(x, 1, 1, channels, stride))
        y = layers.Activation("relu", name=f"{name}_2_relu")(convolution(y, 2, 3, channels, padding="same"))
        y = layers.Add(name=f"{name}_add")([shortcut, convolution(y, 3, 1, 4 * channels)])
        return layers.Activation("relu", name=f"{name}_out")(y)

    image = keras.Input((None, None, 3))
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(width, 7, strides=2, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    stages = []
    for stage, count in enumerate(BLOCKS[depth]):
        for block in range(count):
            stride = 2 if block == 0 and stage > 0 else 1
            x = bottleneck(x, width << stage, stride, block == 0, f"conv{stage + 2}_block{block + 1}")
        stages.append(x)
    if classes is None:
        return keras.Model(image, stages)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax", name="predictions")(x))


def features(model, depth):
    """The same model with C2...C5 as outputs."""
    ends = [f"conv{stage + 2}_block{count}_out" for stage, count in enumerate(BLOCKS[depth])]
    return keras.Model(model.input, [model.get_layer(name).output for name in ends])


def first_resnet50(width, stem="zeros", pool="valid"):
    """keras.applications' ResNet50 before keras-applications' resnet_common, of any width. Outputs: C2...C5.

    stem: "zeros" as in Keras 1 and from 2.1 on, "same" as in Keras 2.0; pool: "valid", from Keras 2.2 on "zeros", and in
    Mask R-CNN, which is derived from it, "same"."""
    def normalised(x, channels, kernel, name, **options):
        x = layers.Conv2D(channels, kernel, name=f"res{name}", **options)(x)
        return layers.BatchNormalization(name=f"bn{name}")(x)

    image = keras.Input((None, None, 3))
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image) if stem == "zeros" else image
    x = layers.Conv2D(width, 7, strides=2, padding="valid" if stem == "zeros" else "same", name="conv1")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(name="bn_conv1")(x))
    if pool == "zeros":
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same" if pool == "same" else "valid")(x)
    outputs = []
    for stage, count in enumerate(BLOCKS[50]):
        channels = width << stage
        for block in range(count):
            stride, name = 2 if block == 0 and stage > 0 else 1, f"{stage + 2}{chr(ord('a') + block)}_branch"
            y = layers.Activation("relu")(normalised(x, channels, 1, name + "2a", strides=stride))
            y = layers.Activation("relu")(normalised(y, channels, 3, name + "2b", padding="same"))
            y = normalised(y, 4 * channels, 1, name + "2c")
            x = layers.Add()([y, normalised(x, 4 * channels, 1, name + "1", strides=stride) if block == 0 else x])
            x = layers.Activation("relu")(x)
        outputs.append(x)
    return keras.Model(image, outputs)


# MARK: keras-retinanet

def keras_resnet(image, depth, width, zero_padded):
    """keras_resnet.models.ResNet2D.

    zero_padded: as before version 0.2.0, with a layer of zeros around the image instead of "same"."""
    def normalised(x, kernel, channels, stride, name, **padding):
        x = layers.Conv2D(channels, kernel, strides=stride, use_bias=False, name=f"res{name}", **padding)(x)
        return layers.BatchNormalization(epsilon=1e-5, name=f"bn{name}")(x)

    x = layers.ZeroPadding2D(3, name="padding_conv1")(image) if zero_padded else image
    x = layers.Conv2D(
        width, 7, strides=2, use_bias=False, name="conv1", padding="valid" if zero_padded else "same")(x)
    x = layers.BatchNormalization(epsilon=1e-5, name="bn_conv1")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    outputs = []
    for stage, count in enumerate(BLOCKS[depth]):
        channels = width << stage
        for block in range(count):
            stride = 2 if block == 0 and stage > 0 else 1
            numbered = block > 0 and (depth < 50 or (depth > 50 and stage in (1, 2)))
            name = f"{stage + 2}{f'b{block}' if numbered else chr(ord('a') + block)}"
            out = 4 * channels if depth >= 50 else channels
            if depth >= 50:
                y = normalised(x, 1, channels, stride, f"{name}_branch2a")
                y = layers.Activation("relu", name=f"res{name}_branch2a_relu")(y)
                y = layers.ZeroPadding2D(1, name=f"padding{name}_branch2b")(y)
                y = normalised(y, 3, channels, 1, f"{name}_branch2b")
                y = layers.Activation("relu", name=f"res{name}_branch2b_relu")(y)
                y = normalised(y, 1, out, 1, f"{name}_branch2c")
            else:
                y = layers.ZeroPadding2D(1, name=f"padding{name}_branch2a")(x)
                y = normalised(y, 3, channels, stride, f"{name}_branch2a")
                y = layers.Activation("relu", name=f"res{name}_branch2a_relu")(y)
                y = layers.ZeroPadding2D(1, name=f"padding{name}_branch2b")(y)
                y = normalised(y, 3, channels, 1, f"{name}_branch2b")
            shortcut = normalised(x, 1, out, stride, f"{name}_branch1") if block == 0 else x
            x = layers.Activation("relu", name=f"res{name}_relu")(layers.Add(name=f"res{name}")([y, shortcut]))
        outputs.append(x)
    return outputs


def keras_retinanet(depth=50, classes=80, width=64, channels=256, anchors=9, zero_padded=False):
    """keras_retinanet.models.retinanet.retinanet. Outputs: deltas, logits; the original goes on to probabilities."""
    def submodel(kind, outputs, values):
        inputs = keras.Input((None, None, channels))
        x = inputs
        for i in range(4):
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"pyramid_{kind}_{i}")(x)
        x = layers.Conv2D(outputs, 3, padding="same", name=f"pyramid_{kind}")(x)
        return keras.Model(inputs, layers.Reshape((-1, values), name=f"pyramid_{kind}_reshape")(x), name=f"{kind}_submodel")

    def convolution(x, name, kernel, stride=1):
        return layers.Conv2D(channels, kernel, strides=stride, padding="same", name=name)(x)

    image = keras.Input((None, None, 3))
    _, c3, c4, c5 = keras_resnet(image, depth, width, zero_padded)
    merged5 = convolution(c5, "C5_reduced", 1)
    merged4 = layers.Add(name="P4_merged")(
        [layers.UpSampling2D(name="P5_upsampled")(merged5), convolution(c4, "C4_reduced", 1)])
    merged3 = layers.Add(name="P3_merged")(
        [layers.UpSampling2D(name="P4_upsampled")(merged4), convolution(c3, "C3_reduced", 1)])
    p6 = convolution(c5, "P6", 3, 2)
    p7 = convolution(layers.Activation("relu", name="C6_relu")(p6), "P7", 3, 2)
    levels = [convolution(merged3, "P3", 3), convolution(merged4, "P4", 3), convolution(merged5, "P5", 3), p6, p7]
    heads = [submodel("regression", anchors * 4, 4), submodel("classification", anchors * classes, classes)]
    outputs = [
        layers.Concatenate(axis=1, name=name)([head(level) for level in levels])
        for name, head in zip(["regression", "classification"], heads)]
    return keras.Model(image, outputs, name="retinanet")


def keras_retinanet_detections(
        deltas, logits, height, width, ratios=(0.5, 1, 2), scales=(2**0, 2 ** (1 / 3), 2 ** (2 / 3)), deviation=0.2):
    """What retinanet_bbox adds to one image's outputs: boxes [n, 4], scores, labels, by descending score."""
    ratios, scales = np.array(ratios), np.array(scales)
    anchors = []
    for level in range(3, 8):
        stride, size = 2**level, 4.0 * 2**level
        sides = size * np.tile(scales, len(ratios))
        w = np.sqrt(sides**2 / np.repeat(ratios, len(scales)))
        h = w * np.repeat(ratios, len(scales))
        base = np.stack([-w / 2, -h / 2, w / 2, h / 2], axis=1)
        rows, columns = -(-height // stride), -(-width // stride)
        x, y = np.meshgrid((np.arange(columns) + 0.5) * stride, (np.arange(rows) + 0.5) * stride)
        shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
        anchors.append((shifts + base).reshape(-1, 4))
    anchors = np.concatenate(anchors).astype(np.float32)
    sides = np.concatenate([anchors[:, 2:] - anchors[:, :2]] * 2, axis=1)
    boxes = anchors + deltas * np.float32(deviation) * sides
    boxes = np.clip(boxes, 0, np.float32([width - 1, height - 1] * 2))
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    found = []
    for label in range(scores.shape[1]):
        kept = np.where(scores[:, label] > 0.05)[0]
        kept = kept[suppressed(boxes[kept], scores[kept, label], 0.5)[:300]]
        found += [(boxes[i].tolist(), scores[i, label].item(), label) for i in kept]
    return sorted(found, key=lambda d: -d[1])[:300]


def suppressed(boxes, scores, threshold):
    """Indexes that greedy suppression leaves, by descending score."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        low, high = np.maximum(boxes[first, :2], boxes[left, :2]), np.minimum(boxes[first, 2:], boxes[left, 2:])
        common = np.maximum(high - low, 0).prod(axis=1)
        left = left[common / (areas[first] + areas[left] - common) <= threshold]
    return np.array(kept, dtype=int)
