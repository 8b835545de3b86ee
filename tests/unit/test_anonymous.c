/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Replacement of names and addresses: no input text appears in any document, and the mapping keeps its structure. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymous/anonymous.h"
#include "policy/lang/rule_text.h"
#include "anonymous/stated.h"
#include "cluster/statement.h"
#include "cmd/anonymize.h"
#include "evidence/evidence.h"
#include "page.h"
#include "util/names.h"

static struct qpw_anonymous *a, *b; /* with two different keys */
static char folder[] = "/tmp/qportwatch-anonymous-XXXXXX";

static struct qpw_anonymous *open_key(const char *name, const char *key)
{
    struct qpw_anonymous *ret;
    struct qpw_error err;
    char path[96];
    bool made;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    fputs(key, file);
    fclose(file);
    chmod(path, 0600);
    cr_assert_eq(qpw_anonymous_open(path, &ret, &made, &err), 0, "%s", err.text);
    cr_expect_not(made);
    return ret;
}

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
    a = open_key("a", "0123456789abcdef0123456789abcdef");
    b = open_key("b", "another key of sixteen bytes at least");
}

static void end(void)
{
    char command[96];

    qpw_anonymous_close(a);
    qpw_anonymous_close(b);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(anonymous, .init = start, .fini = end);

static const char *map(const struct qpw_anonymous *key, const char *text)
{
    static char buf[4][64];
    static unsigned n;
    uint8_t addr[16];

    cr_assert_eq(qpw_address_parse(text, addr), 0, "%s", text);
    qpw_anonymous_address(key, addr, addr);
    n = (n + 1) % 4;
    return qpw_address_text(addr, buf[n], sizeof(buf[n]));
}

/* ---- Addresses ---- */

Test(anonymous, the_same_is_the_same_under_one_key_alone)
{
    cr_expect_str_eq(map(a, "10.9.0.7"), map(a, "10.9.0.7"));
    cr_expect_str_neq(map(a, "10.9.0.7"), map(b, "10.9.0.7"));
    cr_expect_str_neq(map(a, "10.9.0.7"), map(a, "10.9.0.8"));
}

Test(anonymous, classes_stay)
{
    static const struct { const char *address, *class; } rows[] = {
        {"10.9.0.7", "10."}, {"172.20.3.4", "172."}, {"192.168.7.7", "192.168."}, {"169.254.9.9", "169.254."}, {"fd12:3456::1", "fd"},
        {"fe80::1234", "fe80::"}};
    static const char *const whole[] = {"0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.251", "::", "::1", "ff02::fb"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        cr_expect(!strncmp(map(a, rows[i].address), rows[i].class, strlen(rows[i].class)), "%s: %s", rows[i].address,
                  map(a, rows[i].address));
    for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++)
        cr_expect_str_eq(map(a, whole[i]), whole[i]);
    cr_expect_str_neq(map(a, "ff02::1:ff12:3456"), "ff02::1:ff12:3456", "it has the end of an address");
}

/* Public addresses stay public under any key. */
Test(anonymous, public_stays_public)
{
    char text[32];

    for (unsigned i = 0; i < 400; i++) {
        const char *mapped;

        snprintf(text, sizeof(text), "%u.%u.7.9", 11 + i % 88, i % 256);
        mapped = map(a, text);
        cr_expect(strncmp(mapped, "10.", 3) && strncmp(mapped, "127.", 4) && strncmp(mapped, "192.168.", 8) && strncmp(mapped, "0.", 2) &&
                  atoi(mapped) < 224, "%s: %s", text, mapped);
    }
    cr_expect(strchr("23", map(a, "2001:db8::1")[0]), "%s", map(a, "2001:db8::1"));
}

Test(anonymous, prefixes_that_are_shared_stay_shared)
{
    static const struct { const char *one, *other; unsigned bits; } rows[] = {
        {"10.9.0.7", "10.9.0.8", 28}, {"10.9.0.7", "10.9.1.7", 23}, {"10.9.0.7", "10.8.0.7", 15}, {"203.0.113.1", "203.0.113.2", 30}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t one[16], other[16];
        unsigned shared = 0;

        qpw_address_parse(map(a, rows[i].one), one);
        qpw_address_parse(map(a, rows[i].other), other);
        while (shared < 32 && !((one[12 + shared / 8] ^ other[12 + shared / 8]) >> (7 - shared % 8) & 1))
            shared++;
        cr_expect_eq(shared, rows[i].bits, "%s, %s: %u", rows[i].one, rows[i].other, shared);
    }
}

/* Two addresses never map to the same one. */
Test(anonymous, maps_one_to_one)
{
    bool seen[256] = {false};

    for (unsigned i = 0; i < 256; i++) {
        char text[32];
        unsigned last;

        snprintf(text, sizeof(text), "10.9.0.%u", i);
        last = (unsigned)atoi(strrchr(map(a, text), '.') + 1);
        cr_expect_not(seen[last], "%s", text);
        seen[last] = true;
    }
}

Test(anonymous, cards)
{
    uint8_t mac[6] = {0x00, 0x1b, 0x21, 1, 2, 3}, out[6], group[6] = {1, 0x80, 0xc2, 0, 0, 0}, same[6];

    qpw_anonymous_mac(a, mac, out);
    cr_expect_neq(memcmp(mac, out, 6), 0);
    cr_expect_eq(out[0] & 3, 2, "locally administered, one card's");
    qpw_anonymous_mac(a, group, same);
    cr_expect_eq(memcmp(group, same, 6), 0);
}

/* ---- The key ---- */

Test(anonymous, the_key_is_drawn_once_and_nobody_elses)
{
    char path[96], first[64], second[64];
    struct qpw_anonymous *one, *again;
    struct qpw_error err;
    struct stat st;
    bool made;

    snprintf(path, sizeof(path), "%s/new", folder);
    cr_assert_eq(qpw_anonymous_open(path, &one, &made, &err), 0, "%s", err.text);
    cr_expect(made);
    cr_expect(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 32);
    cr_assert_eq(qpw_anonymous_open(path, &again, &made, &err), 0, "%s", err.text);
    cr_expect_not(made);
    cr_expect_str_eq(qpw_anonymous_name(one, "host", "node1", first, sizeof(first)), qpw_anonymous_name(again, "host", "node1", second, sizeof(second)));
    qpw_anonymous_close(one);
    qpw_anonymous_close(again);
    chmod(path, 0640);
    cr_expect_lt(qpw_anonymous_open(path, &one, &made, &err), 0);
    cr_expect_not_null(strstr(err.text, "others can read the key"), "%s", err.text);
    chmod(path, 0600);
    cr_assert_eq(truncate(path, 8), 0);
    cr_expect_lt(qpw_anonymous_open(path, &one, &made, &err), 0);
    cr_expect_not_null(strstr(err.text, "16 bytes at least"), "%s", err.text);
    cr_expect_lt(qpw_anonymous_open(folder, &one, &made, &err), 0);
    cr_expect_lt(qpw_anonymous_open("/nonexistent/key", &one, &made, &err), 0);
}

/* ---- Rules ---- */

Test(anonymous, statements_keep_what_says_nothing_of_the_site)
{
    static const struct { const char *text, *begin, *not_in; } rows[] = {
        {"inbound tcp 445 SMB", "inbound tcp 445 purpose-", "SMB"},
        {"inbound tcp,udp 111,2049 \"NFS of alice\" weak until=2027-03-01", "inbound tcp,udp 111,2049 purpose-", "alice"},
        {"outbound tcp any x to=@dc,10.9.0.7,10.9.0.0/24 ref=CHG-7", "outbound tcp any purpose-", "10.9.0"},
        {"inbound tcp alice x", "inbound tcp purpose-", "alice"},
        {"inbound alice 445", "inbound purpose-", "alice"},
        {"suppress inbound tcp any from=10.9.0.7 reason=alice", "purpose-", "10.9.0.7"},
        {"inbound tcp 22 \"half a quote of alice", "inbound tcp 22 purpose-", "alice"},
        {"inbound tcp 22 x name=alice owner=/home/alice/x iface=alice0 feature=alice speaks=alice", "inbound tcp 22 purpose-", "alice"},
        {"inbound tcp 22 x speaks=ssh,alice", "inbound tcp 22 purpose-", "alice"},
        {"infra arp: EtherType 0x0806, of its form", "infra arp: EtherType 0x0806", "-x-"}};
    char out[512];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        qpw_anonymous_statement(a, rows[i].text, out, sizeof(out));
        cr_expect(!strncmp(out, rows[i].begin, strlen(rows[i].begin)), "%s: %s", rows[i].text, out);
        cr_expect_null(strstr(out, rows[i].not_in), "%s: %s", rows[i].text, out);
    }
    qpw_anonymous_statement(a, rows[1].text, out, sizeof(out));
    cr_expect_not_null(strstr(out, " weak until=2027-03-01"), "%s", out);
    qpw_anonymous_statement(a, rows[2].text, out, sizeof(out));
    cr_expect_not_null(strstr(out, "/24"), "%s", out);
    qpw_anonymous_statement(a, "inbound tcp 443 x speaks=tls,http", out, sizeof(out));
    cr_expect_not_null(strstr(out, " speaks=tls,http"), "%s", out);
    qpw_anonymous_statement(a, "inbound tcp 22 SSH ref=alices-ports.md:23", out, sizeof(out)); /* a line of a page, not an approval */
    cr_expect(qpw_ref_is_page(strstr(out, "ref=") + 4, NULL), "%s", out);
    cr_expect_null(strstr(out, "alice"), "%s", out);
}

