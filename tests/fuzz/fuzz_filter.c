/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_filter.c - any bytes as a filter of the live view: one line of error and nothing changed, or a filter that judges. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "qportwatch.h"
#include "view/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t from[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 9, 0, 7};
    struct qpw_facts facts = {
        .has = ~0u, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED,
        .outcome = QPW_OUTCOME_ANSWERED, .severity = 1, .port = 4444, .vlan = 200, .from = from, .process = "nc 4711 root",
        .peer = "node2", .rule = "in-tcp-445", .reason = "", .iface = "eth0", .words = "high tcp/4444 10.9.0.7 answered",
    };
    struct qpw_filter filter, before;
    struct qpw_error err = {""};
    char *text = strndup((const char *)data, size);

    if (!text)
        abort();
    memset(&filter, 0xa5, sizeof(filter));
    memcpy(&before, &filter, sizeof(filter));
    if (qpw_filter_parse(text, &filter, &err) < 0) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): not one byte may change */
        if (!*err.text || strchr(err.text, '\n') || memcmp(&filter, &before, sizeof(filter)))
            abort();
    } else {
        if (filter.n_terms > QPW_FILTER_TERMS)
            abort();
        qpw_filter_match(&filter, &facts);
    }
    free(text);
    return 0;
}
