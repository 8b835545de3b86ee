/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A statement: made from a snapshot, written, read back unchanged; and forged documents in its place. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/statement.h"
#include "sample.h"
#include "snapshot/samples.h"
#include "util/names.h"

static struct qpw_snapshot s;
static struct qpw_report report;
static struct qpw_neighbourhood around;
static struct qpw_openers openers[QPW_MAX_PEERS];
static struct qpw_sample samples[3];
static const bool floating[2] = {false, true};

static void begin(void)
{
    static struct qpw_device devices[] = {{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}, .up = true},
                                          {.ifindex = 3, .name = "eth1", .mac = {2, 0, 0, 0, 0, 9}, .up = true}};
    static struct qpw_device_address addresses[] = {{.ifindex = 2}, {.ifindex = 2}};
    static struct qpw_neighbour neighbours[] = {{.mac = {2, 0, 0, 0, 0, 7}, .ifindex = 2, .confirmed_unix_ns = SAMPLE_NOW_NS},
                                                {.mac = {2, 0, 0, 0, 0, 2}, .ifindex = 2, .confirmed_unix_ns = SAMPLE_NOW_NS}};

    sample_snapshot(&s, 0);
    qpw_address_parse("10.0.0.1", addresses[0].addr);
    qpw_address_parse("10.0.0.50", addresses[1].addr);
    qpw_address_parse("10.0.0.7", neighbours[0].addr);
    qpw_address_parse("10.0.0.2", neighbours[1].addr);
    around = (struct qpw_neighbourhood){devices, 2, addresses, 2, neighbours, 2};
    openers[SAMPLE_NODE2].of[0] = (struct qpw_opener){.mac = {2, 0, 0, 0, 0, 2}, .last_ns = 5};
    for (unsigned i = 0; i < 3; i++) {
        samples[i] = (struct qpw_sample){.boot_ns = (100 + i) * 1000000000ull, .reading_ns = 40000};
        samples[i].pair[0] = (struct qpw_sample_pair){.peer = SAMPLE_NODE2, .tx = 1000 + 10 * i, .rx = 500 + i};
        strcpy(samples[i].device[0].name, "eth1");
        samples[i].device[0].rx = 70 + i;
    }
}

static void end(void)
{
    qpw_report_clear(&report);
    qpw_snapshot_clear(&s);
}

TestSuite(statement, .init = begin, .fini = end);

/* Return the document of the current snapshot; caller drops it. */
static json_t *written(struct qpw_statement *made)
{
    struct qpw_statement_from from = {.report = &report, .around = &around, .floating = floating, .openers = openers, .samples = samples,
                                      .n_samples = 3, .boot_id = "cf5ad57c-1289-494e-af4c-e1c7a9ce03c1", .boot_ns = 103000000000ull,
                                      .clock_error_ns = 2500000, .mono_to_unix_ns = (int64_t)SAMPLE_NOW_NS};
    json_t *ret = NULL;

    qpw_report_clear(&report);
    cr_assert_eq(qpw_report_make(&s, 0, &report), 0);
    cr_assert_eq(qpw_statement_make(&from, made), 0);
    cr_assert_eq(qpw_statement_json(made, &report, &ret), 0);
    return ret;
}

static int read_back(json_t *document, struct qpw_statement *ret, struct qpw_error *err)
{
    char *text = json_dumps(document, JSON_COMPACT), digest[QPW_STATEMENT_DIGEST];
    int r;

    if (json_object_get(document, "digest"))
        json_object_set_new(document, "digest", json_string(qpw_statement_digest(document, digest)));
    free(text);
    text = json_dumps(document, JSON_COMPACT);
    r = qpw_statement_read(text, strlen(text), "node1.json", ret, err);
    free(text);
    return r;
}

static const struct qpw_stated_pair *pair_of(const struct qpw_statement *st, const char *peer)
{
    for (size_t i = 0; i < st->n_pairs; i++)
        if (!strcmp(st->pairs[i].peer, peer))
            return &st->pairs[i];
    cr_assert(false, "no pair with %s", peer);
    return NULL;
}

