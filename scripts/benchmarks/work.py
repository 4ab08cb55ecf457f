"""What both sides of a benchmark are given: the same weights, pixels and boxes as Sources/bench has them."""
import numpy as np

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def pixels(images, height, width):
    """Normalised noise, [images, 3, height, width]."""
    batch = []
    for image in range(images):
        index = np.arange(height * width * 3, dtype=np.uint32) + np.uint32(1 + image)
        values = (index * np.uint32(2654435761)) >> np.uint32(24)
        values = values.reshape(height, width, 3).astype(np.float32)
        batch.append(((values / 255 - MEAN) / DEVIATION).transpose(2, 0, 1))
    return np.ascontiguousarray(np.stack(batch), np.float32)


def boxes(image, height, width, classes, count=8):
    """Corners [count, 4] and class indexes of an image's objects."""
    corners, labels = [], []
    for i in range(count):
        side = (1 + (i + image) % 8) / 16
        x, y = (i * 5 + image * 3) % 8 / 16 * width, (i * 3 + image) % 8 / 16 * height
        corners.append([x, y, x + side * width, y + side * height])
        labels.append((i * 7 + image) % classes)
    return np.array(corners, np.float32), np.array(labels, np.int64)


def uniform(count, factor):
    return ((np.arange(1, count + 1, dtype=np.uint32)) * np.uint32(factor)) / 4294967296.0


def head_outputs(anchors, classes):
    """Logits as of a network just started with the optimal bias, one element in 4096 standing out; deltas."""
    count = anchors * classes
    logits = -12 + 2 * uniform(count, 2654435761)
    logits += np.where(uniform(count, 2246822519) < 1 / 4096, 12 * uniform(count, 3266489917), 0)
    deltas = uniform(anchors * 4, 2654435761) - 0.5
    return logits.astype(np.float32).reshape(1, anchors, classes), deltas.astype(np.float32).reshape(1, anchors, 4)


def loss_batch(anchors=2 * 120_087, classes=80):
    """Logits and targets [anchors, classes]; one anchor in a thousand is foreground."""
    logits = (12 * uniform(anchors * classes, 2654435761) - 8).astype(np.float32).reshape(anchors, classes)
    targets = np.zeros((anchors, classes), np.float32)
    foreground = np.arange(0, anchors, 1000)
    targets[foreground, foreground // 1000 % classes] = 1
    return logits, targets


def evaluation_rows(images=5000, per_image=100, classes=80, seed=7):
    """Objects [n, 8] (image, class, x, y, width, height, area, crowd) and detections [n, 7] (..., score) that find most
    of them more or less well, among false ones."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 15, images)
    image = np.repeat(np.arange(images), counts)
    n = len(image)
    size = np.exp(random.uniform(np.log(8), np.log(400), (n, 2)))
    corner = random.uniform(0, 640 - 8, (n, 2))
    label = random.integers(0, classes, n)
    area = size.prod(1) * random.uniform(0.4, 1, n)
    crowd = random.uniform(size=n) < 0.01
    objects = np.column_stack([image, label, corner, size, area, crowd])
    found = objects[random.uniform(size=n) < 0.8]
    noise = random.normal(0, 0.1, (len(found), 4)) * found[:, [4, 5, 4, 5]]
    found = np.column_stack([found[:, :2], found[:, 2:6] + noise, random.uniform(0.2, 1, len(found))])
    found[:, 4:6] = np.maximum(found[:, 4:6], 1)
    rest = per_image - np.bincount(found[:, 0].astype(int), minlength=images)
    image = np.repeat(np.arange(images), rest)
    n = len(image)
    false = np.column_stack([image, random.integers(0, classes, n), random.uniform(0, 600, (n, 2)),
                             np.exp(random.uniform(np.log(8), np.log(400), (n, 2))), random.uniform(0, 0.6, n)])
    detections = np.concatenate([found, false])
    return objects.astype(np.float64), detections[np.argsort(detections[:, 0], kind="stable")].astype(np.float64)


def retinanet(weights, classes):
    """torchvision's RetinaNet ResNet-50-FPN with frozen batch normalisation and the weights of a native HDF5 file."""
    import torch
    from torchvision.models.detection import RetinaNet
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=5, returned_layers=[2, 3, 4],
        extra_blocks=LastLevelP6P7(256, 256))
    model = RetinaNet(backbone, num_classes=classes)
    state = {}

    import h5py
    with h5py.File(weights) as file:
        def visit(path, dataset):
            if isinstance(dataset, h5py.Dataset):
                state[torchvision_name(path)] = torch.from_numpy(dataset[()])
        file["model"].visititems(visit)
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys and not missing.missing_keys, missing
    return model


PARAMETERS = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
              "moving_variance": "running_var"}


def torchvision_name(path):
    *layer, parameter = path.split("/")
    end = PARAMETERS[parameter]
    if layer[0] == "backbone" and layer[1] == "stem":
        return f"backbone.body.{'conv1' if layer[2] == 'conv' else 'bn1'}.{end}"
    if layer[0] == "backbone":
        block = f"backbone.body.layer{layer[1][5:]}.{int(layer[2][5:]) - 1}"
        if layer[3] == "downsample":
            return f"{block}.downsample.{0 if layer[4] == 'conv' else 1}.{end}"
        return f"{block}.{layer[3].replace('norm', 'bn')}.{end}"
    if layer[0] == "pyramid":
        name, level = layer[1][:-1], int(layer[1][-1])
        if name == "level":
            return f"backbone.fpn.extra_blocks.p{level}.{end}"
        return f"backbone.fpn.{'inner' if name == 'lateral' else 'layer'}_blocks.{level - 3}.0.{end}"
    head = f"head.{layer[1]}_head"
    if layer[2].startswith("conv"):
        return f"{head}.conv.{int(layer[2][4:]) - 1}.0.{end}"
    return f"{head}.{'cls_logits' if layer[2] == 'logits' else 'bbox_reg'}.{end}"
