/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * neighbourhood.h - read the current devices with their counters, the addresses and the neighbours of this network
 * namespace.
 */
#ifndef QPW_HOST_NEIGHBOURHOOD_H
#define QPW_HOST_NEIGHBOURHOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_device {
    unsigned ifindex;
    char name[16];
    uint8_t mac[6];    /* all zero unless the address has 6 bytes */
    bool up;           /* IFF_UP: enabled by the administrator */
    bool loopback;
    uint64_t rx, tx;   /* packets */
    uint64_t rx_lost;  /* missed, dropped or damaged before any program could see them */
    uint64_t tx_lost;  /* dropped by the driver or by a queueing discipline, or failed */
};

struct qpw_device_address {
    uint8_t addr[16];
    unsigned ifindex;
};

struct qpw_neighbour {
    uint8_t addr[16];
    uint8_t mac[6];
    unsigned ifindex;
    uint64_t confirmed_unix_ns; /* when it was last confirmed */
};

struct qpw_neighbourhood {
    struct qpw_device *devices;
    size_t n_devices;
    struct qpw_device_address *addresses;
    size_t n_addresses;
    struct qpw_neighbour *neighbours;
    size_t n_neighbours;
};

/*
 * Read only the devices. The caller clears *ret, even after an error. Returns 0 or a negative errno (-EINTR: they
 * changed meanwhile).
 */
int qpw_devices_read(struct qpw_neighbourhood *ret);

/* Read everything. now_unix_ns: CLOCK_REALTIME. Otherwise as above. */
int qpw_neighbourhood_read(uint64_t now_unix_ns, struct qpw_neighbourhood *ret);

void qpw_neighbourhood_clear(struct qpw_neighbourhood *n);

/* Find a device; NULL: none has that ifindex. */
const struct qpw_device *qpw_device_by_index(const struct qpw_neighbourhood *n, unsigned ifindex);

#endif