Test(anonymous, rules_of_the_tool_and_of_ports_keep_their_names)
{
    static const char *const kept[] = {"", "in-tcp-445", "out-tcp+udp-111", "in-47-any", "infra-arp", "implied-dns-tcp", "nfs", "in-tcp-32768-60999"};
    static const char *const others[] = {"alice", "in-alice", "in-tcp-445-alice", "implied-alice", "out-", "tcp-445"};
    char out[64];

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        cr_expect_str_eq(qpw_anonymous_rule(a, kept[i], out, sizeof(out)), kept[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        cr_expect(!strncmp(qpw_anonymous_rule(a, others[i], out, sizeof(out)), "rule-", 5), "%s: %s", others[i], out);
}

/* ---- Whole documents ---- */

#define SECRET "zq7secret" /* in every text of the input, so that any text that passes through is found */

static bool secret_owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    (void)arg;
    *ret = (struct qpw_process){.match = QPW_MATCH_EXACT, .pid = 4000 + finding->key.port % 100, .started_unix_ns = SAMPLE_START_NS};
    snprintf(ret->name, sizeof(ret->name), SECRET "-proc");
    snprintf(ret->parent, sizeof(ret->parent), SECRET "-parent");
    snprintf(ret->user, sizeof(ret->user), SECRET "-user");
    snprintf(ret->exe, sizeof(ret->exe), "/opt/" SECRET "/bin");
    snprintf(ret->unit, sizeof(ret->unit), SECRET ".service");
    snprintf(ret->command, sizeof(ret->command), SECRET " --to 10.9.0.7");
    return true;
}

#define PUT(array, ...) snprintf(array, sizeof(array), __VA_ARGS__)

/* Put a secret into every text, and hostile addresses into sentences. */
static void put_secrets(struct qpw_snapshot *s)
{
    PUT(s->host, SECRET "-host");
    PUT(s->meta.policy_name, SECRET "/site");
    PUT(s->meta.policy_path, "/etc/" SECRET "/policy");
    PUT(s->meta.command, "attach --peer 10.9.0.7 " SECRET);
    PUT(s->meta.sensor, SECRET);
    PUT(s->meta.why[1], SECRET);
    PUT(s->owners_missing, SECRET " 10.9.0.7");
    PUT(s->owners_below, "/" SECRET ".slice");
    PUT(s->executables_missing, SECRET);
    for (size_t i = 0; i < s->n_ifaces; i++) {
        PUT(s->ifaces[i].name, "e" SECRET);
        PUT(s->ifaces[i].why, SECRET " 10.9.0.7");
    }
    for (size_t i = 0; i < s->n_unwatched; i++)
        PUT(s->unwatched[i].name, "u" SECRET);
    s->inventory = calloc(2, sizeof(*s->inventory));
    s->n_inventory = 2;
    PUT(s->inventory[0].name, "i" SECRET);
    PUT(s->inventory[1].name, "v" SECRET);
    PUT(s->inventory[1].at, "i" SECRET);
    s->inventory[1].state = QPW_LINK_SEEN_ELSEWHERE;
    for (size_t i = 1; i < s->n_rules; i++) {
        PUT(s->rules[i].name, SECRET "-%zu", i);
        PUT(s->rules[i].text, "inbound tcp %zu \"for " SECRET " of 10.9.0.7\" from=10.9.0.7,10.1.0.0/24 ref=" SECRET, i);
        PUT(s->rules[i].file, "/etc/" SECRET);
    }
    for (size_t i = 1; i < s->n_peers; i++)
        PUT(s->peers[i].name, SECRET "-node%zu", i);
    for (size_t i = 0; i < s->n_coverage; i++) {
        PUT(s->coverage[i].text, "replaced by " SECRET " of 10.9.0.7, 00:1b:21:aa:bb:cc");
        PUT(s->coverage[i].by, SECRET " (as root), pts/3: qportwatch attach --peer 10.9.0.7");
    }
    for (unsigned kind = 0; kind <= QPW_NOTE_STACKED; kind++) {
        struct qpw_note note = {.kind = kind, .count = 3};

        PUT(note.name, SECRET);
        PUT(note.detail, SECRET " 10.9.0.7");
        qpw_snapshot_note(s, &note);
    }
}

/* A snapshot full of secrets with one finding of every kind. */
static void secret_snapshot(struct qpw_snapshot *s)
{
    static const uint8_t cards[2][6] = {{0x00, 0x1b, 0x21, 0xaa, 0xbb, 0xcc}, {0x00, 0x1b, 0x21, 0xdd, 0xee, 0xff}};
    struct qpw_finding_row *f;

    page_snapshot(s, 40, false);
    put_secrets(s);
    f = sample_finding(s, (struct sample_service){0, 0x88b5, QPW_DIR_INBOUND}, "10.9.0.7", "10.1.0.12", QPW_OUTCOME_DATA);
    f->key.kind = QPW_KIND_ETHERTYPE;
    memset(f->key.initiator, 0, 16);
    memset(f->key.responder, 0, 16);
    memcpy(f->key.initiator + 10, cards[0], 6);
    memcpy(f->key.responder + 10, cards[1], 6);
    sample_finding(s, (struct sample_service){6, 9999, QPW_DIR_INBOUND}, "2001:db8:7::77", "2001:db8:1::12", QPW_OUTCOME_DATA);
    s->details = calloc(1, sizeof(*s->details));
    s->n_details = 1;
    s->details[0].key.by_prefix = 1;
    qpw_address_parse("10.9.7.0", s->details[0].key.prefix);
    s->captures = calloc(1, sizeof(*s->captures));
    s->n_captures = 1;
    s->captures[0].name = strdup("/home/" SECRET "/10.9.0.7.pcap");
    s->locals = calloc(1, sizeof(*s->locals));
    s->n_locals = 1;
    qpw_address_parse("10.1.0.0", s->locals[0].addr);
    s->locals[0].length = 120;
}

/* Search whole words: 10.9.0.7 is not in 10.9.0.77. */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !strchr("0123456789abcdef:.", at[-1])) && !strchr("0123456789", at[length] ? at[length] : ' '))
            return true;
    return false;
}

