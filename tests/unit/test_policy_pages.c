/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pages of other vendors, compared with an oracle of each page's meaning for each role: exact rows, missed rows,
 * errors, and wider rows, of which there must be none. Skipped if the pages are missing.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"
#include "policy/page/import.h"

#define FOLDER "../shared/pages/"
#define MAX_LINES 1024
#define MAX_ITEMS 512

/* The options for one role, named as in the oracle. */
struct trial {
    const char *file;
    const char *roles; /* in the oracle, separated by commas */
    const char *nodes[5];
    const char *sections[3];
    bool refused;
    bool partial;      /* the oracle has unreadable rows */
};

#define AD "microsoft-ad-firewall-excerpt.md"
#define ONTAP "netapp-ontap-port-usage.adoc"
#define MIRROR "netapp-snapmirror-active-sync-ports.adoc"
#define GRID "netapp-storagegrid-external.adoc"
#define RKE2 "rke2-requirements.md"
#define BLOCK "simplyblock-network-port-table.md"
#define WEKA "weka-prerequisites.md"
#define NEWER "Windows Server 2008 and later versions"
#define RKE2_SERVER {"All RKE2 nodes", "RKE2 server nodes"}
#define BACKEND "All WEKA backend IPs"

static const struct trial trials[] = {
    {"avere-required-ports.html", "-", {0}, {0}, false, false},
    {"avere-required-ports.md", "-", {0}, {0}, false, false},
    {"avere-required-ports.rst", "*", {0}, {0}, true, false},
    {AD, "-", {0}, {0}, true, false},
    {AD, "no-choice", {"Server Port"}, {0}, true, false},
    {AD, "DC+more-information", {"Server Port"}, {"More information"}, false, false},
    {AD, "DC+windows-server-2008-and-later-versions", {"Server Port"}, {NEWER}, false, false},
    {AD, "member+more-information", {"Client Port(s)"}, {"More information"}, false, false},
    {AD, "member+windows-server-2008-and-later-versions", {"Client Port(s)"}, {NEWER}, false, false},
    {ONTAP, "no-choice", {0}, {0}, true, false},
    {ONTAP, "-", {0}, {"Inbound traffic"}, false, false},
    {ONTAP, "-,+basic", {0}, {"Basic outbound rules"}, false, false},
    {ONTAP, "-,+advanced", {0}, {"Advanced outbound rules"}, false, false},
    {MIRROR, "-", {0}, {0}, true, false},
    {MIRROR, "ontap-node", {"Intercluster LIFs", "cluster-mgmt LIFs", "node-mgmt LIFs"}, {0}, false, false},
    {MIRROR, "mediator", {"ONTAP Mediator", "ONTAP Mediator web server"}, {0}, false, false},
    {GRID, "-", {0}, {0}, true, false},
    {GRID, "storage", {"All nodes", "Storage Nodes"}, {0}, false, false},
    {GRID, "storage-adc", {"All nodes", "Storage Nodes", "Storage Nodes with ADC"}, {0}, false, false},
    {GRID, "admin", {"All nodes", "Admin Nodes"}, {0}, false, false},
    {GRID, "gateway", {"All nodes", "Gateway Nodes"}, {0}, false, false},
    {GRID, "+appliance", {"Appliance"}, {0}, false, false},
    {GRID, "+primary-ntp", {"Primary NTP nodes"}, {0}, false, false},
    {GRID, "storage,+appliance,+primary-ntp", {"All nodes", "Storage Nodes", "Appliances", "Primary NTP nodes"}, {0},
     false, false},
    {RKE2, "-", {0}, {0}, true, false},
    {RKE2, "no-choice", RKE2_SERVER, {0}, true, false},
    {RKE2, "server", RKE2_SERVER, {"Inbound Network Rules"}, false, false},
    {RKE2, "agent", {"All RKE2 nodes"}, {"Inbound Network Rules"}, false, false},
    {RKE2, "server,+canal", RKE2_SERVER, {"Canal"}, false, false},
    {RKE2, "server,+cilium", RKE2_SERVER, {"Cilium"}, false, false},
    {RKE2, "server,+calico", RKE2_SERVER, {"Calico"}, false, false},
    {RKE2, "server,+flannel", RKE2_SERVER, {"Flannel"}, false, false},
    {RKE2, "agent,+windows", {"All RKE2 nodes"}, {"Windows Specific Inbound Network Rules"}, false, false},
    {BLOCK, "-", {0}, {0}, true, false},
    {BLOCK, "control", {"control"}, {0}, false, false},
    {BLOCK, "storage", {"storage"}, {0}, false, false},
    {BLOCK, "client", {"client"}, {0}, false, false},
    {WEKA, "-", {0}, {0}, true, false},
    {WEKA, "backend", {BACKEND}, {0}, false, false},
    {WEKA, "client", {"Client host IPs"}, {0}, false, false},
    {WEKA, "backend,+management-ips", {BACKEND, "All WEKA management IPs"}, {0}, false, false},
    {WEKA, "backend,+nfs-backend", {BACKEND, "WEKA NFS backend IPs"}, {0}, false, true},
    {WEKA, "backend,+smb-backend", {BACKEND, "WEKA SMB backend IPs"}, {0}, false, false},
    {WEKA, "backend,+s3-backend", {BACKEND, "WEKA S3 backend IPs"}, {0}, false, false},
    {WEKA, "management-station", {"WEKA Management Station IP"}, {0}, false, false},
    {WEKA, "weka-home", {"Cloud WEKA Home or Local WEKA Home"}, {0}, false, false},
};

