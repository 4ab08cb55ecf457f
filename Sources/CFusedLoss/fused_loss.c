#include "CFusedLoss.h"
