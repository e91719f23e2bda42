// SPDX-License-Identifier: Apache-2.0
#pragma once
int ctoml_version(void);
