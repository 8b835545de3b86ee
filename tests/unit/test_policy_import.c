/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The vendor's page into a policy: the oracle of each platform, other spellings, other vendors, broken pages. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tools/diff.h"
#include "policy/page/import.h"
#include "policy/page/liquid.h"
#include "policy/lang/policy.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/statements.h"
#include "util/names.h"

#define PAGE "../shared/required-ports/required-ports.md"
#define ORACLE "../shared/required-ports/expected.tsv"

static const char *const platforms[] = {"on-prem", "aws", "azure", "cnq-gcp"};

static char *read_shared(const char *path, size_t *length)
{
    struct qpw_error err;
    char *text;

    if (qpw_read_whole(path, &text, length, &err) < 0)
        cr_skip_test("%s is not there", path);
    return text;
}

static struct qpw_imported import_ok(const char *name, const char *text, const char *platform)
{
    struct qpw_import_options options = {.platform = platform};
    struct qpw_imported imported = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_import_text(name, text, strlen(text), &options, &imported, &err) == 0, "%s", err.text);
    return imported;
}

static struct qpw_policy parse_ok(const char *text)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_policy_parse_text("imported", text, strlen(text), &policy, &err) == 0, "%s\n%s", err.text, text);
    return policy;
}

/* ---- The oracle: rows of (direction, protocol, ports, flag), each found once, and nothing else. ---- */

static bool row_has(const struct qpw_rule *rule, const char *direction, const char *protocol, const char *ports,
                    const char *purpose, const char *flag)
{
    unsigned first, last, flags = rule->flags & (QPW_RULE_DEFAULT | QPW_RULE_OPTIONAL | QPW_RULE_WEAK);
    unsigned wanted = !strcmp(flag, "default")    ? QPW_RULE_DEFAULT
                      : !strcmp(flag, "optional") ? QPW_RULE_OPTIONAL
                      : !strcmp(flag, "weak")     ? QPW_RULE_WEAK
                                                  : 0;

    if (sscanf(ports, "%u-%u", &first, &last) < 2)
        last = first;
    if (strcmp(qpw_direction_name(rule->direction), direction) || flags != wanted ||
        !strcasestr(rule->purpose, purpose))
        return false;
    if (!qpw_protocol_in(rule->protocols, !strcmp(protocol, "tcp") ? 6 : 17))
        return false;
    for (size_t i = 0; i < rule->n_ports; i++)
        if (rule->ports[i].first == first && rule->ports[i].last == last)
            return true;
    return false;
}

/* How many (protocol, range) pairs the policy's rows make. */
static size_t pairs_of(const struct qpw_policy *policy)
{
    size_t pairs = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        for (unsigned protocol = 0; protocol < 256; protocol++)
            pairs += qpw_protocol_in(policy->rules[i].protocols, protocol) ? policy->rules[i].n_ports : 0;
    return pairs;
}

static void compare_with_oracle(const struct qpw_policy *policy, const char *platform)
{
    char line[256], cells[6][64], *save;
    FILE *oracle = fopen(ORACLE, "r");
    size_t expected = 0;
    bool any_port = false;

    cr_assert(oracle != NULL);
    while (fgets(line, sizeof(line), oracle)) {
        size_t n = 0, found = 0;

        for (char *cell = strtok_r(line, "\t\n", &save); cell && n < 6; cell = strtok_r(NULL, "\t\n", &save))
            snprintf(cells[n++], sizeof(cells[0]), "%s", cell);
        if (n < 6 || strcmp(cells[0], platform))
            continue;
        if (!strcmp(cells[1], "peer")) {
            any_port = !strcmp(cells[3], "any");
            continue;
        }
        if (!strcmp(cells[1], "peer-family")) {
            cr_assert(eq(int, policy->peer_family.family, !strcmp(cells[2], "ipv6") ? 6 : 4));
            continue;
        }
        for (size_t i = 0; i < policy->n_rules; i++)
            found += row_has(&policy->rules[i], cells[1], cells[2], cells[3], cells[4], cells[5]);
        cr_assert(eq(sz, found, 1), "%s %s %s %s", platform, cells[1], cells[2], cells[3]);
        expected++;
    }
    fclose(oracle);
    cr_assert(expected > 20);
    cr_assert(eq(sz, pairs_of(policy), expected), "rows of %s that the oracle does not have", platform);
    cr_assert(eq(int, policy->peers_on_any_port, any_port));
}

