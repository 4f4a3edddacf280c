// An ordinary build of OpenBLAS under the names that the scipy wheel has for its functions.
#pragma once
#include_next <cblas.h>

#define scipy_cblas_sgemm cblas_sgemm
#define scipy_cblas_sgemv cblas_sgemv
#define scipy_openblas_get_config openblas_get_config
#define scipy_openblas_get_corename openblas_get_corename
#define scipy_openblas_get_parallel openblas_get_parallel
#define scipy_openblas_set_num_threads openblas_set_num_threads
