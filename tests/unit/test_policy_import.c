/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Importing the vendor's page: the oracle of each platform, other notations, other vendors, broken pages. */
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

/* ---- The oracle: rules (direction, protocol, ports, flag), each found once, and no others ---- */

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

/* Return how many (protocol, range) pairs the policy's rules have. */
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

    cr_assert(eq(sz, known.warnings.n, 0));
    cr_assert(eq(sz, unknown.warnings.n, 1));
    cr_assert(strstr(unknown.warnings.list[0], "never mentions") != NULL);
    qpw_imported_clear(&known);
    qpw_imported_clear(&unknown);
    free(page);
}

/* ---- The same page in other notations ---- */

/* Replace every `from` in *text. */
static void replace(char **text, const char *from, const char *to)
{
    size_t n = 0, length = strlen(from);
    char *out, *at;

    for (const char *p = *text; (p = strstr(p, from)); p += length)
        n++;
    cr_assert(n > 0, "'%s' is not in the page any more", from);
    out = at = malloc(strlen(*text) + n * strlen(to) + 1);
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): it is a string */
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

/* The rendered page: no Liquid, notes as boxes, a menu around it. */
Test(import, rendered_page_gives_the_same_policy)
{
    size_t length;
    char *page = read_shared(PAGE, &length), *html;
    struct qpw_liquid_text body;
    struct qpw_error err = {""};
    struct qpw_differences differences = {0};

    replace(&page, "{% include note.html content=\"Qumulo Core supports UDP",
            "<div class=\"alert alert-info\" role=\"alert\"><i class=\"fa\"></i> <b>Note:</b> Port 20048 and "
            "UDP</div>{% include x=\"");
    replace(&page, "## Networking Ports for Inbound Connections",
            "<h2 id=\"inbound\">Networking Ports for Inbound Connections</h2>");
    replace(&page, "## Networking Ports for Outbound Connections",
            "<h2 id=\"outbound\">Networking Ports for Outbound&nbsp;Connections</h2>");
    cr_assert(qpw_liquid_render("page", page, strlen(page), "on-prem", &body, &err) == 0, "%s", err.text);
    cr_assert(asprintf(&html,
                       "<!DOCTYPE html>\n<html><head><title>Ports</title><style>td {}</style></head><body>\n<nav><ul>"
                       "<li><a href=\"#\">Outbound</a></li></ul></nav>\n<section><article>%s</article></section>\n"
                       "<script>var t = '<table>'\n|| 'x';</script></body></html>\n", body.text) > 0);
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
    free(body.text);
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
    cr_assert(eq(str, differences.list[0].text, "now allowed: inbound tcp 3713 (Cloud Data Fabric) from any"));
    cr_assert(eq(str, differences.list[1].text, "now allowed: outbound tcp 3713 (Cloud Data Fabric) to any"));
    qpw_differences_clear(&differences);
    qpw_policy_clear(&old);
    qpw_policy_clear(&new);
    qpw_imported_clear(&before);
    qpw_imported_clear(&after);
    free(page);
    free(newer);
}

/* ---- Another vendor: five columns, the direction given by which end is the node ---- */

static const char five_columns[] =
    "# Firewall requirements\n\n"
    "| Source | Destination | Protocol | Port | Description |\n"
    "|--------|:-----------:|----------|------|-------------|\n"
    "| Clients | Cluster | TCP | 2049 | [NFS](nfs.html) |\n"
    "| Monitoring | Storage cluster | UDP | 161\xe2\x80\x93" "162 | SNMP |\n"
    "| Cluster | DNS servers | TCP/UDP | 53 | Name resolution[^1] |\n"
    "| Clusters | Cluster | TCP | 6800-7300 | OSDs |\n"
    "| All | Cluster | ICMP | All | ping |\n";