Test(import, vendors_page_is_the_oracle_for_each_platform)
{
    size_t length;
    char *page = read_shared(PAGE, &length);

    for (size_t i = 0; i < 4; i++) {
        struct qpw_imported imported = import_ok(PAGE, page, platforms[i]);
        struct qpw_policy policy = parse_ok(imported.policy);

        compare_with_oracle(&policy, platforms[i]);
        qpw_policy_clear(&policy);
        qpw_imported_clear(&imported);
    }
    free(page);
}

Test(import, built_ins_are_what_import_writes_byte_for_byte)
{
    size_t length, built_in;
    char *page = read_shared(PAGE, &length);

    for (size_t i = 0; i < 4; i++) {
        struct qpw_imported imported = import_ok(PAGE, page, platforms[i]);
        const char *text = qpw_builtin_text(platforms[i], &built_in);

        cr_assert(eq(sz, built_in, strlen(imported.policy)));
        cr_assert(memcmp(text, imported.policy, built_in) == 0, "%s", platforms[i]);
        qpw_imported_clear(&imported);
    }
    free(page);
}

Test(import, unmentioned_platform_is_warned_of)
{
    size_t length;
    char *page = read_shared(PAGE, &length);
    struct qpw_imported known = import_ok(PAGE, page, "aws"), unknown = import_ok(PAGE, page, "moon");

    cr_assert(eq(sz, known.n_warnings, 0));
    cr_assert(eq(sz, unknown.n_warnings, 1));
    cr_assert(strstr(unknown.warnings[0], "never mentions") != NULL);
    qpw_imported_clear(&known);
    qpw_imported_clear(&unknown);
    free(page);
}

/* ---- The same page in other spellings ---- */

/* Replaces every `from` in *text. */
static void replace(char **text, const char *from, const char *to)
{
    size_t n = 0, length = strlen(from);
    char *out, *at;

    for (const char *p = *text; (p = strstr(p, from)); p += length)
        n++;
    cr_assert(n > 0, "'%s' is not in the page any more", from);
    out = at = malloc(strlen(*text) + n * strlen(to) + 1);
    for (const char *p = *text; *p;) {
        if (!strncmp(p, from, length)) {
            at = stpcpy(at, to);
            p += length;
        } else {
            *at++ = *p++;
        }
    }
    *at = '\0';
    free(*text);
    *text = out;
}

static void spell_comma(char **page) { replace(page, "TCP<br>UDP", "TCP, UDP"); }
static void spell_slash(char **page)
{
    replace(page, "TCP<br>UDP", "TCP/UDP");
    replace(page, "389,<br>636", "389<br />636");
}
static void spell_paragraphs(char **page)
{
    replace(page, "<td>TCP<br>UDP</td>", "<td>\n<p>TCP</p>\n<p>UDP</p>\n</td>");
    replace(page, "<td>389,<br>636</td>", "<td>389 and 636</td>");
}
static void spell_dashes(char **page)
{
    replace(page, "32768-60999", "32768&ndash;60999");
    replace(page, "389,<br>636", "389<br>636");
}
static void spell_marks(char **page)
{
    replace(page, "<td>21</td>", "<td>21<sup>1</sup></td>");
    replace(page, "<td>22</td>", "<td>22 *</td>");
    replace(page, "<td>445</td>", "<td><a href=\"smb.html\">445</a> (SMB)</td>");
    replace(page, "<th>Protocols</th>", "<th>Protocol(s)</th>");
}
static void spell_upper_case(char **page)
{
    replace(page, "<td>", "<TD class=\"x\">");
    replace(page, "</td>", "");
    replace(page, "</tr>", "");
    replace(page, "Inbound Connections", "Ingress");
    replace(page, "Outbound Connections", "Egress (outgoing traffic)");
}

