"""torchvision's RetinaNet with random parameters, of any width, and the exporter that docs/09 shows."""
import h5py
import torch
import torchvision
from torch import nn
from torchvision.models import resnet
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelP6P7


def randomise(model, generator, digits=None):
    """New values for every parameter, statistics of batch normalisation too, so that nothing cancels."""
    def uniform(low, high, shape):
        values = torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low
        return values if digits is None else torch.round(values * 2**digits) / 2**digits

    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            shape = tuple(value.shape)
            if value.dim() >= 2:
                bound = (6 / value[0].numel()) ** 0.5
                value.copy_(uniform(-bound, bound, shape))
            elif key.endswith("running_var"):
                value.copy_(uniform(0.5, 1.5, shape))
            elif key.endswith("weight"):
                # A block's last normalisation is small, so that activations do not grow with every block.
                value.copy_(uniform(0.125, 0.5, shape) if "bn3" in key else uniform(0.5, 1.5, shape))
            else:
                value.copy_(uniform(-0.25, 0.25, shape))
    return model.eval()


class NarrowResNet(resnet.ResNet):
    """torchvision's ResNet-50 of another width."""

    def __init__(self, width):
        self.width = width
        super().__init__(resnet.Bottleneck, [3, 4, 6, 3])

    def _make_layer(self, block, planes, *rest, **named):
        if planes == 64:
            self.inplanes = self.width
            self.conv1 = nn.Conv2d(3, self.width, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(self.width)
        return super()._make_layer(block, planes * self.width // 64, *rest, **named)


def narrow_retinanet(width, channels, classes, **options):
    """As retinanet_resnet50_fpn makes it."""
    backbone = BackboneWithFPN(
        NarrowResNet(width), {"layer2": "0", "layer3": "1", "layer4": "2"}, [8 * width, 16 * width, 32 * width], channels,
        extra_blocks=LastLevelP6P7(channels, channels))
    sizes = tuple((x, int(x * 2 ** (1 / 3)), int(x * 2 ** (2 / 3))) for x in [32, 64, 128, 256, 512])
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
    return RetinaNet(
        backbone, classes, anchor_generator=anchors, head=RetinaNetHead(channels, 9, classes), **options)


def export(model, path, class_names=None):
    """The exporter of docs/09-pretrained-weights.md."""
    with h5py.File(path, "w") as file:
        for name, value in model.state_dict().items():
            file[name] = value.numpy()
        normalisation = next(m for m in model.modules() if hasattr(m, "running_var"))
        file.attrs["batch_norm_epsilon"] = normalisation.eps
        if class_names:
            file.attrs["class_names"] = class_names


def raw_outputs(model, pixels):
    """Logits and deltas of images that are normalised already."""
    with torch.no_grad():
        result = model.head(list(model.backbone(pixels).values()))
    return result["cls_logits"], result["bbox_regression"]