Test(import, ends_become_sets_to_be_filled_in)
{
    struct qpw_import_options options = {.nodes = {"cluster"}, .n_nodes = 1};
    struct qpw_imported imported = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_import_text("acme-ports.md", five_columns, strlen(five_columns), &options, &imported, &err) == 0, "%s",
              err.text);
    cr_assert(strncmp(imported.policy, "policy    acme-ports\n", 21) == 0, "%s", imported.policy);
    cr_assert(strstr(imported.policy, "qumulo") == NULL);
    /* The policy cannot be loaded before the sets are filled in, and the error names the reason. */
    cr_assert(qpw_policy_parse_text("p", imported.policy, strlen(imported.policy), &policy, &err) < 0);
    cr_assert(strstr(err.text, "no addresses yet for clients (line ") != NULL, "%s", err.text);
    cr_assert(strstr(err.text, "dns-servers (line ") != NULL, "%s", err.text);
    cr_assert(qpw_policy_parse_draft("p", imported.policy, strlen(imported.policy), &policy, &err) == 0, "%s", err.text);
    cr_assert(eq(sz, policy.n_rules, 5));
    cr_assert(eq(str, policy.rules[0].name, "nfs"));
    cr_assert(eq(str, policy.rules[0].text, "inbound   tcp      2049         NFS from=@clients name=nfs "
                                            "ref=acme-ports.md:5"));
    cr_assert(eq(str, policy.rules[1].name, "in-tcp-6800-7300"));
    cr_assert(eq(str, policy.rules[2].name, "in-icmp-any"));
    cr_assert(eq(int, policy.rules[2].flags, QPW_RULE_ANY_PORT)); /* All: from any */
    cr_assert(eq(str, policy.rules[3].name, "out-tcp+udp-53"));
    cr_assert(eq(str, policy.rules[3].purpose, "Name resolution"));
    cr_assert(eq(str, policy.rules[3].ref, "acme-ports.md:7"));
    cr_assert(eq(str, policy.rules[4].name, "out-tcp-6800-7300"));
    cr_assert(eq(sz, imported.rows, 5));
    cr_assert(eq(sz, imported.taken, 4));
    cr_assert(eq(sz, imported.others, 1)); /* "Storage cluster" does not match "Cluster" */
    cr_assert(eq(sz, imported.warnings.n, 2));
    cr_assert(eq(str, imported.warnings.list[0],
                 "acme-ports.md:3: not in the policy: the notes that 1 row refers to (line 7); if one restricts its row, add "
                 "that by hand"));
    cr_assert(eq(str, imported.warnings.list[1],
                 "acme-ports.md:6: left out, for others or denied: 'Monitoring' to 'Storage cluster' (line 6)"));
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
    cr_assert(eq(sz, with.rows, 3));
    cr_assert(eq(sz, with.others, 0));
    cr_assert(eq(sz, without.rows, 3));
    cr_assert(eq(sz, without.others, 1)); /* the excluded row is counted */
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

/* ---- Broken pages: each an error with its line, and with column and purpose if a line has several rows ---- */

