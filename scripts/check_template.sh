#!/bin/sh
# Builds and tests Plugins/Template and trains with its strategy both ways: linked into a command of its own, and as a
# plugin of this package's command. Both must see the same losses.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
template=$root/Plugins/Template
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "check_template: $1" >&2; exit 1; }
losses() { grep -o '"loss":[^,]*' "$1/metrics.jsonl"; }

swift build --package-path "$root" -c release --product sampling-free
command=$(swift build --package-path "$root" -c release --show-bin-path)/sampling-free
swift build --package-path "$template" -c release --build-tests
swift test --package-path "$template" -c release --skip-build
own=$(swift build --package-path "$template" -c release --show-bin-path)/my-sampling-free
"$template/build-plugin.sh" "$work/libAsymmetricFocus.so"

cat >"$work/recipe.yaml" <<YAML
base: $template/recipe.yaml
plugins: [libAsymmetricFocus.so]
data: { trainCount: 16, validationCount: 4 }
train: { steps: 3, batchSize: 4, warmupSteps: 1 }
YAML

"$command" strategies --plugin "$work/libAsymmetricFocus.so" | grep -q '  asymmetric  ' || fail "the plugin's strategy is not listed"
"$own" strategies | grep -q '  asymmetric  ' || fail "the linked strategy is not listed"
"$command" train "$work/recipe.yaml" --set train.output="$work/plugin" >/dev/null
"$own" train "$work/recipe.yaml" --set 'plugins=[]' --set train.output="$work/linked" >/dev/null
losses "$work/plugin" >"$work/plugin.txt"
losses "$work/linked" >"$work/linked.txt"
[ "$(wc -l <"$work/plugin.txt")" = 3 ] || fail "the plugin did not train three steps"
cmp -s "$work/plugin.txt" "$work/linked.txt" || fail "the two ways train differently"

# A program that does not export its symbols says what it lacks.
"$own" strategies --plugin "$work/libAsymmetricFocus.so" 2>"$work/error.txt" && fail "a program without exported symbols loaded a plugin"
grep -q 'export-dynamic' "$work/error.txt" || fail "the error does not say how to export symbols: $(cat "$work/error.txt")"
echo "check_template: both ways work"
