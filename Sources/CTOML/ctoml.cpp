// SPDX-License-Identifier: Apache-2.0
#include "ctoml.h"
extern "C" int ctoml_version(void) { return 3; }
