/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/finding_process.h"

#include "host/owner.h"
#include "words/owner.h"

bool qpw_finding_owner(void *sockets, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    return qpw_owner_find(sockets, &finding->key, &finding->value, ret) == 0 &&
           qpw_owner_known(ret);
}

const char *qpw_finding_process(void *sockets, const struct qpw_finding_row *finding)
{
    static char text[96];
    struct qpw_process process;

    if (!qpw_finding_owner(sockets, finding, &process))
        return "";
    return qpw_words_owner(&process, text, sizeof(text));
}
