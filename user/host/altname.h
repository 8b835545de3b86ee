/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* altname.h - alternative names of interfaces (Linux 5.5), of up to 127 characters. */
#ifndef QPW_HOST_ALTNAME_H
#define QPW_HOST_ALTNAME_H

/*
 * Resolve a name or alternative name to the interface's main name in this network namespace. Writes it to buf and
 * returns buf; returns `name` itself if no such interface exists, so that the caller's own look-up reports the error.
 */
const char *qpw_altname_main(const char *name, char buf[16]);

#endif