#define TOP "## Inbound\n\n<table>\n<tr><th>Port</th><th>Protocol</th><th>Use</th></tr>\n"
#define END "</table>\n"
#define ROW(port, protocol) TOP "<tr><td>" port "</td><td>" protocol "</td><td>x</td></tr>\n" END
#define PORT "p.md:5: 'x': column 'Port': "
#define PROTOCOL "p.md:5: 'x': column 'Protocol': "
static const struct {
    const char *page;
    const char *error;
} broken[] = {
    {ROW("70000", "TCP"), PORT "not a port or a range of ports from 1 to 65535: '70000'"},
    {ROW("0", "TCP"), PORT "not a port or a range of ports from 1 to 65535: '0'"},
    {ROW("0-65535", "TCP"), PORT "not a port or a range of ports from 1 to 65535: '0-65535'"},
    {ROW("1024+", "TCP"), PORT "not a port or a range of ports from 1 to 65535: '1024+'"},
    {ROW("&gt;1024", "TCP"), PORT "not a port: '>1024'"},
    {ROW("445-139", "TCP"), PORT "the range runs backwards: '445-139'"},
    {ROW("1,024", "TCP"), PORT "one number or several ports? Separate ports with \", \": '1,024'"},
    {ROW("49 152-65 535", "TCP"), PORT "one number or several ports? Separate ports with \", \": '49 152'"},
    {ROW("22 443", "TCP"), PORT "one number or several ports? Separate ports with \", \": '22 443'"},
    {ROW("0080", "TCP"), PORT "not a port or a range of ports from 1 to 65535: '0080'"},
    {ROW("\xef\xbc\x92\xef\xbc\x92", "TCP"), PORT "not a port: '\xef\xbc\x92\xef\xbc\x92'"},
    {ROW("&#x662;&#x662;", "TCP"), PORT "not a port: '\xd9\xa2\xd9\xa2'"},
    {ROW("dynamic", "TCP"), PORT "not a port: 'dynamic'"},
    {ROW("TBD", "TCP"), PORT "not a port: 'TBD'"},
    {ROW("*", "TCP"), PORT "not a port: '*'"},
    {ROW("-", "TCP"), PORT "no port"},
    {ROW("N/A", "UDP"), PORT "no port"},
    {ROW("", "TCP"), PORT "no port"},
    {ROW("2049<br>&#x3C;mountd port>", "TCP"), PORT "not a port: '<mountd port>'"},
    {ROW("445 (and 139)", "TCP"), PORT "digits in brackets, which may be ports or not: '(and 139)'"},
    {ROW("23 (not required)", "TCP"), PORT "a remark that may take the port back or restrict it: '(not required)'"},
    {ROW("23 (outbound)", "TCP"), PORT "a remark that may take the port back or restrict it: '(outbound)'"},
    {ROW("53 (UDP only)", "TCP/UDP"), PORT "a remark that may restrict the protocol: '(UDP only)'"},
    {ROW("22 (SSH)x", "TCP"), PORT "not a port: 'x'"},
    {ROW("22 (SSH))", "TCP"), PORT "not a port: ')'"},
    {ROW("8080/8443/tcp", ""), PORT "two ports, or a port and something else? '8080/8443/tcp'"},
    {ROW("80/tcp, 443", ""), PORT "some ports have a protocol here and some have none: '80/tcp, 443'"},
    {ROW("TCP 80/UDP", ""), PORT "which protocol goes with which port? 'TCP 80/UDP'"},
    {ROW("53/udp", "TCP"), "p.md:5: 'x': the protocols in the two cells contradict each other: '53/udp'"},
    {ROW("80<br>443<br>8080", "TCP<br>UDP"), "p.md:5: 'x': 3 lines of ports beside 2 lines of protocols"},
    {ROW("445", "TPC"), PROTOCOL "not a protocol: 'TPC'"},
    {ROW("445", "TCP and UCP"), PROTOCOL "not a protocol: 'UCP'"},
    {ROW("445", "TCP, not UDP"), PROTOCOL "not a protocol: 'not'"},
    {ROW("445", ""), PROTOCOL "no protocol"},
    {ROW("All", "All"), "p.md:5: 'x': all protocols on all ports is no rule, but the end of 'every rule'"},
    {ROW("-", "TCP, GRE"), "p.md:5: 'x': protocols with and without ports in one row: '-'"},
    {ROW("22", "GRE"), PORT "ports of a protocol that has none: '22'"},
    {ROW("300", "ICMP"), PORT "not a type of ICMP: '300'"},
    {ROW("<del>23</del>", "TCP"), "p.md:5: 'x': text that is struck out"},
    {ROW("22<span style=\"display: none\">, 23</span>", "TCP"), "p.md:5: 'x': text that a browser does not show"},
    {ROW("22{{ site.more }}", "TCP"), "p.md:5: 'x': column 'Port': text that comes from elsewhere (an include or a "
                                      "variable)"},
    {TOP "<tr hidden><td>23</td><td>TCP</td><td>x</td></tr>\n" END, "p.md:5: 'x': a row that a browser does not show"},
    {TOP "<tr><td colspan=\"2\">All</td><td>x</td></tr>\n" END, "p.md:5: 'x': column 'Port': a cell over several columns"},
    {TOP "<tr><td rowspan=\"2\">1</td><td>TCP</td><td>x</td></tr>\n<tr><td>2</td><td>TCP</td><td>y</td></tr>\n" END,
     "p.md:6: 4 cells in a table of 3 columns"},
    {TOP "<tr><td>445</td><td>TCP</td></tr>\n" END, "p.md:5: 2 cells in a table of 3 columns"},
    {TOP "<tr><td>445</td><td>TCP</td><td>x</td></tr>\n", "p.md:3: this table is not closed"},
    {TOP "<tr><td>445</td><td>TCP</td><td>\xff</td></tr>\n" END, "p.md:5: byte 0xff is not UTF-8 text"},
    {TOP "<tr><td colspan=\"3\">More</td></tr>\n" END, "p.md:5: a row over all columns that names no direction: 'More'"},
    {TOP "{% if page.platform == 'aws' %}\n<tr><td>1</td><td>TCP</td><td>x</td></tr>\n" END, "p.md:5: if without endif"},
    {TOP "{% for x in y %}\n" END, "p.md:5: a Liquid tag that is not understood: 'for'"},
    {TOP "{% if site.beta %}\n{% endif %}" END,
     "p.md:5: a condition over something else than page.platform: 'site.beta'"},
    {"## Ports\n\n|Port|Protocol|\n|-|-|\n|1|TCP|\n",
     "p.md:3: no direction: neither a heading above says inbound or outbound, nor is there a column for it"},
    {"## Inbound\n\n|Port|Port|Protocol|\n|-|-|-|\n|1|2|TCP|\n",
     "p.md:3: two columns for the same thing: 'Port' and 'Port'"},
    {"## Blocked inbound ports\n\n|Port|Protocol|\n|-|-|\n|1|TCP|\n",
     "p.md:3: 'Blocked inbound ports' says that these ports are not to be open, or an example: nothing is taken from here"},
    {"## Inbound\n\n|Port|Protocol|Action|\n|-|-|-|\n|1|TCP|maybe|\n",
     "p.md:5: column 'Action': neither allow nor deny: 'maybe'"},
    {"## Inbound\n\nOpen TCP ports 445 and 2049.\n", "p.md:1: the page has no table with a column of ports"},
    {"| Source | Destination | Port | Protocol |\n|---|---|---|---|\n| A | B | 1 | TCP |\n",
     "p.md:1: this page is about several nodes: choose yours with --node WORDS (repeatable) from these words"},
    {"<table>\n<tgroup cols=\"2\"><thead><row><entry>Port</entry></row></thead></tgroup></table>\n",
     "p.md:2: a DocBook or DITA table; take the HTML edition, or put the rows into a CSV file"},
    {"", "p.md:1: the page has no table with a column of ports"},
};

