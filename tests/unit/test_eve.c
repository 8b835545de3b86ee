/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records as JSON: every signature is valid against the format's schema, and has the fields that readers rely on.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "alert/text.h"
#include "alerts.h"

#define SCHEMA "../shared/schemas/eve.json"

static const char validator[] =
    "import json, sys\n"
    "try:\n"
    "    import jsonschema\n"
    "except ImportError:\n"
    "    sys.exit(77)\n"
    "check = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))\n"
    "bad = 0\n"
    "for n, line in enumerate(open(sys.argv[2]), 1):\n"
    "    for e in check.iter_errors(json.loads(line)):\n"
    "        print('line %d: %s: %s' % (n, '/'.join(map(str, e.absolute_path)), e.message[:300]), file=sys.stderr)\n"
    "        bad = 1\n"
    "sys.exit(bad)\n";

/* Return the validator's exit status for that file. */
static int validate(const char *path)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execlp("python3", "python3", "-c", validator, SCHEMA, path, (char *)NULL);
        _exit(77);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Fill a record of that signature with everything that it can carry. */
static void fill(struct qpw_record *r, enum qpw_signature_name name, const struct qpw_finding_row *row)
{
    struct qpw_engine_context context = plain_context();
    struct qpw_text_about about = {.context = &context, .row = row, .neighbour = true,
                                   .words = {.count = "12", .detail = "detail", .ports = "1-9",
                                             .prefixes = "10.0.0.0/24 (12)", .first = "10.0.0.7", .peer = "node2", .iface = "eth0",
                                             .remote = "10.0.0.5", .rule = "in-tcp-32768-60999"}};

    memset(r, 0, sizeof(*r));
    r->signature = qpw_signature(name);
    r->kind = QPW_RECORD_FIRST;
    r->seen_unix_ns = T0;
    r->written_unix_ns = T0 + SEC;
    r->flow_id = (1ull << 53) - 1;
    r->sequence = 1;
    r->host = "node1";
    r->iface = "eth0";
    if (row) {
        r->has_row = true;
        r->row = *row;
        r->has_initiator = r->has_responder = row->key.kind != QPW_KIND_ETHERTYPE;
        r->has_port = row->key.kind == QPW_KIND_PORT;
    }
    qpw_text_fill(r->signature->text, &about, r->text, sizeof(r->text));
    qpw_record_fact(r, "verdict", "unexpected");
    qpw_record_fact(r, "prefixes", "10.0.0.0/24 12");
    qpw_record_fact(r, "prefixes", "10.0.1.0/24 3");
}

static void put(FILE *out, const struct qpw_record *r)
{
    size_t length;
    char *line;

    cr_assert_eq(qpw_eve_line(r, NULL, &line, &length), 0);
    cr_expect_eq(strlen(line), length);
    cr_expect_eq(strchr(line, '\n'), line + length - 1);
    fwrite(line, 1, length, out);
    free(line);
}

Test(eve, every_signature_is_valid)
{
    char path[] = "/tmp/qpw-eve-XXXXXX";
    struct qpw_finding_row rows[5];
    struct qpw_heartbeat heartbeat = {.uptime_s = 60, .packets = 1ull << 40, .alerts = 3};
    static struct qpw_record r;
    FILE *out = fdopen(mkstemp(path), "w");
    int status;

    rows[0] = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0 + SEC});
    rows[0].value.vlan = 200;
    rows[1] = finding(QPW_DIR_OUTBOUND, "fd00::1", "fd00::2", 6667, QPW_OUTCOME_DATA, (struct span){T0, T0 + SEC});
    rows[2] = rows[0];
    rows[2].key.kind = QPW_KIND_ICMP;
    rows[2].key.protocol = IPPROTO_ICMP;
    rows[2].key.port = 13;
    rows[3] = rows[0];
    rows[3].key.kind = QPW_KIND_PROTOCOL;
    rows[3].key.protocol = 47;
    rows[3].key.port = 0;
    rows[4] =
        (struct qpw_finding_row){.key = {.kind = QPW_KIND_ETHERTYPE, .port = 0x8915, .direction = QPW_DIR_NON_IP}};

    cr_assert(out);
    for (unsigned name = 1; name < QPW_SIG_COUNT; name++)
        for (unsigned i = 0; i < 6; i++) {
            fill(&r, name, i < 5 ? &rows[i] : NULL);
            put(out, &r);
        }
    memset(&r, 0, sizeof(r));
    r.kind = QPW_RECORD_STATS;
    r.host = "node1";
    r.seen_unix_ns = T0;
    r.heartbeat = &heartbeat;
    put(out, &r);
    fclose(out);
    if (access(SCHEMA, R_OK) < 0) {
        unlink(path);
        cr_skip_test("the schema is not there");
    }
    status = validate(path);
    unlink(path);
    if (status == 77)
        cr_skip_test("python3 with jsonschema is not there");
    cr_expect_eq(status, 0, "a record is not valid, see above");
}