Test(import, six_spellings_give_the_same_policy)
{
    void (*const spellings[])(char **) = {spell_comma,  spell_slash, spell_paragraphs,
                                          spell_dashes, spell_marks, spell_upper_case};
    size_t length;
    char *page = read_shared(PAGE, &length);
    struct qpw_imported original = import_ok("page.md", page, "on-prem");
    struct qpw_policy wanted = parse_ok(original.policy);

    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        char *other = strdup(page);
        struct qpw_differences differences = {0};

        spellings[i](&other);
        struct qpw_imported imported = import_ok("page.md", other, "on-prem");
        struct qpw_policy policy = parse_ok(imported.policy);

        cr_assert(eq(sz, policy.n_rules, wanted.n_rules), "spelling %zu", i);
        for (size_t j = 0; j < policy.n_rules; j++) {
            cr_assert(eq(str, policy.rules[j].name, wanted.rules[j].name), "spelling %zu", i);
            cr_assert(eq(str, policy.rules[j].purpose, wanted.rules[j].purpose), "spelling %zu", i);
            cr_assert(eq(int, policy.rules[j].flags, wanted.rules[j].flags), "spelling %zu", i);
        }
        cr_assert(qpw_policy_diff(&wanted, &policy, 0, &differences) == 0);
        cr_assert(eq(sz, differences.n, 0), "spelling %zu: %s", i, differences.n ? differences.list[0].text : "");
        cr_assert(eq(int, policy.peer_family.family, 6));
        cr_assert(policy.peers_on_any_port);
        qpw_policy_clear(&policy);
        qpw_imported_clear(&imported);
        free(other);
    }
    qpw_policy_clear(&wanted);
    qpw_imported_clear(&original);
    free(page);
}

/* What a browser gets: no Liquid any more, notes as boxes, a menu around it. */
Test(import, rendered_page_gives_the_same_policy)
{
    size_t length;
    char *page = read_shared(PAGE, &length), *body, *html;
    bool mentioned;
    struct qpw_error err = {""};
    struct qpw_differences differences = {0};

    replace(&page, "{% include note.html content=\"Qumulo Core supports UDP",
            "<div class=\"alert alert-info\" role=\"alert\"><i class=\"fa\"></i> <b>Note:</b> Port 20048 and "
            "UDP</div>{% include x=\"");
    replace(&page, "## Networking Ports for Inbound Connections",
            "<h2 id=\"inbound\">Networking Ports for Inbound Connections</h2>");
    replace(&page, "## Networking Ports for Outbound Connections",
            "<h2 id=\"outbound\">Networking Ports for Outbound&nbsp;Connections</h2>");
    cr_assert(qpw_liquid_render("page", page, strlen(page), "on-prem", &body, &mentioned, &err) == 0, "%s", err.text);
    cr_assert(asprintf(&html,
                       "<!DOCTYPE html>\n<html><head><title>Ports</title><style>td {}</style></head><body>\n<nav><ul>"
                       "<li><a href=\"#\">Outbound</a></li></ul></nav>\n<section><article>%s</article></section>\n"
                       "<script>var t = '<table>'\n|| 'x';</script></body></html>\n", body) > 0);
    struct qpw_imported source = import_ok("page.md", page, "on-prem"),
                        rendered = import_ok("page.html", html, "on-prem");
    struct qpw_policy wanted = parse_ok(source.policy), policy = parse_ok(rendered.policy);

    compare_with_oracle(&policy, "on-prem");
    cr_assert(qpw_policy_diff(&wanted, &policy, 0, &differences) == 0);
    cr_assert(eq(sz, differences.n, 0), "%s", differences.n ? differences.list[0].text : "");
    for (size_t i = 0; i < policy.n_rules; i++)
        cr_assert(eq(str, policy.rules[i].purpose, wanted.rules[i].purpose));
    qpw_policy_clear(&wanted);
    qpw_policy_clear(&policy);
    qpw_imported_clear(&source);
    qpw_imported_clear(&rendered);
    free(html);
    free(body);
    free(page);
}

