/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_show.c - qportwatch policy show and policy export: a policy in several forms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/format.h"
#include "cmd/hosts.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/settings.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/suppress.h"
#include "policy/tools/export.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "util/near.h"
#include "util/usage.h"
#include "words/known.h"
#include "words/table.h"
#include "words/words.h"

struct options {
    struct qpw_policy_options policy;
    const char *const *formats; /* of the subcommand */
    unsigned format;            /* index of the chosen one */
};
enum { JSON = 1 }; /* index in both lists */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct qpw_near near = qpw_near_to(arg, arg ? strlen(arg) : 0);
    char hint[48];

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->policy; return 0;
    case QPW_KEY_FORMAT: o->format = qpw_usage_choice(state, "--format", arg, o->formats); return 0;
    case 'j': o->format = JSON; return 0;
    case ARGP_KEY_ARG:
        if (o->policy.policy_file || o->policy.platform)
            qpw_usage_error(state, "one policy only: '%s' is one more", arg);
        for (unsigned i = 0; qpw_builtin_name(i); i++)
            /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): arg is not NULL for an argument */
            if (!strcmp(qpw_builtin_name(i), arg))
                o->policy.platform = arg;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): as above */
        for (unsigned i = 0; !strchr(arg, '/') && access(arg, F_OK) < 0 && qpw_builtin_name(i); i++)
            qpw_near_offer(&near, qpw_builtin_name(i));
        if (!o->policy.platform && near.best)
            qpw_usage_error(state, "%s: no such file or built-in policy%s", arg, qpw_near_hint(&near, hint, sizeof(hint)));
        if (!o->policy.platform)
            o->policy.policy_file = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int print_json(const char *subcommand, const struct qpw_policy *policy)
{
    struct qpw_error err;
    int r = qpw_policy_print(qpw_policy_json(policy, time(NULL)), &err);

    return r < 0 ? qpw_policy_fail(subcommand, &err, QPW_EXIT_FAILED) : QPW_EXIT_OK;
}

static const char *state_of(const struct qpw_rule *rule, int64_t now)
{
    if (rule->flags & QPW_RULE_DISABLED)
        return "disabled";
    if (rule->until && rule->until <= now)
        return "expired";
    if (!qpw_rule_in_force(rule, now))
        return "never matches";
    return rule->flags & QPW_RULE_WEAK ? "weak" : "allowed";
}

/* Return a rule's reference; only the line number, if it is the page that the policy names as its source. */
static const char *ref_of(const struct qpw_policy *policy, const struct qpw_rule *rule, char *buf, size_t size)
{
    size_t length = policy->source_name ? strlen(policy->source_name) : 0;

    if (!rule->ref || !length || strncmp(rule->ref, policy->source_name, length) || rule->ref[length] != ':')
        return rule->ref ? rule->ref : "";
    return qpw_format(buf, size, "line %s", rule->ref + length + 1);
}

static int add_row(struct qpw_table *table, const struct qpw_policy *policy, const struct qpw_rule *rule, int64_t now)
{
    char protocols[512], ports[12 * QPW_MAX_PORT_RANGES + 8], limits[1024], marks[1024], where[300], ref[64];
    const char *cells[] = {
        qpw_direction_name(rule->direction),
        qpw_protocols_text(rule->protocols, rule->flags & QPW_RULE_ANY_PROTOCOL, protocols, sizeof(protocols)),
        qpw_ports_text(rule->ports, rule->n_ports, rule->flags & QPW_RULE_ANY_PORT, ports, sizeof(ports)),
        rule->name,
        rule->purpose ? rule->purpose : "",
        state_of(rule, now),
        qpw_row_limits_text(rule, limits, sizeof(limits)),
        qpw_row_marks_text(rule, marks, sizeof(marks)),
        ref_of(policy, rule, ref, sizeof(ref)),
        qpw_format(where, sizeof(where), "%s:%u", rule->where.file, rule->where.line),
    };

    return qpw_table_add(table, qpw_rule_in_force(rule, now) ? QPW_TEXT_PLAIN : QPW_TEXT_DIM, cells);
}

static int print_rows(const struct qpw_printer *p, const struct qpw_policy *policy)
{
    static const struct qpw_table_column columns[] = {
        {"dir"},
        {"proto"},
        {"ports", .wrap = true},
        {"name"},
        {"purpose", .wrap = true},
        {"verdict"},
        {"limits", .wrap = true},
        {"options", .wrap = true},
        {"ref", .wrap = true, .optional = true},
        {"file", .wrap = true, .optional = true},
    };
    QPW_CLEANUP(qpw_table_clear)
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    int r = 0;

    for (size_t i = 0; i < policy->n_rules && r == 0; i++)
        r = add_row(&table, policy, &policy->rules[i], time(NULL));
    if (r < 0)
        return r;
    return qpw_table_print(&table, p);
}

