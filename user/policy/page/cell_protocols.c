/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cell_protocols.c - parse cells that name only protocols. */
#include "policy/page/cells_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* Return whether the word is an application that runs over TCP only. */
static bool is_application(const char *word, size_t length)
{
    static const char *const names[] = {"http", "https", "ssl", "tls", "ssh", NULL};

    return qpw_cell_is_one_of(word, length, names);
}

static int read_protocol_line(struct qpw_scan *s, struct qpw_protocol_line *ret)
{
    static const char *const fillers[] = {"and", "or", "protocol", "protocols", "only", "both", "ip", NULL};
    bool any = false;

    for (qpw_cell_skip(s); s->at < s->end; qpw_cell_skip(s)) {
        size_t length = qpw_cell_word_length(s);

        if (*s->at == '(') {
            if (qpw_cell_take_remark(s, QPW_COLUMN_PROTOCOL, ret->bits) < 0)
                return -EINVAL;
            continue;
        }
        if (!length && (*s->at == '/' || *s->at == '+')) {
            s->at++;
            continue;
        }
        if (qpw_cell_is_any(s->at, length))
            any = true;
        else if (is_application(s->at, length)) {
            qpw_cell_set_bit(ret->bits, IPPROTO_TCP);
            s->signs->application = true;
        } else if (!length || (!qpw_cell_is_one_of(s->at, length, fillers) && !qpw_cell_add_protocol(s->at, length, ret->bits)))
            return qpw_cell_unclear(s->fault, QPW_COLUMN_PROTOCOL, "not a protocol:", s->at,
                           length ? length : (size_t)(s->end - s->at));
        s->at += length;
    }
    ret->any = any && !qpw_cell_any_in(ret->bits); /* "All ICMP" is ICMP */
    return 0;
}

int qpw_cell_read_protocols(const char *cell, struct qpw_protocol_line ret[QPW_MAX_GROUPS], size_t *ret_n,
                            struct qpw_cell_signs *signs, struct qpw_cell_fault *fault)
{
    struct qpw_scan s = {.signs = signs, .fault = fault};

    for (*ret_n = 0; qpw_cell_next_line(&cell, &s);) {
        struct qpw_protocol_line line = {.bits = {0}};

        if (read_protocol_line(&s, &line) < 0)
            return -EINVAL;
        if (!qpw_cell_any_in(line.bits) && !line.any)
            continue; /* a footnote's mark */
        if (*ret_n == QPW_MAX_GROUPS)
            return qpw_cell_unclear(fault, QPW_COLUMN_PROTOCOL, "too many lines in one cell:", cell, strlen(cell));
        ret[(*ret_n)++] = line;
    }
    return 0;
}

bool qpw_is_protocol_cell(const char *cell)
{
    struct qpw_protocol_line lines[QPW_MAX_GROUPS];
    struct qpw_cell_fault fault;
    struct qpw_cell_signs signs = {false};
    size_t n;

    return qpw_cell_read_protocols(cell, lines, &n, &signs, &fault) == 0 && n > 0 && !signs.application;
}
