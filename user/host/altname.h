/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* altname.h - alternative names of interfaces (Linux 5.5), of up to 127 characters. */
#ifndef QPW_HOST_ALTNAME_H
#define QPW_HOST_ALTNAME_H

/*
 * The name by which everything else knows the interface that has this name or alternative name in this network
 * namespace, in buf. `name` itself where there is no such interface: who looks for it says so.
 */
const char *qpw_altname_main(const char *name, char buf[16]);

#endif
