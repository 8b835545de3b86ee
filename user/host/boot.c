/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void qpw_boot_id(char ret[QPW_BOOT_ID])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (!file || !fgets(ret, QPW_BOOT_ID, file))
        snprintf(ret, QPW_BOOT_ID, "unknown");
    if (file)
        fclose(file);
    ret[strcspn(ret, "\n")] = '\0';
}

const char *qpw_epoch_text(const char *boot_id, uint64_t attached_unix_ns, char *buf, size_t size)
{
    snprintf(buf, size, "%s:%" PRIu64, boot_id, attached_unix_ns / 1000000000u);
    return buf;
}
