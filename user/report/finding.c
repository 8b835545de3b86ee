/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/finding.h"

#include <string.h>

#include "alert/signatures.h"
#include "alert/text.h"
#include "facts/severity.h"
#include "words/owner.h"

static void find_owner(const struct qpw_render_options *o, const struct qpw_finding_row *f,
                       struct qpw_finding_words *ret)
{
    if (!o->owner || !o->owner(o->arg, f, &ret->owner))
        ret->owner = (struct qpw_process){0};
    qpw_words_owner(&ret->owner, ret->process, sizeof(ret->process));
}

static void allow(const struct qpw_engine_context *context, const struct qpw_finding_row *f, bool any,
                  struct qpw_finding_words *words)
{
    struct qpw_text_about about = {.context = context, .row = f, .process = &words->owner};

    if (!qpw_text_allow_line(&about, any, words->allow, sizeof(words->allow)))
        words->allow[0] = '\0';
}

const char *qpw_severity_class(unsigned severity)
{
    static const char *const classes[] = {[QPW_SEVERITY_HIGH] = "bad", [QPW_SEVERITY_MEDIUM] = "doubt",
                                          [QPW_SEVERITY_LOW] = "", [QPW_SEVERITY_INFO] = "dim"};

    return severity <= QPW_SEVERITY_INFO && classes[severity] ? classes[severity] : "";
}

void qpw_finding_words(const struct qpw_report *r, const struct qpw_render_options *o, const struct qpw_finding_row *f,
                       struct qpw_finding_words *ret)
{
    struct qpw_engine_context context = qpw_text_context(r->s);
    unsigned severity = qpw_finding_severity(f);
    const struct qpw_signature *signature = qpw_signature(qpw_signature_of(f));

    memset(ret, 0, sizeof(*ret));
    ret->severity = qpw_severity_name(severity);
    ret->signature = signature->id ? signature->title : "";
    find_owner(o, f, ret);
    allow(&context, f, /* any= */ false, ret);
}

void qpw_finding_allow_any(const struct qpw_report *r, const struct qpw_finding_row *f, struct qpw_finding_words *words)
{
    struct qpw_engine_context context = qpw_text_context(r->s);

    allow(&context, f, /* any= */ true, words);
}