static void expect_nothing_of_it(const char *what, const char *text)
{
    static const char *const addresses[] = {"10.9.0.7", "10.9.0.1", "10.1.0.11", "10.1.0.12", "10.9.0.40", "10.9.7.0", "10.1.0.0",
                                            "00:1b:21:aa:bb:cc", "00:1b:21:dd:ee:ff", "2001:db8:7::77", "2001:db8:1::12"};
    const char *at = strstr(text, SECRET);

    cr_expect_null(at, "%s: %.120s", what, at ? at > text + 40 ? at - 40 : text : "");
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        cr_expect_not(has_word(text, addresses[i]), "%s: %s", what, addresses[i]);
}

static char *rendered(const struct qpw_report *r, const struct qpw_render_options *options,
                      int (*render)(const struct qpw_report *, const struct qpw_render_options *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cr_assert_eq(render(r, options, out), 0);
    fclose(out);
    return text;
}

static void check_evidence(const struct qpw_report *r, const struct qpw_render_options *options)
{
    struct qpw_evidence_source evidence = {.report = r, .options = options, .anonymous = a, .policy_why = "left out"};
    char path[96], command[160], *text = NULL;
    struct qpw_error err;
    size_t size = 0;
    FILE *out, *log;

    snprintf(path, sizeof(path), "%s/eve.json", folder);
    log = fopen(path, "w");
    fprintf(log, "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"event_type\":\"alert\",\"src_ip\":\"10.9.0.7\",\"host\":\"" SECRET "\"}\n");
    fclose(log);
    evidence.alerts = path;
    snprintf(command, sizeof(command), "%s/e", folder);
    cr_assert_eq(qpw_evidence_write(&evidence, command, &err), 0, "%s", err.text);
    snprintf(command, sizeof(command), "cat %s/e/*", folder);
    out = popen(command, "r");
    cr_assert_gt(getdelim(&text, &size, '\0', out), 0);
    pclose(out);
    expect_nothing_of_it("evidence", text);
    cr_expect_not_null(strstr(text, "\"event_type\":\"alert\",\"host\":\"host-"), "records, with other names");
    free(text);
}

Test(anonymous, nothing_of_the_input_comes_out)
{
    struct qpw_render_options options = {.columns = 120, .all = true, .owner = secret_owner};
    struct qpw_anonymized z;
    struct qpw_snapshot s;
    struct qpw_report r;
    static const struct {
        const char *name;
        int (*render)(const struct qpw_report *, const struct qpw_render_options *, FILE *);
    } formats[] = {{"text", qpw_report_text}, {"json", qpw_report_json}, {"html", qpw_report_html}};

    for (int replay = 0; replay < 2; replay++) {
        secret_snapshot(&s);
        s.replay = replay;
        cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
        options.owner = secret_owner;
        cr_assert_eq(qpw_anonymize_report(&z, a, &s, NULL, &options), 0);
        for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
            char *text = rendered(&r, &options, formats[i].render);

            expect_nothing_of_it(formats[i].name, text);
            cr_expect_not_null(strstr(text, "host-"), "%s", formats[i].name);
            cr_expect_not_null(strstr(text, "process-"), "%s: owners are found all the same", formats[i].name);
            free(text);
        }
        if (!replay)
            check_evidence(&r, &options);
        qpw_anonymized_clear(&z);
        qpw_report_clear(&r);
        qpw_snapshot_clear(&s);
    }
}

