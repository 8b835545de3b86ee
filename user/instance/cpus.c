/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/cpus.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_CPUS 65536u /* far above any kernel's NR_CPUS */
#define MOST_LINES 16384u
#define LEAST_LINES 2048u
#define LINES_OF_ALL (8u * MOST_LINES)

/* Count the values that a per-CPU look-up overwrites with the zeros of a new map. */
static int measure(void)
{
    uint64_t *values = malloc(MOST_CPUS * sizeof(*values));
    int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "possible_cpus", sizeof(uint32_t), sizeof(*values), 1, NULL);
    int r = !values ? -ENOMEM : fd < 0 ? -errno : 0;
    uint32_t key = 0, n = 0;

    if (r == 0) {
        memset(values, 0xff, MOST_CPUS * sizeof(*values));
        r = bpf_map_lookup_elem(fd, &key, values) < 0 ? -errno : 0;
    }
    while (r == 0 && n < MOST_CPUS && values[n] == 0)
        n++;
    if (fd >= 0)
        close(fd);
    free(values);
    return r < 0 ? r : (int)n;
}

int qpw_possible_cpus(void)
{
    static int cpus;

    if (cpus <= 0)
        cpus = libbpf_num_possible_cpus();
    if (cpus <= 0)
        cpus = measure();
    return cpus;
}

uint32_t qpw_cpus_cache_lines(int cpus)
{
    uint32_t lines = MOST_LINES;

    while (lines > LEAST_LINES && cpus > 0 && (uint64_t)lines * (uint32_t)cpus > LINES_OF_ALL)
        lines /= 2;
    return lines;
}
