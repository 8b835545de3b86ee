/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many connections of each listed port could be judged by their first bytes: added up, put in order, written. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "facts/report.h"
#include "facts/speaks.h"
#include "report/render.h"
#include "words/speech.h"

static struct qpw_meter_row meters[8];
static struct qpw_rule_info rules[3];

static struct qpw_snapshot picture(void)
{
    memset(meters, 0, sizeof(meters));
    strcpy(rules[1].name, "smb");
    strcpy(rules[2].name, "web");
    return (struct qpw_snapshot){.meters = meters, .rules = rules, .n_rules = 3};
}

static struct qpw_meter_row *add(struct qpw_snapshot *s, uint16_t port, uint16_t rule, uint64_t connections)
{
    struct qpw_meter_row *m = &meters[s->n_meters++];

    m->key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND,
                                    .verdict = QPW_VERDICT_ALLOWED, .port = port, .rule = rule};
    m->counts.connections = connections;
    return m;
}

Test(speaks, meters_of_one_port_are_one_row)
{
    struct qpw_snapshot s = picture();
    struct qpw_speaks_row *rows;
    struct qpw_meter_row *m;
    size_t n;

    m = add(&s, 443, 2, 100);
    m->judged[QPW_JUDGED_MATCH] = 90;
    m->judged[QPW_JUDGED_TOLERATED] = 4;
    m = add(&s, 445, 1, 3);
    m->judged[QPW_JUDGED_MATCH] = 2;
    m = add(&s, 445, 1, 2); /* another interface */
    m->key.iface = 2;
    m->judged[QPW_JUDGED_MISMATCH] = 1;
    add(&s, 3712, 2, 50); /* not looked at */
    m = add(&s, 22, 0, 50);
    m->judged[QPW_JUDGED_MATCH] = 1; /* no rule's */
    m = add(&s, 80, 2, 1);
    m->judged[QPW_JUDGED_SHORT] = 2; /* one connection came between the two readings */
    cr_assert_eq(qpw_speaks_rows(&s, &rows, &n), 0);
    cr_assert_eq(n, 3);
    cr_expect_eq(rows[0].port, 445); /* mismatches first */
    cr_expect_eq(rows[0].connections, 5);
    cr_expect_eq(qpw_speaks_judged(&rows[0]), 3);
    cr_expect_eq(rows[0].judged[QPW_JUDGED_MUTE], 2);
    cr_expect_eq(rows[1].port, 443);
    cr_expect_eq(rows[1].judged[QPW_JUDGED_MUTE], 6);
    cr_expect_eq(rows[2].connections, 2);
    cr_expect_eq(rows[2].judged[QPW_JUDGED_MUTE], 0);
    free(rows);
}

Test(speaks, each_row_adds_up_in_json)
{
    struct qpw_snapshot s = picture();
    struct qpw_meter_row *m = add(&s, 445, 1, 9);
    json_t *list, *row, *reason;
    json_int_t sum = 0;
    const char *name;

    for (unsigned as = QPW_JUDGED_MATCH; as < QPW_JUDGED_VALUES; as++)
        m->judged[as] = 1;
    list = qpw_json_speaks_ports(&s);
    cr_assert_eq(json_array_size(list), 1);
    row = json_array_get(list, 0);
    cr_expect_str_eq(json_string_value(json_object_get(row, "rule")), "smb");
    cr_expect_str_eq(json_string_value(json_object_get(row, "protocol")), "tcp");
    cr_expect_eq(json_integer_value(json_object_get(row, "port")), 445);
    json_object_foreach(json_object_get(row, "not_judged"), name, reason)
        sum += json_integer_value(reason);
    cr_expect_eq(sum + json_integer_value(json_object_get(row, "match")) + json_integer_value(json_object_get(row, "mismatch")), 9);
    json_decref(list);
}

static char *rendered(const struct qpw_snapshot *s, int (*render)(const struct qpw_report *, const struct qpw_render_options *, FILE *))
{
    struct qpw_report r;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_eq(qpw_report_make(s, 0, &r), 0);
    cr_assert_eq(render(&r, &(struct qpw_render_options){0}, out), 0);
    qpw_report_clear(&r);
    fclose(out);
    return text;
}

Test(speaks, text_and_page_say_the_same)
{
    struct qpw_snapshot s = picture();
    char *text, *page;

    page = rendered(&s, qpw_report_html);
    cr_expect_null(strstr(page, "First bytes"), "nothing was looked at");
    free(page);
    add(&s, 445, 1, 9)->judged[QPW_JUDGED_MATCH] = 3;
    meters[0].judged[QPW_JUDGED_SHORT] = 2;
    text = rendered(&s, qpw_report_text);
    page = rendered(&s, qpw_report_html);
    cr_expect_not_null(strstr(page, "id=\"speaks\""), "%s", page);
    cr_expect_not_null(strstr(text, "short 2,"), "%s", text);
    cr_expect_not_null(strstr(text, "mute 4"), "%s", text);
    cr_expect_not_null(strstr(page, "short 2, mute 4"), "%s", page);
    cr_expect_not_null(strstr(page, "66.7"), "not judged: 6 of 9");
    free(text);
    free(page);
}