/* ---- The oracle ---- */

enum { FILE_COLUMN, STATUS, ROLE, DIRECTION, PROTOCOL, PORTS, FROM, TO, PURPOSE, FLAGS, LINE, N_COLUMNS };

struct oracle {
    char *text;
    char *lines[MAX_LINES][N_COLUMNS];
    size_t n;
};

static void load_oracle(struct oracle *ret)
{
    struct qpw_error err;
    size_t length;

    *ret = (struct oracle){0};
    if (qpw_read_whole(FOLDER "expected.tsv", &ret->text, &length, &err) < 0)
        cr_skip_test(FOLDER "expected.tsv is not there");
    for (char *save = ret->text, *line = strsep(&save, "\n"); line; line = strsep(&save, "\n")) {
        cr_assert(lt(sz, ret->n, MAX_LINES));
        for (size_t i = 0; i < N_COLUMNS && line; i++)
            ret->lines[ret->n][i] = strsep(&line, "\t");
        ret->n += ret->lines[ret->n][LINE] != NULL;
    }
    cr_assert(gt(sz, ret->n, 400));
}

static bool in_list(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *p = list; (p = strstr(p, word)); p++)
        if ((p == list || p[-1] == ',') && (!p[length] || p[length] == ','))
            return true;
    return false;
}

/* ---- Items: a direction, a protocol and one port or range ---- */

struct item {
    char text[64];
    char set[64]; /* of the other end, as a slug; empty: any */
    unsigned line;
};

struct items {
    struct item list[MAX_ITEMS];
    size_t n;
};

static void add(struct items *items, const char *direction, const char *protocols, const char *ports, const char *set,
                unsigned line)
{
    char some[128], each[512], *save, *save_ports;

    snprintf(some, sizeof(some), "%s", protocols);
    for (char *protocol = strtok_r(some, ",", &save); protocol; protocol = strtok_r(NULL, ",", &save)) {
        snprintf(each, sizeof(each), "%s", ports);
        for (char *port = strtok_r(each, ",", &save_ports); port; port = strtok_r(NULL, ",", &save_ports)) {
            struct item *item = &items->list[items->n++];

            cr_assert(lt(sz, items->n, MAX_ITEMS));
            snprintf(item->text, sizeof(item->text), "%.10s %.10s %.20s", direction, protocol, port);
            snprintf(item->set, sizeof(item->set), "%s", set);
            item->line = line;
        }
    }
}

static const struct item *find(const struct items *items, const char *text)
{
    for (size_t i = 0; i < items->n; i++)
        if (!strcmp(items->list[i].text, text))
            return &items->list[i];
    return NULL;
}

/*
 * Return whether the same item of the same row, with the other end named on the page, is there. Long set names are
 * truncated.
 */
static bool has_row(const struct items *items, const struct item *wanted)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct item *item = &items->list[i];

        if (!strcmp(item->text, wanted->text) && item->line == wanted->line && !*item->set == !*wanted->set &&
            !strncmp(item->set, wanted->set, 40))
            return true;
    }
    return false;
}

static size_t distinct(const struct items *items)
{
    size_t n = 0;

    for (size_t i = 0; i < items->n; i++)
        n += find(items, items->list[i].text) == &items->list[i];
    return n;
}

/* ---- One trial ---- */

static void wanted_items(const struct oracle *oracle, const struct trial *trial, struct items *import,
                         struct items *allowed, struct items *never)
{
    for (size_t i = 0; i < oracle->n; i++) {
        char *const *line = oracle->lines[i];
        const char *set = !strcmp(line[DIRECTION], "inbound") ? line[FROM] : line[TO];
        bool may = !strcmp(line[STATUS], "error-or") || !strcmp(line[STATUS], "may");

        if (strcmp(line[FILE_COLUMN], trial->file) || !strcmp(line[PORTS], "-") ||
            (strcmp(line[ROLE], "*") && !in_list(trial->roles, line[ROLE])))
            continue;
        if (!strcmp(line[STATUS], "import"))
            add(import, line[DIRECTION], line[PROTOCOL], line[PORTS], strcmp(set, "-") ? set : "",
                (unsigned)atoi(line[LINE]));
        else if (may)
            add(allowed, line[DIRECTION], line[PROTOCOL], line[PORTS], "", 0);
        else if (!strcmp(line[STATUS], "not"))
            add(never, line[DIRECTION], line[PROTOCOL], line[PORTS], "", 0);
    }
}