Test(import, broken_pages_name_line_column_and_purpose)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        struct qpw_import_options options = {.platform = NULL};
        struct qpw_imported imported = {0};
        struct qpw_error err = {""};

        cr_assert(qpw_import_text("p.md", broken[i].page, strlen(broken[i].page), &options, &imported, &err) < 0, "%s",
                  broken[i].page);
        cr_assert(eq(str, err.text, (char *)broken[i].error));
        cr_assert(ge(sz, imported.errors.n, 1));
        cr_assert(eq(str, imported.errors.list[0], (char *)broken[i].error));
        cr_assert(imported.policy == NULL);
        qpw_imported_clear(&imported);
    }
}

/*
 * One failed row fails the import, and all failed rows are named; with --partial the others are written, those as
 * comments.
 */
Test(import, all_errors_at_once_and_partial)
{
    static const char page[] = "## Inbound\n\n|Port|Protocol|Use|\n|-|-|-|\n|21|TCP|FTP|\n|any of them|TCP|Two|\n"
                               "|22|TCP|SSH|\n|80|HTTPX|Four|\n";
    struct qpw_import_options options = {.vendor = "acme"};
    struct qpw_imported imported = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_import_text("ports.md", page, strlen(page), &options, &imported, &err) < 0);
    cr_assert(eq(sz, imported.errors.n, 2));
    cr_assert(eq(str, imported.errors.list[0], "ports.md:6: 'Two': column 'Port': not a port: 'of'"));
    cr_assert(eq(str, imported.errors.list[1], "ports.md:8: 'Four': column 'Protocol': not a protocol: 'HTTPX'"));
    cr_assert(imported.policy == NULL);
    cr_assert(eq(sz, imported.rows, 4));
    cr_assert(eq(sz, imported.taken, 2));
    cr_assert(eq(sz, imported.failed, 2));
    qpw_imported_clear(&imported);
    options.partial = true;
    cr_assert(qpw_import_text("ports.md", page, strlen(page), &options, &imported, &err) == 0, "%s", err.text);
    cr_assert(eq(sz, imported.errors.n, 2));
    cr_assert(strncmp(imported.policy, "policy    acme/ports\n", 21) == 0, "%s", imported.policy);
    cr_assert(strstr(imported.policy, "\n# ports.md:6: 'Two': column 'Port': not a port: 'of'\n") != NULL, "%s",
              imported.policy);
    struct qpw_policy policy = parse_ok(imported.policy);
    cr_assert(eq(sz, policy.n_rules, 2));
    qpw_policy_clear(&policy);
    qpw_imported_clear(&imported);
}