/* Records and reports use the same replacement for one finding, one user and one host. */
Test(anonymous, reports_and_records_join)
{
    struct qpw_snapshot s;
    json_t *record, *other;
    char buf[64];

    page_snapshot(&s, 1, false);
    snprintf(s.host, sizeof(s.host), "node1");
    snprintf(s.coverage[0].by, sizeof(s.coverage[0].by), "ana (as root), pts/3: qportwatch attach eth0");
    record = json_pack("{s:s,s:I,s:s,s:{s:[{s:s}]}}", "event_type", "engine", "flow_id", (json_int_t)s.findings[0].flow_id, "host", "node1",
                       "metadata", "flowvars", "by", "ana, pts/4: qportwatch reload");
    other = qpw_anonymous_record(a, record);
    qpw_anonymous_snapshot(a, &s);
    cr_expect_eq((uint64_t)json_integer_value(json_object_get(other, "flow_id")), s.findings[0].flow_id);
    cr_expect_lt(s.findings[0].flow_id, 1ull << 53);
    cr_expect_str_eq(json_string_value(json_object_get(other, "host")), s.host);
    cr_expect_str_eq(s.coverage[0].by, qpw_anonymous_name(a, "user", "ana", buf, sizeof(buf)));
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(json_object_get(other, "metadata"), "flowvars"), 0), "by")),
                     s.coverage[0].by);
    json_decref(record);
    json_decref(other);
    qpw_snapshot_clear(&s);
}