static void items_of(const struct qpw_policy *policy, struct items *ret)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct qpw_rule *rule = &policy->rules[i];
        char direction[16], protocols[64], ports[256], set[64] = "";
        const char *at = strstr(rule->text, "=@"), *colon = rule->ref ? strrchr(rule->ref, ':') : NULL;

        cr_assert(eq(int, sscanf(rule->text, "%15s %63s %255s", direction, protocols, ports), 3));
        cr_assert(colon != NULL, "a rule without the page's line: %s", rule->text);
        if (at)
            sscanf(at + 2, "%63s", set);
        add(ret, direction, protocols, ports, set, (unsigned)atoi(colon + 1));
    }
}

struct result {
    size_t wanted, exact, missed, wider;
};

static void compare(const struct oracle *oracle, const struct trial *trial, const struct items *got, struct result *ret)
{
    static struct items import, allowed, never;

    import.n = allowed.n = never.n = 0;
    wanted_items(oracle, trial, &import, &allowed, &never);
    for (size_t i = 0; i < import.n; i++) {
        bool exact = has_row(got, &import.list[i]);

        ret->wanted++;
        ret->exact += exact;
        ret->missed += !exact;
        if (!exact && !trial->refused)
            cr_log_error("%s, %s: missed %s of line %u, set '%s'", trial->file, trial->roles, import.list[i].text,
                         import.list[i].line, import.list[i].set);
    }
    for (size_t i = 0; i < got->n; i++) {
        const char *text = got->list[i].text;

        if (find(&import, text) || find(&allowed, text))
            continue;
        ret->wider++;
        cr_log_error("%s, %s: wider by %s of line %u", trial->file, trial->roles, text, got->list[i].line);
    }
    for (size_t i = 0; i < never.n; i++) { /* "53,1024-65535" is no list of ports to be imported, 53 alone is */
        const char *text = never.list[i].text;

        cr_assert(find(got, text) == NULL || find(&import, text) || find(&allowed, text), "%s, %s: %s must not be there",
                  trial->file, trial->roles, text);
    }
}

static void run(const struct oracle *oracle, const struct trial *trial, struct result *total)
{
    struct qpw_import_options options = {.vendor = "other", .partial = trial->partial};
    static struct items got;
    struct qpw_imported imported = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    struct result result = {0};
    char path[128];
    int error;

    for (; options.n_nodes < 5 && trial->nodes[options.n_nodes]; options.n_nodes++)
        options.nodes[options.n_nodes] = trial->nodes[options.n_nodes];
    for (; options.n_sections < 3 && trial->sections[options.n_sections]; options.n_sections++)
        options.sections[options.n_sections] = trial->sections[options.n_sections];
    snprintf(path, sizeof(path), FOLDER "%s", trial->file);
    error = qpw_import_file(path, &options, &imported, &err);
    cr_assert(eq(int, error < 0, trial->refused), "%s, %s: %s", trial->file, trial->roles, err.text);
    cr_assert(eq(sz, imported.rows, imported.taken + imported.others + imported.failed));
    got.n = 0;
    if (!error) {
        cr_assert(eq(int, imported.errors.n > 0, trial->partial), "%s, %s", trial->file, trial->roles);
        cr_assert(strncmp(imported.policy, "policy    other/", 16) == 0, "%s", imported.policy);
        cr_assert(qpw_policy_parse_draft(trial->file, imported.policy, strlen(imported.policy), &policy, &err) == 0, "%s",
                  err.text);
        items_of(&policy, &got);
        compare(oracle, trial, &got, &result);
    }
    fprintf(stderr, "%-42s %-46s %6zu %6zu %6zu %6zu %6zu %s\n", trial->file, trial->roles, distinct(&got), result.exact,
                result.missed, imported.errors.n, result.wider, error ? "refused" : "imported");
    cr_assert(eq(sz, result.wider, 0), "%s, %s", trial->file, trial->roles);
    cr_assert(eq(sz, result.missed, 0), "%s, %s", trial->file, trial->roles);
    total->exact += result.exact;
    total->wanted += result.wanted;
    qpw_policy_clear(&policy);
    qpw_imported_clear(&imported);
}

Test(pages, each_page_and_role_against_the_oracle)
{
    static struct oracle oracle;
    struct result total = {0};

    load_oracle(&oracle);
    fprintf(stderr, "%-42s %-46s %6s %6s %6s %6s %6s\n", "page", "role", "rows", "exact", "missed", "errors", "wider");
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
        run(&oracle, &trials[i], &total);
    fprintf(stderr, "%zu lines of the oracle, %zu exact\n", total.wanted, total.exact);
    cr_assert(gt(sz, total.exact, 400));
    free(oracle.text);
}
