/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts_signatures.h - `alerts --signatures`: every signature that the log can contain. */
#ifndef QPW_CMD_ALERTS_SIGNATURES_H
#define QPW_CMD_ALERTS_SIGNATURES_H

#include <stdbool.h>

/* Print them; long_text: with their sentences. Returns an exit status. */
int qpw_alerts_signatures(bool json, bool long_text);

#endif