/* ---- Statements ---- */

/* Make the statement of a node with a secret in each of its names; node: what it is called. The caller releases the document. */
static json_t *secret_statement(const char *node, const char *peer, struct qpw_statement *ret)
{
    static struct qpw_device devices[] = {{.ifindex = 2, .name = "e" SECRET, .mac = {0x00, 0x1b, 0x21, 0xaa, 0xbb, 0xcc}, .up = true},
                                          {.ifindex = 3, .name = "u" SECRET, .mac = {0x00, 0x1b, 0x21, 0xdd, 0xee, 0xff}, .up = true}};
    static struct qpw_device_address addresses[] = {{.ifindex = 2}, {.ifindex = 3}};
    static struct qpw_neighbour neighbours[] = {{.mac = {0x00, 0x1b, 0x21, 0xdd, 0xee, 0xff}, .ifindex = 2, .confirmed_unix_ns = SAMPLE_NOW_NS}};
    static const bool floating[2] = {false, true};
    static struct qpw_openers openers[QPW_MAX_PEERS];
    struct qpw_neighbourhood around = {devices, 2, addresses, 2, neighbours, 1};
    struct qpw_sample sample = {.boot_ns = 100, .pair[0] = {.peer = SAMPLE_NODE2, .tx = 1}};
    struct qpw_listener listeners[1] = {{.protocol = 6, .port = 9999, .owner = {.exe = "/opt/" SECRET}}};
    struct qpw_listening_row rows[1] = {{.listener = &listeners[0], .rule = 1}};
    struct qpw_listening listening = {.rows = rows, .n = 1};
    struct qpw_snapshot s;
    struct qpw_report r;
    struct qpw_statement_from from = {.report = &r, .listening = &listening, .around = &around, .floating = floating, .openers = openers,
                                      .samples = &sample, .n_samples = 1, .boot_id = SECRET, .boot_ns = 1000, .mono_to_unix_ns = (int64_t)SAMPLE_NOW_NS};
    json_t *document = NULL;

    secret_snapshot(&s);
    snprintf(s.meta.sensor, sizeof(s.meta.sensor), "%s", node);
    snprintf(s.peers[SAMPLE_NODE2].name, sizeof(s.peers->name), "%s", peer);
    strcpy(sample.device[0].name, "u" SECRET);
    qpw_address_parse("10.9.0.7", addresses[0].addr);
    qpw_address_parse("10.1.0.11", addresses[1].addr);
    qpw_address_parse("10.9.0.1", neighbours[0].addr);
    qpw_address_parse("10.1.0.12", listeners[0].address);
    memcpy(openers[SAMPLE_NODE2].of[0].mac, devices[1].mac, 6);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    cr_assert_eq(qpw_statement_make(&from, ret), 0);
    strcpy(ret->cluster, SECRET);
    ret->chain_seq = 7;
    strcpy(ret->chain_sha256, "feed");
    qpw_anonymous_stated(a, ret);
    qpw_anonymous_snapshot(a, &s);
    snprintf(ret->policy.name, sizeof(ret->policy.name), "%s", s.meta.policy_name);
    cr_assert_eq(qpw_statement_json(ret, &r, &document), 0);
    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
    return document;
}

