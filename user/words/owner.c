/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/owner.h"

#include <stdio.h>

#include "util/document.h"
#include "words/words.h"

const char *qpw_words_owner(const struct qpw_process *owner, char *buf, size_t size)
{
    if (owner->match == QPW_MATCH_KERNEL)
        snprintf(buf, size, owner->name[0] ? "kernel (%s)" : "kernel", owner->name);
    else
        qpw_words_process(owner->pid ? owner->name : "", owner->pid, buf, size);
    return buf;
}

const char *qpw_words_owner_said(const struct qpw_process *owner, char *buf, size_t size)
{
    const char *match = owner->match == QPW_MATCH_LISTENER  ? "listener "
                        : owner->match == QPW_MATCH_CREATED ? "opened by " : "";

    if (owner->match == QPW_MATCH_KERNEL)
        snprintf(buf, size, owner->name[0] ? "kernel (%s), no process" : "kernel, no process", owner->name);
    else if (owner->pid)
        snprintf(buf, size, "%s%s, pid %d, %s%s%s", match, owner->name, owner->pid, owner->user,
                 owner->unit[0] ? ", " : "", owner->unit);
    else
        *buf = '\0';
    return buf;
}

json_t *qpw_json_owner(const struct qpw_process *owner)
{
    char process[64];

    if (!qpw_owner_known(owner))
        return json_null();
    if (owner->match == QPW_MATCH_KERNEL)
        qpw_words_owner(owner, process, sizeof(process));
    else
        snprintf(process, sizeof(process), "%s", owner->name);
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "process", qpw_json_text(process), "pid",
                     owner->pid ? json_integer(owner->pid) : json_null(), "exe", qpw_json_text(owner->exe), "user",
                     qpw_json_text(owner->user), "unit", qpw_json_text(owner->container ? "" : owner->unit), "container",
                     qpw_json_text(owner->container ? owner->unit : ""), "started",
                     qpw_json_time(owner->started_unix_ns), "match", qpw_match_name(owner->match));
}
