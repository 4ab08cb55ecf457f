#!/bin/sh
# Builds the strategy as a plugin: build-plugin.sh [library to write]
# DetectionCore's object files are left out on purpose: its symbols come from the program that loads the plugin, so that
# both mean the same protocols and types. `swift build --product` with a dynamic library would put a copy in.
set -eu
output=${1:-.build/libAsymmetricFocus.so}
modules="AsymmetricFocus AsymmetricFocusPlugin"

cd "$(dirname "$0")"
swift build -c release --target AsymmetricFocusPlugin
products=$(swift build -c release --show-bin-path)
objects=$(for module in $modules; do find "$products/$module.build" -name '*.o'; done)
# shellcheck disable=SC2086
swiftc -emit-library -o "$output" $objects
echo "$output"
