/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* boot.h - which boot of this machine this is, and the epoch of what is counted: statements and events carry it. */
#ifndef QPW_HOST_BOOT_H
#define QPW_HOST_BOOT_H

#include <stddef.h>
#include <stdint.h>

#define QPW_BOOT_ID 40

/* Read the kernel's random id of this boot; "unknown" without /proc. */
void qpw_boot_id(char ret[QPW_BOOT_ID]);

/* Write "BOOT-ID:SECONDS", the boot and the time of attaching. Returns buf. */
const char *qpw_epoch_text(const char *boot_id, uint64_t attached_unix_ns, char *buf, size_t size);

#endif
