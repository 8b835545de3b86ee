/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/finding_process.h"

#include "host/owner.h"
#include "words/words.h"

bool qpw_finding_owner(void *sockets, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    return finding->key.kind == QPW_KIND_PORT &&
           qpw_owner_find(sockets, &finding->key, &finding->value, ret) == 0 &&
           (ret->pid || ret->match == QPW_MATCH_KERNEL);
}

const char *qpw_finding_process(void *sockets, const struct qpw_finding_row *finding)
{
    static char text[96];
    struct qpw_process process;

    if (!qpw_finding_owner(sockets, finding, &process))
        return "";
    return process.match == QPW_MATCH_KERNEL ? "kernel"
                                             : qpw_words_process(process.name, process.pid, text, sizeof(text));
}
