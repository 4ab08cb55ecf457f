#!/bin/sh
# Runs every command once, with sound input and with broken, and fails where the exit status is another than expected: a sanitizer
# that finds something makes it 99.
#   commands.sh COMMAND    the built command
set -eu
command=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >tiny.yaml <<YAML
seed: 3
data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
input: { width: 64, height: 64, flip: 0.5 }
detector:
  backbone: { depth: 18, width: 4, stem: small, normalization: batch }
  pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
  head: { convolutions: 1, channels: 8 }
  anchors: { sizes: [10, 16, 28], scales: [1], aspectRatios: [1] }
train: { steps: 3, batchSize: 2, learningRate: 0.01, warmupSteps: 1, checkpointEvery: 2, output: run }
YAML

# run STATUS ARGUMENTS...
run() {
  expected=$1
  shift
  status=0
  "$command" "$@" >out 2>err || status=$?
  if [ $status != "$expected" ]; then
    echo "sampling-free $*: status $status where $expected was expected" >&2
    head -c 20000 err >&2
    exit 1
  fi
  echo "  $*: $status"
}

run 0 strategies
run 0 train tiny.yaml
run 0 train tiny.yaml --resume --set train.steps=5
run 1 train tiny.yaml
run 0 train tiny.yaml --overwrite --set sampler=ghm --set thresholder=calibrated --set lossScaler=unscaled
run 0 evaluate tiny.yaml run/weights.h5 --json
run 0 inspect run/weights.h5
run 0 inspect run/checkpoint.h5
run 0 detect run/weights.h5 --validation 4 --output picture.png --minimum-score 0.05
# A photograph of the tests' goldens.
sed -n '/^"jpeg": {/{n;s/.*: "\(.*\)",/\1/p;}' "$root/Tests/Datasets/Goldens/images.json" | base64 -d >photo.jpg
run 0 detect run/weights.h5 photo.jpg picture.png --json --output found
run 0 convert run/weights.h5 keras.h5 --to keras --ignore-differences
run 0 convert run/weights.h5 torchvision.h5 --to torchvision --ignore-differences
run 0 convert run/weights.h5 native.h5 --to native
run 0 inspect torchvision.h5
mkdir images
cp picture.png photo.jpg images
cat >coco.json <<JSON
{"images": [{"id": 1, "file_name": "photo.jpg", "width": 24, "height": 16}],
 "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 12, 12], "area": 144, "iscrowd": 0}],
 "categories": [{"id": 1, "name": "cat"}]}
JSON
coco="--set data.name=coco --set data.trainAnnotations=coco.json --set data.trainImages=images"
coco="$coco --set data.validationAnnotations=coco.json --set data.validationImages=images"
# shellcheck disable=SC2086
run 0 train tiny.yaml $coco --set train.output=cats
run 0 compare tiny.yaml --vary sampler=none,focal --seeds 0,1 --output compared --set train.steps=2

# Errors.
run 2 detect run/weights.h5
run 1 inspect absent.h5
run 1 inspect tiny.yaml
head -c 3000 run/weights.h5 >cut.h5
for command_name in inspect detect evaluate; do
  case $command_name in
    inspect) run 1 inspect cut.h5 ;;
    detect) run 1 detect cut.h5 photo.jpg ;;
    evaluate) run 1 evaluate tiny.yaml cut.h5 ;;
  esac
done
head -c 300 photo.jpg >images/cut.jpg
run 1 detect run/weights.h5 images/cut.jpg
run 1 train tiny.yaml --set train.step=3
run 1 train tiny.yaml --set train.learningRate=1e30 --set train.clipNorm=0 --set lossScaler=unscaled --set train.output=diverged --set train.steps=40
run 1 train tiny.yaml --set detector.head.channels=16 --resume
sed 's/"category_id": 1/"category_id": 2/' coco.json >wrong.json
# shellcheck disable=SC2086
run 1 train tiny.yaml $coco --set data.trainAnnotations=wrong.json --set train.output=none
echo "commands.sh: every command ends as it should"