static void print_groups(const struct qpw_printer *p, const char *kind, const char *(*name_of)(unsigned), const struct qpw_group_setting *settings,
                         unsigned n)
{
    struct qpw_list list;
    char label[48];

    for (int unexpected = 0; unexpected < 2; unexpected++) {
        bool any = false;

        for (unsigned i = 0; i < n; i++)
            any |= settings[i].unexpected == unexpected;
        if (!any)
            continue;
        snprintf(label, sizeof(label), "%s, %s", kind, unexpected ? "unexpected" : "allowed");
        qpw_list_begin(&list, p, 0, label);
        for (unsigned i = 0; i < n; i++)
            if (settings[i].unexpected == unexpected)
                qpw_list_add(&list, "%s", name_of(i));
        qpw_list_end(&list);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **list;
    size_t n;
};

/* Add "10.0.0.5 backup1" if the address has a name; skipped if out of memory. */
static void add_name(qpw_u128 number, struct names *names)
{
    const struct qpw_range range = {number, number};
    uint8_t addr[16];
    char text[96], **more;

    for (int byte = 15; byte >= 0; byte--, number >>= 8)
        addr[byte] = (uint8_t)number;
    more = *qpw_known_name(addr) ? QPW_ADD(names->list, names->n) : NULL;
    if (!more)
        return;
    if (asprintf(more, "%s %s", qpw_range_text(&range, text, sizeof(text)), qpw_known_name(addr)) >= 0)
        names->n++;
}

#define NAMED_RANGE 256u /* addresses; longer ranges are not searched for names */

static void add_names(const struct qpw_addresses *set, struct names *names)
{
    for (size_t i = 0; i < set->n; i++) {
        qpw_u128 last = set->ranges[i].last;

        if (last - set->ranges[i].first >= NAMED_RANGE)
            continue;
        for (qpw_u128 number = set->ranges[i].first; number < last; number++)
            add_name(number, names);
        add_name(last, names);
    }
}

static void print_names(const struct qpw_printer *p, const struct qpw_policy *policy)
{
    struct names names = {0};
    struct qpw_list list;

    for (size_t i = 0; i < policy->n_rules; i++) {
        add_names(&policy->rules[i].from, &names);
        add_names(&policy->rules[i].to, &names);
    }
    for (size_t i = 0; i < policy->n_sets; i++)
        add_names(&policy->sets[i].addresses, &names);
    for (size_t i = 0; i < policy->n_peers; i++)
        add_names(&policy->peers[i].addresses, &names);
    if (names.n) {
        qsort(names.list, names.n, sizeof(*names.list), by_text);
        qpw_list_begin(&list, p, 0, "names of addresses");
        for (size_t i = 0; i < names.n; i++)
            if (!i || strcmp(names.list[i - 1], names.list[i]))
                qpw_list_add(&list, "%s", names.list[i]);
        qpw_list_end(&list);
    }
    for (size_t i = 0; i < names.n; i++)
        free(names.list[i]);
    free(names.list);
}

/* Print who may ask this node, and what each has to prove itself by. */
static void print_cluster(const struct qpw_printer *p, const struct qpw_policy *policy)
{
    char addresses[1024], keys[QPW_KEYS_TEXT];
    size_t with_key = 0;

    if (*policy->cluster)
        qpw_print_item(p, "cluster", "%s%s%s", policy->cluster, policy->cluster_ca ? ", names of peers signed by " : "",
                       policy->cluster_ca ? policy->cluster_ca : "");
    for (size_t i = 0; i < policy->n_peers; i++)
        if (policy->peers[i].keys.n)
            qpw_print_item(p, with_key++ ? "" : "keys of peers", "%s: %s", policy->peers[i].name, qpw_keys_text(&policy->peers[i].keys, keys));
    for (size_t i = 0; i < policy->n_readers; i++)
        qpw_print_item(p, i ? "" : "readers of metrics", "%s: %s, %s", policy->readers[i].name,
                       qpw_addresses_text(&policy->readers[i].addresses, addresses, sizeof(addresses)), qpw_keys_text(&policy->readers[i].keys, keys));
}

static void print_rest(const struct qpw_printer *page, const struct qpw_policy *policy)
{
    struct qpw_printer p = *page;
    char text[1024];

    p.label = 21;
    qpw_print_end(&p);
    print_groups(&p, "infra", qpw_infra_name, policy->infra, QPW_INFRA_COUNT);
    print_groups(&p, "implied", qpw_implied_name, policy->implied, QPW_IMPLIED_COUNT);
    for (size_t i = 0; i < policy->n_peers; i++)
        qpw_print_item(&p, i ? "" : "peers", "%s: %s%s", policy->peers[i].name,
                       qpw_addresses_text(&policy->peers[i].addresses, text, sizeof(text)),
                       policy->peers[i].by_hand && !policy->peers_on_any_port ? " (not from the page)" : "");
    if (!policy->n_peers)
        qpw_print_item(&p, "peers", "%s", QPW_WORDS_NO_PEERS);
    print_cluster(&p, policy);
    if (policy->peer_family.family)
        qpw_print_item(&p, "between nodes", "IPv%u is required", policy->peer_family.family);
    print_names(&p, policy);
    for (size_t i = 0; i < policy->n_suppressions; i++)
        qpw_print_item(&p, i ? "" : "suppressions", "%s%s", policy->suppressions[i].text,
                       qpw_suppression_in_force(&policy->suppressions[i], time(NULL)) ? "" : " (expired)");
}

static void print_head(const struct qpw_printer *p, const struct qpw_policy *policy, const char *chosen)
{
    const char *guide = policy->platform ? qpw_builtin_guide(policy->platform) : NULL;
    char name[352];

    qpw_print_line(p, "policy %s", qpw_words_policy(policy->name, policy->path, name, sizeof(name)));
    if (chosen)
        qpw_print_line(p, "  chosen because %s", chosen);
    qpw_print_line(p, "  %s", policy->digest);
    if (guide)
        qpw_print_line(p, "  platform %s: %s", policy->platform, guide);
    if (policy->source_name) {
        qpw_print_line(p, "  source %s", policy->source_name);
        qpw_print_line(p, "         %s", policy->source_digest);
    }
    qpw_print_end(p);
}

static int load(const char *subcommand, struct options *o, struct qpw_policy *policy, const char **chosen)
{
    struct qpw_error err;
    int r;

    qpw_policy_configured(&o->policy);
    r = qpw_policy_load(&o->policy, policy, chosen, &err);
    qpw_policy_options_clear(&o->policy);
    if (r < 0)
        return qpw_policy_fail(subcommand, &err, QPW_EXIT_USAGE);
    for (size_t i = 0; i < policy->n_warnings; i++)
        qpw_put_lines(stderr, "%s", policy->warnings[i]);
    return QPW_EXIT_OK;
}

int qpw_policy_show_main(int argc, char **argv)
{
    static const struct argp_option table[] = {QPW_FORMAT_OPTIONS, {0}};
    static const char *const formats[] = {"text", "json", NULL};
    static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 2}, {&qpw_hosts_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        table,    parse, "[POLICY]", "Shows every rule of a policy (a file or a built-in's name) as it takes effect.",
        children, NULL,  NULL};
    struct options o = {.formats = formats};
    struct qpw_printer p = qpw_printer_of(stdout);
    struct qpw_policy policy = {0};
    const char *chosen = NULL;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    status = load("show", &o, &policy, &chosen);
    if (status == QPW_EXIT_OK && o.format == JSON) {
        status = print_json("show", &policy);
    } else if (status == QPW_EXIT_OK) {
        print_head(&p, &policy, chosen);
        status = print_rows(&p, &policy) < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
        print_rest(&p, &policy);
    }
    qpw_policy_clear(&policy);
    return status;
}

int qpw_policy_export_main(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"format", QPW_KEY_FORMAT, "nft|json|csv", 0, "nftables ruleset (default), JSON or CSV", 0},
        {"json", 'j', NULL, 0, "The same as --format json", 0},
        {0}};
    static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 2}, {0}};
    static const struct argp argp = {table,
                                     parse,
                                     "[POLICY]",
                                     "Writes a policy in another form to standard output.\vqportwatch itself never "
                                     "enforces: the administrator who loads the ruleset decides.",
                                     children,
                                     NULL,
                                     NULL};
    static const char *const formats[] = {"nft", "json", "csv", NULL};
    struct options o = {.formats = formats};
    struct qpw_policy policy = {0};
    const char *chosen = NULL;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    status = load("export", &o, &policy, &chosen);
    if (status == QPW_EXIT_OK && o.format == JSON)
        status = print_json("export", &policy);
    else if (status == QPW_EXIT_OK && o.format)
        qpw_policy_csv(&policy, time(NULL), stdout);
    else if (status == QPW_EXIT_OK)
        qpw_policy_nft(&policy, time(NULL), stdout);
    qpw_policy_clear(&policy);
    return status;
}