Test(import, newer_edition_differs_by_its_rows_only)
{
    static const char row[] = "<td>Replication</td>\n    </tr>\n";
    size_t length;
    char *page = read_shared(PAGE, &length), *newer = strdup(page);
    struct qpw_differences differences = {0};

    replace(&newer, row,
            "<td>Replication</td>\n    </tr>\n    <tr><td>3713</td><td>TCP</td><td>Cloud Data Fabric</td></tr>\n");
    replace(&newer, "<td>Replication (by default)</td>\n    </tr>\n",
            "<td>Replication (by default)</td>\n    </tr>\n    <tr><td>3713</td><td>TCP</td><td>Cloud Data "
            "Fabric</td></tr>\n");
    struct qpw_imported before = import_ok("page.md", page, "on-prem"), after = import_ok("page.md", newer, "on-prem");
    struct qpw_policy old = parse_ok(before.policy), new = parse_ok(after.policy);

    cr_assert(qpw_policy_diff(&old, &new, 0, &differences) == 0);
    cr_assert(eq(sz, differences.n, 2));
    cr_assert(eq(str, differences.list[0].text, "opens inbound tcp 3713 (Cloud Data Fabric) to everyone"));
    cr_assert(eq(str, differences.list[1].text, "opens outbound tcp 3713 (Cloud Data Fabric) to everyone"));
    qpw_differences_clear(&differences);
    qpw_policy_clear(&old);
    qpw_policy_clear(&new);
    qpw_imported_clear(&before);
    qpw_imported_clear(&after);
    free(page);
    free(newer);
}

/* ---- Another vendor: five columns, the direction by which end is the node ---- */

Test(import, five_columns_with_source_and_destination)
{
    static const char page[] =
        "# Firewall requirements\n\n"
        "| Source | Destination | Protocol | Port | Description |\n"
        "|--------|:-----------:|----------|------|-------------|\n"
        "| Clients | Cluster | TCP | 2049 | [NFS](nfs.html) |\n"
        "| Monitoring | Storage cluster | UDP | 161\xe2\x80\x93" "162 | SNMP |\n"
        "| Cluster | DNS servers | TCP/UDP | 53 | Name resolution[^1] |\n"
        "| Cluster node | Cluster node | TCP | 6800-7300 | OSDs |\n"
        "| Admin hosts | Cluster | ICMP | All | ping |\n";
    struct qpw_imported imported = import_ok("ports.md", page, "on-prem");
    struct qpw_policy policy = parse_ok(imported.policy);
    char text[64];

    cr_assert(eq(sz, policy.n_rules, 4));
    cr_assert(eq(str, policy.rules[0].name, "nfs"));
    cr_assert(eq(str, policy.rules[1].name, "in-udp-161-162"));
    cr_assert(eq(str, policy.rules[2].name, "out-tcp+udp-53"));
    cr_assert(eq(str, policy.rules[2].purpose, "Name resolution"));
    cr_assert(eq(str, policy.rules[2].ref, "ports.md:7"));
    cr_assert(eq(str, (char *)qpw_protocols_text(policy.rules[3].protocols, false, text, sizeof(text)), "icmp"));
    cr_assert(eq(int, policy.rules[3].flags, QPW_RULE_ANY_PORT));
    cr_assert(eq(sz, imported.n_warnings, 2)); /* the platform, and the row between nodes */
    cr_assert(strstr(imported.warnings[1], "ports.md:8: ") == imported.warnings[1], "%s", imported.warnings[1]);
    qpw_policy_clear(&policy);
    qpw_imported_clear(&imported);
}

Test(import, conditions_within_a_markdown_table)
{
    static const char page[] =
        "## Inbound\n\n| Port | Protocol | Use |\n|---|---|---|\n| 21 | TCP | FTP |\n"
        "{% if page.platform == 'aws' %}\n| 22 | TCP | SSH |\n{% endif %}\n| 80 | TCP | HTTP |\n";
    struct qpw_imported with = import_ok("p", page, "aws"), without = import_ok("p", page, "on-prem");

    cr_assert(strstr(with.policy, "22 ") != NULL);
    cr_assert(strstr(with.policy, "ref=p:9") != NULL);
    cr_assert(strstr(without.policy, " 22 ") == NULL);
    cr_assert(strstr(without.policy, "ref=p:9") != NULL);
    qpw_imported_clear(&with);
    qpw_imported_clear(&without);
}

