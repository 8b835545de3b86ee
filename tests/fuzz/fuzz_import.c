/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_import.c - any bytes as a page whose dialect is known by its text alone. */
#include "page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_page("page", data, size);
}
