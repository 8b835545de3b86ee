/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_capture.c - any bytes as a capture file, pcap or pcapng, plain or gzip: frames whose bytes can all be read, then
 * an end or one error that names the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "replay/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(int r, const struct qpw_error *err, const char *path)
{
    if (r < 0 && (!strstr(err->text, path) || strchr(err->text, '\n')))
        abort();
}

static volatile uint8_t seen; /* each byte of a frame is read */

static void read_all(struct qpw_capture *c, const char *path)
{
    struct qpw_error err = {""};
    struct qpw_capture_frame frame;
    char name[64], digest[65];
    uint64_t last = 0;
    int r;

    while ((r = qpw_capture_next(c, &frame, &err)) > 0) {
        if (frame.wire < frame.length || qpw_capture_offset(c) < last)
            abort();
        last = qpw_capture_offset(c);
        for (uint32_t i = 0; i < frame.length; i++)
            seen ^= frame.data[i];
        seen ^= (uint8_t)strlen(qpw_capture_interface_name(c, &frame));
    }
    check_error(r, &err, path);
    qpw_capture_unsupported(c, name, sizeof(name));
    qpw_capture_digest(c, digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    struct qpw_capture *c = NULL;
    struct qpw_error err = {""};
    char path[32];
    int r;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    r = qpw_capture_open(path, &c, &err);
    check_error(r, &err, path);
    if (r == 0)
        read_all(c, path);
    qpw_capture_close(c);
    close(fd);
    return 0;
}