Test(anonymous, statements_say_the_same_under_other_names)
{
    struct qpw_statement one = {0}, other = {0}, read = {0};
    struct qpw_error err;
    json_t *document = secret_statement(SECRET "-a", SECRET "-b", &one), *second = secret_statement(SECRET "-b", SECRET "-a", &other);
    char *text = json_dumps(document, JSON_COMPACT);

    expect_nothing_of_it("statement", text);
    cr_expect_null(strstr(text, "feed"));
    cr_expect_gt(one.n_pairs, 0);
    cr_expect_gt(one.n_listen, 0);
    cr_expect_gt(one.n_local, 0);
    cr_expect_gt(one.n_neigh, 0);
    cr_expect_gt(one.samples.n_pairs, 0);
    cr_expect_str_eq(one.pairs[0].peer, other.node, "still the same node in both");
    cr_expect_str_eq(other.pairs[0].peer, one.node);
    cr_expect_eq(qpw_statement_read(text, strlen(text), "a.json", &read, &err), 0, "%s", err.text);
    cr_expect_str_eq(read.node, one.node);
    free(text);
    json_decref(document);
    json_decref(second);
    qpw_statement_clear(&one);
    qpw_statement_clear(&other);
    qpw_statement_clear(&read);
}

/* ---- Records of the alert log ---- */

