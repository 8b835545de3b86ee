/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* found_of_live.h - what was found of the peers, as found.json for the auditor, which makes alerts of it. */
#ifndef QPW_SERVE_FOUND_OF_LIVE_H
#define QPW_SERVE_FOUND_OF_LIVE_H

#include <jansson.h>

#include "facts/live.h"

/* Return the document (alert/found.h) of the items that are reported. NULL: out of memory. The caller drops the reference. */
json_t *qpw_found_of_live(const struct qpw_live *live, uint64_t now_ns);

#endif
