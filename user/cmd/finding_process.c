/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/finding_process.h"

#include <stdio.h>

#include "host/sockets.h"

const char *qpw_finding_process(void *sockets, const struct qpw_finding_row *finding)
{
    static char text[96];
    struct qpw_process process;
    struct qpw_conn_key tuple;

    qpw_finding_tuple(&finding->key, &finding->value, &tuple);
    if (finding->key.kind != QPW_KIND_PORT ||
        qpw_sockets_process(sockets, &tuple, finding->key.direction, &process) < 0)
        return "";
    if (process.match == QPW_MATCH_KERNEL)
        return "(kernel)";
    if (!process.pid)
        return "";
    snprintf(text, sizeof(text), "%s[%d]", process.name, process.pid);
    return text;
}