/* ---- Valid cells ---- */

static const struct {
    const char *port;
    const char *protocol;
    const char *rules; /* protocols and ports of each rule */
} cells[] = {
    {"389,636", "TCP", "tcp 389,636;"},
    {"80,443", "TCP", "tcp 80,443;"},
    {"21,23,111", "TCP", "tcp 21,23,111;"},
    {"12202, 13301", "TCP or UDP", "tcp,udp 12202,13301;"},
    {"18600 to 18699", "TCP/ UDP", "tcp,udp 18600-18699;"},
    {"7835&ndash;7839 and 7845&#8211;7849", "TCP &amp; UDP", "tcp,udp 7835-7839,7845-7849;"},
    {"389/TCP/UDP", "", "tcp,udp 389;"},
    {"53,1024-1100/TCP/UDP", "", "tcp,udp 53,1024-1100;"},
    {"80/tcp, 53/udp", "", "tcp 80;udp 53;"},
    {"TCP 80, 443; UDP 53", "", "tcp 80,443;udp 53;"},
    {"TCP: 80<br>UDP: 53", "", "tcp 80;udp 53;"},
    {"TCP/443", "", "tcp 443;"},
    {"53 (TCP/UDP)", "", "tcp,udp 53;"},
    {"443/tcp (HTTPS)", "", "tcp 443;"},
    {"443*, 80 \xe2\x80\xa0", "TCP", "tcp 80,443;"},
    {"22 (*)", "TCP(**)", "tcp 22;"},
    {"80 &lt;web>", "HTTP", "tcp 80;"},
    {"14000-14100 (drives)<br>14200 (front)", "TCP<br>UDP", "tcp 14000-14100;udp 14200;"},
    {"80<br>443", "TCP", "tcp 80,443;"},
    {"111", "TCP<br>UDP", "tcp,udp 111;"},
    {"8080/8443", "TCP", "tcp 8080,8443;"},
    {"0, 8 *", "ICMP", "icmp 0,8;"},
    {"type 8", "ICMP", "icmp 8;"},
    {"-", "ICMP", "icmp any;"},
    {"All", "All ICMP", "icmp any;"},
    {"", "ESP", "50 any;"},
    {"161", "All", "tcp,udp 161;"},
    {"All", "TCP", "tcp any weak;"},
    {"1024-65535", "TCP", "tcp 1024-65535 weak;"},
    {"14200-14300<br>14300-14400", "UDP", "udp 14200-14300;udp 14300-14400;"},
};

