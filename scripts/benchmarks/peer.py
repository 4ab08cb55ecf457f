"""The other side of a benchmark: does a work whenever a line arrives, as Sources/bench does.

peer.py inference --engine torch|onnxruntime|openvino --precision fp32|bf16 --weights FILE ...
peer.py training --weights FILE ...
peer.py postprocess --threshold T
peer.py loss --engine bce|focal
peer.py evaluation --engine pycocotools|faster-coco-eval
"""
import argparse
import contextlib
import json
import os
import sys
import time
import warnings

import numpy as np

import work

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))


def serve(run, check=lambda: {}):
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "check":
            print(json.dumps(check()), flush=True)
            continue
        times = int(line.split()[1]) if " " in line else 1
        if times > 1:
            run()
        start, cpu_start = time.monotonic(), time.process_time()
        for _ in range(times):
            run()
        cpu, seconds = time.process_time() - cpu_start, time.monotonic() - start
        print(json.dumps({"seconds": seconds / times, "cpu": cpu / times}), flush=True)


def sample(values):
    values = np.asarray(values, np.float64).reshape(-1)
    return values[::max(1, len(values) // 1000)].tolist()


def network(weights, classes):
    import torch

    class BackboneAndHeads(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = work.retinanet(weights, classes).eval()

        def forward(self, x):
            outputs = self.model.head(list(self.model.backbone(x).values()))
            return outputs["cls_logits"], outputs["bbox_regression"]

    return BackboneAndHeads()


def onnx_file(options):
    import torch
    path = f"{options.cache}/retinanet-{options.images}x{options.height}x{options.width}.onnx"
    if not os.path.exists(path):
        x = torch.from_numpy(work.pixels(options.images, options.height, options.width))
        with torch.inference_mode(), warnings.catch_warnings():
            # The tracing exporter is deprecated, but needs no package of its own.
            warnings.simplefilter("ignore")
            torch.onnx.export(network(options.weights, options.classes), (x,), path + ".tmp", input_names=["x"],
                              output_names=["logits", "deltas"], dynamo=False)
        os.rename(path + ".tmp", path)
    return path


def export(options):
    onnx_file(options)


def inference(options):
    x = work.pixels(options.images, options.height, options.width)
    if options.engine == "torch":
        import torch
        torch.set_num_threads(THREADS)
        kind = torch.bfloat16 if options.precision == "bf16" else torch.float32
        model = network(options.weights, options.classes).to(kind).to(memory_format=torch.channels_last)
        x = torch.from_numpy(x).to(kind).to(memory_format=torch.channels_last)

        def run():
            with torch.inference_mode():
                return [y.float().numpy() for y in model(x)]
    elif options.engine == "onnxruntime":
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(onnx_file(options), settings, providers=["CPUExecutionProvider"])

        def run():
            return session.run(None, {"x": x})
    else:
        import openvino
        core = openvino.Core()
        kind = "bf16" if options.precision == "bf16" else "f32"
        compiled = core.compile_model(onnx_file(options), "CPU", {
            "INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": kind, "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1})
        request = compiled.create_infer_request()

        def run():
            request.infer({0: x})
            return [request.get_output_tensor(i).data for i in range(2)]
    run()
    serve(run, lambda: dict(zip(["logits", "deltas"], map(sample, run()))))


def training(options):
    import torch
    from torchvision.models.detection.image_list import ImageList
    torch.set_num_threads(THREADS)

    class Given(torch.nn.Module):
        """In place of torchvision's resizing: the batch is as it should be."""

        def forward(self, x, targets):
            return ImageList(x, [x.shape[-2:]] * x.shape[0]), targets

    model = work.retinanet(options.weights, options.classes).to(memory_format=torch.channels_last).train()
    model.transform = Given()
    x = torch.from_numpy(work.pixels(options.images, options.height, options.width)).to(memory_format=torch.channels_last)
    targets = []
    for image in range(options.images):
        corners, labels = work.boxes(image, options.height, options.width, options.classes)
        targets.append({"boxes": torch.from_numpy(corners), "labels": torch.from_numpy(labels)})
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4)

    def run():
        optimizer.zero_grad(set_to_none=True)
        losses = model(x, targets)
        sum(losses.values()).backward()
        optimizer.step()
        return [losses["classification"].item(), losses["bbox_regression"].item()]

    run()
    serve(run, lambda: {"losses": run()})


def postprocess(options):
    import torch
    from torchvision.models.detection import RetinaNet
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.image_list import ImageList
    torch.set_num_threads(THREADS)

    class Backbone(torch.nn.Module):
        out_channels = 8

    height, width, classes = 800, 1344, 80
    generator = AnchorGenerator(
        tuple((s, s * 1.2599211, s * 1.587401) for s in [32, 64, 128, 256, 512]), ((0.5, 1.0, 2.0),) * 5)
    model = RetinaNet(Backbone(), classes, anchor_generator=generator, score_thresh=options.threshold).eval()
    extents = [(-(-height // 2 ** level), -(-width // 2 ** level)) for level in range(3, 8)]
    features = [torch.zeros(1, 1, h, w) for h, w in extents]
    # The strides that the network has, where torchvision would divide the image by the level's extents.
    sizes = [h * w * 9 for h, w in extents]
    strides = [[torch.tensor(2 ** level)] * 2 for level in range(3, 8)]
    generator.set_cell_anchors(torch.float32, torch.device("cpu"))
    anchors = generator.grid_anchors(extents, strides)
    logits, deltas = work.head_outputs(sum(sizes), classes)
    outputs = {"cls_logits": list(torch.from_numpy(logits).split(sizes, 1)),
               "bbox_regression": list(torch.from_numpy(deltas).split(sizes, 1))}

    def run():
        with torch.inference_mode():
            return model.postprocess_detections(outputs, [list(anchors)], [(height, width)])[0]

    run()
    serve(run, lambda: {k: run()[k].double().reshape(-1).tolist() for k in ["scores", "boxes"]})


def loss(options):
    import torch
    from torchvision.ops import sigmoid_focal_loss
    torch.set_num_threads(THREADS)
    logits, targets = map(torch.from_numpy, work.loss_batch())
    logits.requires_grad_()

    def run():
        logits.grad = None
        if options.engine == "focal":
            total = sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2, reduction="sum")
        else:
            total = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        total.backward()
        return total

    run()
    serve(run, lambda: {"sum": [run().item()], "gradient": sample(logits.grad.numpy())})


def copy(options):
    import torch
    torch.set_num_threads(THREADS)
    source = torch.from_numpy(work.loss_batch()[0])
    target = torch.zeros_like(source)
    serve(lambda: target.copy_(source))


def evaluation(options):
    objects, detections = work.evaluation_rows()
    images = [{"id": i, "width": 640, "height": 640} for i in range(5000)]
    truth = {"images": images, "categories": [{"id": i} for i in range(80)], "annotations": [
        {"id": i + 1, "image_id": int(r[0]), "category_id": int(r[1]), "bbox": r[2:6].tolist(), "area": r[6],
         "iscrowd": int(r[7])} for i, r in enumerate(objects)]}
    found = [{"image_id": int(r[0]), "category_id": int(r[1]), "bbox": r[2:6].tolist(), "score": r[6]} for r in detections]
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        if options.engine == "pycocotools":
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval as Evaluator
            coco = COCO()
            coco.dataset = truth
            coco.createIndex()
        else:
            from faster_coco_eval import COCO, COCOeval_faster as Evaluator
            coco = COCO(truth)
        results = coco.loadRes(found)

    def run():
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            evaluator = Evaluator(coco, results, "bbox")
            evaluator.evaluate()
            evaluator.accumulate()
        return evaluator

    def check():
        evaluator = run()
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            evaluator.summarize()
        return {"stats": [float(v) for v in list(evaluator.stats)[:12]]}

    serve(run, check)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["export", "inference", "training", "postprocess", "loss", "copy", "evaluation"])
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--weights")
    parser.add_argument("--threshold", type=float, default=0.05)
    parser.add_argument("--cache", default=".")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--height", type=int, default=640)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--classes", type=int, default=91)
    options = parser.parse_args()
    globals()[options.work](options)


if __name__ == "__main__":
    main()
