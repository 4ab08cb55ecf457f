"""The other side of a benchmark: does a work whenever a line arrives, as Sources/bench does.

peer.py inference --engine torch|onnxruntime|openvino --precision fp32|bf16 --weights FILE ...
peer.py training --weights FILE ...
"""
import argparse
import json
import os
import sys
import time

import numpy as np

import work

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))


def serve(run, check=lambda: {}):
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "check":
            print(json.dumps(check()), flush=True)
            continue
        start, cpu_start = time.monotonic(), time.process_time()
        run()
        cpu, seconds = time.process_time() - cpu_start, time.monotonic() - start
        print(json.dumps({"seconds": seconds, "cpu": cpu}), flush=True)


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
        with torch.inference_mode():
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
    torch.set_num_threads(THREADS)
    model = work.retinanet(options.weights, options.classes).to(memory_format=torch.channels_last).train()
    model.transform = Identity()
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
        return [float(losses["classification"]), float(losses["bbox_regression"])]

    run()
    serve(run, lambda: {"losses": run()})


class Identity:
    """In place of torchvision's resizing: the batch is given."""

    def __call__(self, x, targets):
        from torchvision.models.detection.image_list import ImageList
        return ImageList(x, [x.shape[-2:]] * x.shape[0]), targets


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["export", "inference", "training"])
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--weights")
    parser.add_argument("--cache", default=".")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--height", type=int, default=640)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--classes", type=int, default=91)
    options = parser.parse_args()
    globals()[options.work](options)


if __name__ == "__main__":
    main()