Test(import, cells_as_people_write_them)
{
    for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
        char page[1024], got[256] = "", text[128];
        struct qpw_imported imported;
        struct qpw_policy policy;

        snprintf(page, sizeof(page), TOP "<tr><td>%s</td><td>%s</td><td>x</td></tr>\n" END, cells[i].port,
                 cells[i].protocol);
        imported = import_ok("p.md", page, NULL);
        policy = parse_ok(imported.policy);
        for (size_t j = 0; j < policy.n_rules; j++) {
            const struct qpw_rule *rule = &policy.rules[j];
            size_t used = strlen(got);

            used += (size_t)snprintf(got + used, sizeof(got) - used, "%s ",
                                     qpw_protocols_text(rule->protocols, false, text, sizeof(text)));
            for (size_t k = 0; k < rule->n_ports; k++)
                used += (size_t)snprintf(got + used, sizeof(got) - used,
                                         rule->ports[k].first == rule->ports[k].last ? "%s%u" : "%s%u-%u", k ? "," : "",
                                         rule->ports[k].first, rule->ports[k].last);
            snprintf(got + used, sizeof(got) - used, "%s%s;", rule->flags & QPW_RULE_ANY_PORT ? "any" : "",
                     rule->flags & QPW_RULE_WEAK ? " weak" : "");
        }
        cr_assert(eq(str, got, (char *)cells[i].rules), "'%s' beside '%s'", cells[i].port, cells[i].protocol);
        qpw_policy_clear(&policy);
        qpw_imported_clear(&imported);
    }
}

/* ---- Refusals with advice ---- */

static const struct {
    const char *name;
    const char *page;
    const char *reason; /* the second error */
} refusals[] = {
    {"p.md", "# Ports\n\n* TCP 22: SSH\n* UDP 53: DNS\n", "p.md:3: ports in a list, not in a table; put the rows into a "
                                                          "CSV file"},
    {"p.md", "# Ports\n\nOpen TCP port 22 for SSH.\n",
     "p.md:3: ports in prose only, which are never taken; put the rows into a CSV file"},
    {"p.txt", "Ports\n\n  Port   Protocol   Use\n  22     TCP        SSH\n",
     "p.txt:3: text without a table (from a PDF, or flattened); take the HTML edition, or put the rows into a CSV file"},
    {"p.rst", "Ports\n=====\n\n.. include:: ports.inc\n",
     "p.rst:4: the text of '.. include:: ports.inc' is not on this page; import the file it names"},
    {"p.adoc", "= Ports\n\ninclude::ports.adoc[]\n",
     "p.adoc:3: the text of 'include::ports.adoc[]' is not on this page; import the file it names"},
    {"p.md", "# Ports\n\n{% include content/ports.md %}\n",
     "p.md:3: the text of '{% include content/ports.md %}' is not on this page; import the file it names"},
    {"p.md", "# Ports\n\n|Descriptor|Explanation|\n|-|-|\n|Port number|22|\n|Protocols|TCP|\n",
     "p.md:5: a table for each service, with its port in a row; put the rows into a CSV file"},
};

Test(import, refusals_say_what_helps)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        struct qpw_import_options options = {.partial = true};
        struct qpw_imported imported = {0};
        struct qpw_error err = {""};

        cr_assert(qpw_import_text(refusals[i].name, refusals[i].page, strlen(refusals[i].page), &options, &imported,
                                  &err) < 0, "%s", refusals[i].page);
        cr_assert(strstr(err.text, "the page has no table with a column of ports") != NULL, "%s", err.text);
        cr_assert(imported.policy == NULL);
        cr_assert(ge(sz, imported.errors.n, 2), "%s", refusals[i].page);
        cr_assert(eq(str, imported.errors.list[1], (char *)refusals[i].reason));
        qpw_imported_clear(&imported);
    }
}
