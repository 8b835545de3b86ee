/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef QPW_UTIL_VERSION_H
#define QPW_UTIL_VERSION_H

/* Shown by --version, in every report and record, and to an auditor that takes over. */
#define QPW_VERSION "0.1.0"

#endif