Test(eve, an_alert_has_every_promised_field)
{
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0 + SEC});
    static struct qpw_record r;
    json_t *o, *alert, *flow;
    size_t length;
    char *line;

    row.value.vlan = 200;
    fill(&r, QPW_SIG_IN_DATA, &row);
    cr_assert_eq(qpw_eve_line(&r, NULL, &line, &length), 0);
    o = json_loads(line, 0, NULL);
    cr_assert(o);
    alert = json_object_get(o, "alert");
    flow = json_object_get(o, "flow");
    cr_expect_str_eq(json_string_value(json_object_get(o, "event_type")), "alert");
    cr_expect_str_eq(json_string_value(json_object_get(o, "timestamp")), "2026-03-01T00:00:00.000000+0000");
    cr_expect_str_eq(json_string_value(json_object_get(o, "src_ip")), "10.0.0.5");
    cr_expect_eq(json_integer_value(json_object_get(o, "src_port")), 40000);
    cr_expect_str_eq(json_string_value(json_object_get(o, "dest_ip")), "10.0.0.1");
    cr_expect_eq(json_integer_value(json_object_get(o, "dest_port")), 4444);
    cr_expect_str_eq(json_string_value(json_object_get(o, "proto")), "TCP");
    cr_expect_str_eq(json_string_value(json_object_get(o, "host")), "node1");
    cr_expect_str_eq(json_string_value(json_object_get(o, "in_iface")), "eth0");
    cr_expect_eq(json_integer_value(json_array_get(json_object_get(o, "vlan"), 0)), 200);
    cr_expect_eq(json_integer_value(json_object_get(o, "flow_id")), (1ll << 53) - 1);
    cr_expect_eq(strncmp(json_string_value(json_object_get(o, "community_id")), "1:", 2), 0);
    cr_expect_eq(json_integer_value(json_object_get(alert, "gid")), 9100);
    cr_expect_eq(json_integer_value(json_object_get(alert, "signature_id")), 1000104);
    cr_expect_eq(json_integer_value(json_object_get(alert, "severity")), 1);
    cr_expect_str_eq(json_string_value(json_object_get(alert, "action")), "allowed");
    cr_expect_eq(json_array_size(json_object_get(json_object_get(alert, "metadata"), "prefixes")), 2);
    cr_expect_eq(json_integer_value(json_object_get(flow, "pkts_toserver")), 2);
    cr_expect_eq(json_integer_value(json_object_get(flow, "bytes_toclient")), 74);
    json_decref(o);
    free(line);
}

Test(eve, what_the_node_opened_has_the_node_as_its_source)
{
    struct qpw_finding_row row = finding(QPW_DIR_OUTBOUND, "10.0.0.1", "192.0.2.9", 6667, QPW_OUTCOME_DATA, (struct span){T0, T0});
    static struct qpw_record r;
    size_t length;
    char *line;

    fill(&r, QPW_SIG_OUT_DATA, &row);
    cr_assert_eq(qpw_eve_line(&r, NULL, &line, &length), 0);
    cr_expect(strstr(line, "\"src_ip\":\"10.0.0.1\""));
    cr_expect(strstr(line, "\"pkts_toserver\":1,\"pkts_toclient\":2"), "%s", line);
    free(line);
}

Test(eve, any_bytes_of_a_name_give_valid_json)
{
    static struct qpw_record r;
    size_t length;
    json_t *o;
    char *line;

    fill(&r, QPW_SIG_STARTED, NULL);
    qpw_record_fact(&r, "process", "a\xff\"\n\x01z");
    cr_assert_eq(qpw_eve_line(&r, NULL, &line, &length), 0);
    o = json_loads(line, 0, NULL);
    cr_expect(o);
    cr_expect_eq(strchr(line, '\n'), line + length - 1);
    json_decref(o);
    free(line);
}

Test(eve, times_read_back)
{
    char buf[40];

    cr_expect_str_eq(qpw_eve_time(T0 + 1234567000, buf, sizeof(buf)), "2026-03-01T00:00:01.234567+0000");
    cr_expect_eq(qpw_eve_parse_time(buf), T0 + 1234567000);
    cr_expect_eq(qpw_eve_parse_time("2026-03-01T00:00:01.234567Z"), T0 + 1234567000);
    cr_expect_eq(qpw_eve_parse_time("yesterday"), 0);
}

Test(signatures, the_table_is_sound)
{
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);

        cr_expect(s->id >= 1000000 && s->id <= 1999999, "%u", i);
        cr_expect(s->severity >= QPW_SEVERITY_HIGH && s->severity <= QPW_SEVERITY_INFO, "%s", s->name);
        cr_expect(s->title[0] && s->text[0], "%s", s->name);
        cr_expect(s->operational || s->advice[0], "%s", s->name);
        cr_expect_eq(qpw_signature_by_id(s->id), s, "number %u twice", s->id);
        for (unsigned j = 1; j < i; j++)
            cr_expect_str_neq(qpw_signature(j)->name, s->name);
    }
}

Test(signatures, no_word_is_left_in_braces)
{
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    static struct qpw_record r;

    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        fill(&r, i, &row);
        cr_expect_not(strpbrk(r.text, "{}"), "%s: %s", r.signature->name, r.text);
        cr_expect_not(strstr(r.text, "  "), "%s: a word was not known: %s", r.signature->name, r.text);
    }
}

/* Escape hyphens as in a man page. */
static const char *with_hyphens(const char *name, char ret[64])
{
    size_t n = 0;

    for (; *name; name++)
        n += (size_t)snprintf(ret + n, 64 - n, *name == '-' ? "\\-" : "%c", *name);
    return ret;
}

Test(signatures, the_man_page_lists_them_as_they_are)
{
    char row[512], name[64], *text = NULL;
    size_t size = 0;
    FILE *in = fopen("user/dist/man/qportwatch-alerts.5", "r");

    cr_assert(in);
    cr_assert_gt(getdelim(&text, &size, '\0', in), 0);
    fclose(in);
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);

        snprintf(row, sizeof(row), "%u\t\\fB%s\\fR\t%s\t%s\tT{\n%s\nT}\n", s->id, with_hyphens(s->name, name),
                 qpw_severity_name(s->severity),
                 s->repeat == QPW_REPEAT_INTERVAL ? "interval" : s->repeat == QPW_REPEAT_DAY ? "day" : "no",
                 s->title + strlen("qportwatch: "));
        cr_expect(strstr(text, row), "not in the man page: %s", row);
    }
    free(text);
}