/* Liquid joins from the right: a and (b or c). */
Test(import, liquid_conditions)
{
    static const struct {
        const char *condition;
        bool shown;
    } cases[] = {
        {"page.platform == 'aws'", true},
        {"page.platform != \"aws\"", false},
        {"page.platform contains 'w'", true},
        {"page.platform == 'x' or page.platform == 'aws'", true},
        {"page.platform == 'x' and page.platform == 'aws' or page.platform == 'aws'", false},
        {"'x' == 'y'", false},
        {"page.platform", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char page[512];
        struct qpw_imported imported;

        snprintf(page, sizeof(page),
                 "## Inbound\n\n|Port|Protocol|Use|\n|-|-|-|\n|80|TCP|x|\n{%%- if %s -%%}\n|22|TCP|y|\n{%% else "
                 "%%}\n|23|TCP|z|\n{%% endif %%}\n",
                 cases[i].condition);
        imported = import_ok("p", page, "aws");
        cr_assert(eq(int, strstr(imported.policy, " 22 ") != NULL, cases[i].shown), "%s", cases[i].condition);
        cr_assert(eq(int, strstr(imported.policy, " 23 ") == NULL, cases[i].shown), "%s", cases[i].condition);
        qpw_imported_clear(&imported);
    }
}

/* ---- Broken pages: each an error with its line ---- */

#define TOP "## Inbound\n\n<table>\n<tr><th>Port</th><th>Protocol</th><th>Use</th></tr>\n"
static const struct {
    const char *page;
    const char *error;
} broken[] = {
    {TOP "<tr><td>70000</td><td>TCP</td><td>x</td></tr>\n</table>\n",
     "p.md:5: port: not a port or a range of ports from 1 to 65535: '70000'"},
    {TOP "<tr><td>445-139</td><td>TCP</td><td>x</td></tr>\n</table>\n",
     "p.md:5: port: the range runs backwards: '445-139'"},
    {TOP "<tr><td>445</td><td>TPC</td><td>x</td></tr>\n</table>\n", "p.md:5: protocol: not a protocol: 'TPC'"},
    {TOP "<tr><td>445</td><td></td><td>x</td></tr>\n</table>\n", "p.md:5: no protocol"},
    {TOP "<tr><td></td><td>TCP</td><td>x</td></tr>\n</table>\n", "p.md:5: no port"},
    {TOP "<tr><td>445</td><td>TCP</td></tr>\n</table>\n", "p.md:5: 2 cells in a table of 3 columns"},
    {TOP "<tr><td>445</td><td>TCP</td><td>x</td></tr>\n", "p.md:3: the table that begins here is not closed"},
    {TOP "{% if page.platform == 'aws' %}\n<tr><td>1</td><td>TCP</td><td>x</td></tr>\n</table>\n",
     "p.md:5: if without endif"},
    {TOP "{% for x in y %}\n</table>\n", "p.md:5: a Liquid tag that is not understood: 'for'"},
    {TOP "{% if site.beta %}\n{% endif %}</table>\n",
     "p.md:5: a condition over something else than page.platform: 'site.beta'"},
    {"## Ports\n\n<table>\n<tr><th>Port</th><th>Protocol</th></tr>\n<tr><td>1</td><td>TCP</td></tr>\n</table>\n",
     "p.md:4: no direction: neither the heading above says inbound or outbound, nor is there a column for it"},
    {"## Inbound\n\nOpen TCP ports 445 and 2049.\n", "p.md:1: the page has no table with a column of ports"},
    {"## Inbound\n\n| Port | Protocol |\n|---|---|\n| SMB | TCP |\n", "p.md:5: port: not a port: 'SMB'"},
    {"| Source | Destination | Port | Protocol |\n|---|---|---|---|\n| A | B | 1 | TCP |\n",
     "p.md:3: which of 'A' and 'B' is the node? say so with --node NAME"},
    {TOP "<tr><td>445 (and 139)</td><td>TCP</td><td>x</td></tr>\n</table>\n",
     "p.md:5: port: digits in brackets, which may be ports or not: '(and 139)'"},
    {TOP "<tr><td>445</td><td>TCP</td><td>\xff</td></tr>\n</table>\n", "p.md:5: byte 0xff is not UTF-8 text"},
    {TOP "<tr><td colspan=\"3\">More</td></tr>\n</table>\n",
     "p.md:5: a row over all columns that names no direction: 'More'"},
    {"", "p.md:1: the page has no table with a column of ports"},
};

Test(import, broken_pages_name_their_line)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        struct qpw_import_options options = {.platform = "on-prem"};
        struct qpw_imported imported = {0};
        struct qpw_error err = {""};

        cr_assert(qpw_import_text("p.md", broken[i].page, strlen(broken[i].page), &options, &imported, &err) < 0, "%s",
                  broken[i].page);
        cr_assert(eq(str, err.text, (char *)broken[i].error));
        cr_assert(imported.policy == NULL);
    }
}
