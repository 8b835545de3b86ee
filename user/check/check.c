/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "check/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "check/internal.h"
#include "util/array.h"
#include "util/document.h"
#include "util/text.h"
#include "words/table.h"

static const char *const level_names[] = {
#define NAME(symbol, name) name,
    QPW_REMARK_LEVELS(NAME)
#undef NAME
};

void qpw_remark(struct qpw_check *c, enum qpw_remark_level level, const char *what, const char *todo, const char *why, ...)
{
    struct qpw_remark *r = QPW_ADD(c->remarks, c->n);
    va_list args;

    if (!r)
        abort(); /* dropping a remark could turn a failure into "all well" */
    c->n++;
    r->level = level;
    snprintf(r->what, sizeof(r->what), "%s", what);
    snprintf(r->todo, sizeof(r->todo), "%s", todo ? todo : "");
    va_start(args, why);
    vsnprintf(r->why, sizeof(r->why), why, args);
    va_end(args);
}

static unsigned running_release(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return 0;
    return QPW_RELEASE(major, minor);
}

int qpw_check_make(const struct qpw_check_options *options, struct qpw_check *ret, struct qpw_error *err)
{
    int r;

    *ret = (struct qpw_check){.options = options, .release = running_release()};
    r = qpw_netlink_open(&ret->links, err);
    if (r < 0)
        return r;
    qpw_check_policy(ret);
    qpw_check_interfaces(ret);
    qpw_check_machine(ret);
    qpw_check_log(ret);
    return 0;
}

void qpw_check_clear(struct qpw_check *c)
{
    qpw_netlink_close(c->links);
    qpw_policy_clear(&c->policy);
    free(c->remarks);
    *c = (struct qpw_check){0};
}

bool qpw_check_found(const struct qpw_check *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->remarks[i].level >= QPW_REMARK_WARNING)
            return true;
    return false;
}

int qpw_check_text(const struct qpw_check *c, const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {{.title = "LEVEL"}, {.title = "WHAT"}, {.title = "WHY", .wrap = true},
                                                      {.title = "WHAT TO DO", .wrap = true}};
    static const enum qpw_text_style styles[] = {[QPW_REMARK_OK] = QPW_TEXT_GOOD, [QPW_REMARK_NOTE] = QPW_TEXT_PLAIN,
                                                 [QPW_REMARK_WARNING] = QPW_TEXT_DOUBT, [QPW_REMARK_REFUSAL] = QPW_TEXT_BAD};
    struct qpw_table table = {.columns = columns, .n_columns = 4};
    struct qpw_printer flat = *p;
    int r = 0;

    flat.indent = 0;
    for (int level = QPW_REMARK_REFUSAL; level >= QPW_REMARK_OK; level--) /* the worst first */
        for (size_t i = 0; r == 0 && i < c->n; i++)
            if ((int)c->remarks[i].level == level)
                r = qpw_table_add(&table, styles[level], (const char *[]){level_names[level], c->remarks[i].what,
                                                                          c->remarks[i].why, c->remarks[i].todo});
    if (r == 0)
        r = qpw_table_print(&table, &flat);
    qpw_table_clear(&table);
    return r;
}

json_t *qpw_check_json(const struct qpw_check *c)
{
    json_t *document = qpw_document("qportwatch.check/1"), *remarks = json_array(), *interfaces = json_array();

    for (size_t i = 0; i < c->n; i++)
        json_array_append_new(remarks, json_pack("{s:s, s:o, s:o, s:o}", "level", level_names[c->remarks[i].level], "what",
                                                 qpw_json_text(c->remarks[i].what), "why", qpw_json_text(c->remarks[i].why),
                                                 "do", qpw_json_text(c->remarks[i].todo)));
    for (size_t i = 0; i < c->n_chosen; i++)
        json_array_append_new(interfaces, qpw_json_text(c->chosen[i]->name));
    if (document && (json_object_set_new(document, "interfaces", interfaces) < 0 ||
                     json_object_set_new(document, "remarks", remarks) < 0)) {
        json_decref(document);
        return NULL;
    }
    return document;
}
