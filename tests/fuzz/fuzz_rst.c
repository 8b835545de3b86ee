/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_rst.c - any bytes as a page of that dialect. */
#include "page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_page("page.rst", data, size);
}