Test(statement, says_what_was_counted_and_is_read_back_the_same)
{
    struct qpw_statement made, got;
    struct qpw_meter_row *m;
    struct qpw_error err;
    const struct qpw_stated_pair *p;
    json_t *document;

    m = sample_meter(&s, (struct sample_service){IPPROTO_TCP, 3999, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2);
    m->counts = (struct qpw_counts){3, 500, 50000, 1000, 90000};
    m = sample_meter(&s, (struct sample_service){IPPROTO_UDP, 5353, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2);
    m->counts = (struct qpw_counts){1, 7, 700, 0, 0};
    m->key.apart = QPW_APART_GROUP;
    m = sample_meter(&s, (struct sample_service){IPPROTO_ICMP, 3, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2);
    m->key.kind = QPW_KIND_ICMP;
    m->counts = (struct qpw_counts){1, 4, 400, 0, 0};
    document = written(&made);
    cr_assert_eq(read_back(document, &got, &err), 0, "%s", err.text);
    cr_expect_str_eq(got.node, "node1");
    cr_expect_str_eq(got.epoch, "cf5ad57c-1289-494e-af4c-e1c7a9ce03c1:1767225600");
    cr_expect_eq(got.seq, 3600000u);
    cr_expect_eq(got.at_unix_ns, SAMPLE_NOW_NS);
    cr_expect_eq(got.uptime_us, 103000000u);
    cr_expect_eq(got.clock_error_us, 2500u);
    p = pair_of(&got, "node2");
    cr_expect_eq(p->tx.packets, pair_of(&made, "node2")->tx.packets);
    cr_expect_eq(p->apart, 11u, "a group and an ICMP error: %lu", p->apart);
    cr_expect_eq(p->n_macs, 1u);
    cr_expect_eq(p->mac[0].last_unix_ns / 1000, (SAMPLE_NOW_NS + 5) / 1000);
    for (size_t i = 0; i < p->n_by; i++)
        if (p->by[i].service.port == 3999) {
            cr_expect_eq(p->by[i].opened, 3u);
            cr_expect_eq(p->by[i].tx, 1000u);
            cr_expect_eq(p->by[i].rx, 500u);
            cr_expect_str_eq(p->by[i].service.direction, "inbound");
        }
    cr_expect_eq(got.n_local, 2u);
    cr_expect(!got.local[0].floating && got.local[1].floating);
    cr_expect_eq(got.n_unwatched, 1u);
    cr_expect_eq(got.unwatched[0].rx, 77u);
    cr_expect_eq(got.unwatched[0].mac[5], 9u);
    cr_expect_eq(got.n_neigh, 2u);
    cr_expect_eq(got.neigh[0].mac[5], 2u, "peers first");
    cr_expect_eq(got.samples.n, 3u);
    cr_expect_eq(got.samples.boot_us[2], 102000000u);
    cr_assert_eq(got.samples.n_pairs, 1u);
    cr_expect_eq(got.samples.pairs[0].tx[2], 1020u);
    cr_expect_eq(got.samples.pairs[0].rx[1], 501u);
    cr_expect_eq(got.samples.devices[0].rx[2], 72u);
    cr_expect_eq(got.n_ports, made.n_ports);
    cr_expect_gt(got.n_ports, 3u);
    qpw_statement_clear(&made);
    qpw_statement_clear(&got);
    json_decref(document);
}

Test(statement, samples_of_an_auditor_that_has_ended_are_none)
{
    struct qpw_statement made;
    json_t *document;

    for (unsigned i = 0; i < 3; i++)
        samples[i].boot_ns -= 62000000000ull;
    document = written(&made);
    cr_expect_eq(made.samples.n, 0u);
    cr_expect_not(json_object_get(document, "samples"));
    qpw_statement_clear(&made);
    json_decref(document);
}

Test(statement, answered_findings_come_first_and_initiators_are_counted)
{
    struct qpw_statement made;
    json_t *document;
    size_t scans = 0;

    for (unsigned i = 0; i < 3; i++)
        sample_finding(&s, (struct sample_service){IPPROTO_TCP, 7777, QPW_DIR_INBOUND}, i ? "10.9.0.8" : "10.9.0.7",
                       "10.0.0.1", QPW_OUTCOME_DATA);
    document = written(&made);
    cr_expect_str_eq(made.ports[0].verdict, "unexpected");
    for (size_t i = 0; i < made.n_ports; i++)
        if (made.ports[i].service.port == 7777) {
            cr_expect_eq(made.ports[i].initiators, 2u);
            cr_expect_str_eq(made.ports[i].outcome, "data");
            scans++;
        }
    cr_expect_eq(scans, 1u);
    qpw_statement_clear(&made);
    json_decref(document);
}

Test(statement, keeps_its_limits_and_counts_what_it_leaves_out)
{
    struct qpw_statement made, got;
    struct qpw_error err;
    json_t *document, *left_out;

    for (unsigned i = 0; i < 700; i++)
        sample_meter(&s, (struct sample_service){IPPROTO_TCP, 20000 + i, QPW_DIR_INBOUND}, QPW_VERDICT_UNEXPECTED, 0, 0);
    for (unsigned i = 0; i < 40; i++)
        sample_meter(&s, (struct sample_service){IPPROTO_TCP, 30000 + i, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE3);
    free(s.peers);
    s.n_peers = QPW_MAX_PEERS;
    s.peers = calloc(s.n_peers, sizeof(*s.peers));
    for (unsigned i = 1; i < QPW_MAX_PEERS; i++) {
        snprintf(s.peers[i].name, sizeof(s.peers[i].name), "a-node-with-a-rather-long-name-of-its-own-%u", i);
        s.peers[i].in_force = 1;
        for (unsigned port = 0; port < 8; port++)
            sample_meter(&s, (struct sample_service){IPPROTO_TCP, 3000 + port, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, i)
                ->counts.rx_packets = 1ull << 50;
    }
    document = written(&made);
    left_out = json_object_get(document, "left_out");
    cr_expect_eq(made.n_ports, QPW_STATED_PORTS);
    cr_expect_eq((size_t)json_integer_value(json_object_get(left_out, "ports")) + json_array_size(json_object_get(document, "ports")),
                 made.n_ports + made.left_out.ports);
    cr_expect_geq(made.left_out.ports, 188u);
    cr_expect_gt(json_integer_value(json_object_get(left_out, "by")), 24);
    cr_assert_eq(read_back(document, &got, &err), 0, "%s", err.text);
    cr_expect_eq(got.n_pairs, (size_t)QPW_MAX_PEERS - 1);
    json_object_del(document, "samples");
    cr_expect_leq(json_dumpb(document, NULL, 0, JSON_COMPACT), QPW_STATEMENT_BYTES);
    qpw_statement_clear(&made);
    qpw_statement_clear(&got);
    json_decref(document);
}

/* ---- Forged documents ---- */

static void expect_error(const char *bytes, size_t length, const char *error)
{
    struct qpw_statement got;
    struct qpw_error err = {""};

    cr_expect_eq(qpw_statement_read(bytes, length, "node1.json", &got, &err), -EINVAL, "%.60s", bytes);
    cr_expect_str_eq(err.text, error);
    qpw_statement_clear(&got);
}

Test(statement, what_is_none_is_an_error_in_one_line)
{
    static const struct {
        const char *bytes, *error;
    } wrong[] = {
        {"", "node1.json: is empty"},
        {"{\"a\":1}", "node1.json: is not a statement; 'qportwatch statement' writes one"},
        {"[]", "node1.json: is no JSON object: line 1: another value"},
        {"{\"schema\":\"qportwatch.report/1\"}", "node1.json: is not a statement; 'qportwatch statement' writes one"},
        {"{\"schema\":\"qportwatch.statement/2\"}",
         "node1.json: qportwatch.statement/2 is of another version of qportwatch; this one reads qportwatch.statement/1"},
        {"{\"schema\":\"qportwatch.statement/1\"}", "node1.json: digest: is missing"},
        {"{\"schema\":\"qportwatch.statement/1\",\"digest\":\"sha256:00\"}",
         "node1.json: digest: is not that of the content: the statement was changed or damaged"},
        {"[[[[[[[[[", "node1.json: objects and lists are nested more than 8 deep"},
    };
    char *large = calloc(1, 600 << 10), text[2000] = "{\"a\":\"";

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        expect_error(wrong[i].bytes, strlen(wrong[i].bytes), wrong[i].error);
    memset(text + 6, 'x', 1900);
    strcat(text, "\"}");
    expect_error(text, strlen(text), "node1.json: holds a text of more than 256 bytes");
    memset(large, ' ', 600 << 10);
    expect_error(large, 600 << 10, "node1.json: is larger than 512 KiB");
    free(large);
}

/* Change one member of a valid document, and check the error. */
static void expect_changed(const char *key, json_t *value, const char *error)
{
    struct qpw_statement made, got;
    struct qpw_error err = {""};
    json_t *document = written(&made), *at = document;
    char part[64];

    for (; strchr(key, '.'); key = strchr(key, '.') + 1) {
        snprintf(part, sizeof(part), "%.*s", (int)strcspn(key, "."), key);
        at = json_object_get(at, part);
    }
    json_object_set_new(at, key, value);
    cr_expect_eq(read_back(document, &got, &err), error ? -EINVAL : 0, "%s: %s", key, err.text);
    cr_expect_str_eq(err.text, error ? error : "");
    qpw_statement_clear(&made);
    qpw_statement_clear(&got);
    json_decref(document);
}

Test(statement, each_part_is_checked)
{
    json_t *many = json_array();

    for (unsigned i = 0; i < QPW_STATED_PORTS + 1; i++)
        json_array_append_new(many, json_array());
    expect_changed("of a later version", json_pack("{s:[i]}", "x", 1), NULL);
    expect_changed("node", json_null(), "node1.json: node: is missing");
    expect_changed("node", json_integer(1), "node1.json: node: is not a text");
    expect_changed("at", json_string("yesterday"), "node1.json: at: is not a time such as 2026-03-01T10:00:00Z");
    expect_changed("seq", json_integer(-1), "node1.json: seq: is not a whole number from 0 to 2^53 - 1");
    expect_changed("seq", json_real(1.5), "node1.json: seq: is not a whole number from 0 to 2^53 - 1");
    expect_changed("cover.lost", json_string("x"), "node1.json: cover.lost: is not a whole number from 0 to 2^53 - 1");
    expect_changed("pairs", json_object(), "node1.json: pairs: is not a list");
    expect_changed("pairs", json_pack("[{}]"), "node1.json: pairs[0]: names no peer");
    expect_changed("ports", many, "node1.json: ports: has more than 512 entries");
    expect_changed("ports", json_pack("[[s,i]]", "tcp", 65536), "node1.json: ports[0]: has no port from 0 to 65535");
    expect_changed("neigh", json_pack("[[s,s]]", "10.0.0.1", "none"), "node1.json: neigh[0]: is not a MAC address");
    expect_changed("local", json_pack("[{s:s}]", "addr", "host"), "node1.json: local[0]: is not an address");
    expect_changed("samples.at", json_pack("[i,i]", 5, 0), "node1.json: samples.at: does not go forward");
    expect_changed("samples.at", json_pack("[i]", 5), "node1.json: samples.pairs[0]: has not as many values as there are samples");
    expect_changed("cover.devices", json_pack("[i]", 5), "node1.json: cover.devices[0]: is not an object");
}

Test(statement, names_of_others_cannot_steer_a_terminal)
{
    struct qpw_statement made, got;
    struct qpw_error err;
    json_t *document = written(&made);

    json_object_set_new(document, "node", json_string("node\x1b[31m1"));
    cr_assert_eq(read_back(document, &got, &err), 0, "%s", err.text);
    cr_expect_str_eq(got.node, "node?[31m1");
    qpw_statement_clear(&made);
    qpw_statement_clear(&got);
    json_decref(document);
}

Test(statement, is_what_its_schema_says)
{
    static const char validator[] = "import json, sys\n"
                                    "try:\n    import jsonschema\nexcept ImportError:\n    sys.exit(77)\n"
                                    "jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))\n";
    char path[] = "/tmp/qportwatch-statement.XXXXXX";
    struct qpw_statement made;
    json_t *document = written(&made);
    int fd = mkstemp(path), status;
    pid_t pid;

    cr_assert(fd >= 0 && json_dumpfd(document, fd, 0) == 0);
    close(fd);
    pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "-c", validator, "user/dist/schemas/statement.json", path, (char *)NULL);
        _exit(77);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    unlink(path);
    qpw_statement_clear(&made);
    json_decref(document);
    if (WEXITSTATUS(status) == 77)
        cr_skip_test("python3 with jsonschema is not there");
    cr_expect_eq(status, 0);
}