Test(anonymous, records_keep_their_shape_and_none_of_their_names)
{
    static const char alert[] =
        "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"flow_id\":123,\"event_type\":\"alert\",\"host\":\"" SECRET "\",\"in_iface\":\"" SECRET
        "\",\"src_ip\":\"10.9.0.7\",\"src_port\":40000,\"dest_ip\":\"10.1.0.12\",\"dest_port\":4444,\"proto\":\"TCP\",\"ip_v\":4,"
        "\"community_id\":\"1:" SECRET "\",\"other\":\"" SECRET "\",\"ether\":{\"ether_type\":2054,\"src_mac\":\"00:1b:21:aa:bb:cc\",\"dest_mac\":\"00:1b:21:dd:ee:ff\"},"
        "\"alert\":{\"action\":\"allowed\",\"gid\":9100,\"signature_id\":1000104,\"rev\":1,\"signature\":\"qportwatch: unlisted inbound port is in use\","
        "\"category\":\"x\",\"severity\":1,\"metadata\":{\"text\":[\"10.9.0.7 and " SECRET "\"],\"advice\":[\"ask " SECRET "\"],\"verdict\":[\"unexpected\"],"
        "\"process\":[\"" SECRET "\"],\"executable\":[\"/" SECRET "\"],\"user\":[\"" SECRET "\"],\"rule\":[\"" SECRET "\"],\"peer\":[\"" SECRET "\"],"
        "\"allow\":[\"inbound tcp 4444 " SECRET " from=10.9.0.7\"],\"prefixes\":[\"10.9.0.7\"],\"reason\":[\"" SECRET "\"],\"command\":[\"" SECRET "\"],"
        "\"pci_dss\":[\"1.2.5\",\"2.2.4\"],\"chain\":[\"1:00\"],\"new-thing\":[\"" SECRET "\"]}}}";
    static const char engine[] =
        "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"event_type\":\"engine\",\"host\":\"" SECRET "\",\"engine\":{\"module\":\"attached\",\"message\":\""
        SECRET " 10.9.0.7\"},\"metadata\":{\"flowvars\":[{\"by\":\"" SECRET "\"},{\"changes\":\"" SECRET "\"},{\"event\":\"attached\"},{\"chain\":\"2:00\"}]}}";
    json_t *record = json_loads(alert, 0, NULL), *other;
    char *text;

    cr_assert_not_null(record);
    other = qpw_anonymous_record(a, record);
    text = json_dumps(other, 0);
    expect_nothing_of_it("alert", text);
    cr_expect_null(strstr(text, "chain"), "it would not hold");
    cr_expect_null(strstr(text, "\"flow_id\": 123"));
    cr_expect_not_null(strstr(text, "\"dest_port\": 4444"));
    cr_expect_not_null(strstr(text, "\"pci_dss\": [\"1.2.5\", \"2.2.4\"]"), "%s", text);
    cr_expect_not_null(strstr(text, "inbound tcp 4444 purpose-"), "%s", text);
    free(text);
    json_decref(other);
    json_decref(record);
    record = json_loads(engine, 0, NULL);
    other = qpw_anonymous_record(a, record);
    text = json_dumps(other, 0);
    expect_nothing_of_it("engine", text);
    cr_expect_not_null(strstr(text, "\"module\": \"attached\""), "%s", text);
    free(text);
    json_decref(other);
    json_decref(record);
    cr_expect_null(qpw_anonymous_record(a, NULL));
}
