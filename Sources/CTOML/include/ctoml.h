#pragma once
#ifdef __cplusplus
extern "C" {
#endif
int ctoml_version(void);
#ifdef __cplusplus
}
#endif
