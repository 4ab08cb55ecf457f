#pragma once
// Loops that Swift compiled for the least x86-64 would leave slow: each is compiled for several instruction sets.
#include "detection.h"
#include "fused_loss.h"
#include "instruction_sets.h"
