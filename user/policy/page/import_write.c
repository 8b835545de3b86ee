/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_write.c - write the rows of a page as a policy's text. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "policy/page/import_int.h"
#include "policy/lang/parse.h"
#include "util/text.h"

/* Rule names by purpose; other rows get the generated name. */
static const struct {
    const char *words;
    uint16_t port; /* the row must have it; 0: any ports */
    const char *name;
    const char *feature;
} names[] = {
    {"FTP", 0, NULL, "ftp"},
    {"SSH", 0, NULL, "ssh"},
    {"Web UI", 0, NULL, "web-ui"},
    {"SMB", 0, NULL, "smb"},
    {"NFS", 2049, "nfs", NULL},
    {"rpcbind", 0, NULL, "rpcbind"},
    {"Replication", 0, NULL, "replication"},
    {"REST API", 0, NULL, "rest-api"},
    {"S3 API", 0, NULL, "s3"},
    {"DNS", 0, NULL, "dns"},
    {"Kerberos", 0, NULL, "ad"},
    {"NTP", 0, NULL, "ntp"},
    {"Netlogon", 0, NULL, "ad"},
    {"LDAP", 389, "ldap", "ad"},
    {"Shift", 0, NULL, "shift"},
    {"Rsyslog", 0, NULL, "audit"},
};

/* The services (speaks=) of rows on the page behind the built-in policies; another page may use a name differently. */
static const struct {
    const char *words;
    uint16_t port;
    const char *speaks;
} spoken[] = {
    {"FTP", 21, "ftp"},          {"SSH", 22, "ssh"},       {"DNS", 53, "dns"},         {"Web UI", 80, "http"},
    {"Kerberos", 88, "kerberos"}, {"rpcbind", 111, "sunrpc"}, {"NTP", 123, "ntp"},        {"DCERPC", 135, "dcerpc"},
    {"LDAP", 389, "tls,ldap"},   {"Web UI", 443, "tls"},   {"Shift", 443, "tls"},      {"SMB", 445, "smb"},
    {"Rsyslog", 514, "syslog"},  {"NFS", 2049, "sunrpc"},  {"REST API", 8000, "tls,http"}, {"S3 API", 9000, "tls,http"},
};

static bool has_port(const struct qpw_row_ports *ports, uint16_t port)
{
    for (size_t i = 0; i < ports->n; i++)
        if (port >= ports->ports[i].first && port <= ports->ports[i].last)
            return true;
    return false;
}

static void protocol_words(const struct qpw_import_rule *rule, char *buf, size_t size)
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {{"tcp", IPPROTO_TCP},
                 {"udp", IPPROTO_UDP},
                 {"sctp", IPPROTO_SCTP},
                 {"icmp", IPPROTO_ICMP},
                 {"icmp6", IPPROTO_ICMPV6}};
    uint64_t rest[4];
    size_t used = 0;

    memcpy(rest, rule->ports.protocols, sizeof(rest));
    *buf = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (!qpw_protocol_in(rest, known[i].number))
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", known[i].name);
        rest[known[i].number / 64] &= ~((uint64_t)1 << known[i].number % 64);
    }
    for (unsigned protocol = 0; protocol < 256 && used < size; protocol++)
        if (qpw_protocol_in(rest, protocol))
            used += (size_t)snprintf(buf + used, size - used, "%s%u", used ? "," : "", protocol);
}

static void write_purpose(FILE *out, const char *purpose)
{
    bool plain = *purpose && strcmp(purpose, "default") && strcmp(purpose, "optional") && strcmp(purpose, "weak");

    for (const char *p = purpose; *p; p++)
        plain &= isalnum((unsigned char)*p) != 0;
    if (plain) {
        fprintf(out, " %s", purpose);
        return;
    }
    fputs(" \"", out);
    for (const char *p = purpose; *p; p++) {
        if (*p == '"' || *p == '\\')
            fputc('\\', out);
        fputc(*p, out);
    }
    fputc('"', out);
}

/*
 * Write parent= with the generated name of the rule of the same direction for tcp 21, which vouches for the passive
 * range.
 */
static void write_parent(const struct qpw_importer *im, const struct qpw_import_rule *rule, FILE *out)
{
    for (size_t i = 0; i < im->n_rules; i++) {
        const struct qpw_import_rule *other = &im->rules[i];
        char protocols[64], name[QPW_NAME_LEN];

        if (!im->tables[im->rows[other->row].table].selected || other->direction != rule->direction || other->weak ||
            !has_port(&other->ports, 21) || !qpw_protocol_in(other->ports.protocols, IPPROTO_TCP))
            continue;
        protocol_words(other, protocols, sizeof(protocols));
        for (char *p = protocols; *p; p++)
            if (*p == ',')
                *p = '+';
        snprintf(name, sizeof(name), "%s-%.16s-", rule->direction == QPW_DIR_INBOUND ? "in" : "out", protocols);
        qpw_ports_into_name(other->ports.ports, other->ports.n, name, sizeof(name));
        fprintf(out, " parent=%s", name);
        return;
    }
}

static void write_speaks(const struct qpw_importer *im, const struct qpw_import_rule *rule, FILE *out)
{
    const char *purpose = im->rows[rule->row].purpose;

    for (size_t i = 0; i < sizeof(spoken) / sizeof(*spoken) && im->own && !rule->weak; i++)
        if (qpw_has_words(purpose, spoken[i].words) && has_port(&rule->ports, spoken[i].port)) {
            fprintf(out, " speaks=%s", spoken[i].speaks);
            return;
        }
}

static void write_rule(const struct qpw_importer *im, const struct qpw_import_rule *rule, bool *named, FILE *out)
{
    const struct qpw_import_row *row = &im->rows[rule->row];
    char protocols[64], ports[12 * QPW_MAX_PORT_RANGES] = "";
    const size_t n_names = sizeof(names) / sizeof(*names);

    protocol_words(rule, protocols, sizeof(protocols));
    if (rule->ports.any)
        strcpy(ports, "any");
    qpw_ports_into_name(rule->ports.ports, rule->ports.n, ports, sizeof(ports));
    for (char *p = ports; *p; p++)
        if (*p == '+')
            *p = ',';
    fprintf(out, "%-9s %-8s %-12s", rule->direction == QPW_DIR_INBOUND ? "inbound" : "outbound", protocols, ports);
    write_purpose(out, row->purpose);
    if (rule->set >= 0)
        fprintf(out, " %s=@%s", rule->direction == QPW_DIR_INBOUND ? "from" : "to", im->sets[rule->set].name);
    fprintf(out, "%s%s%s", rule->is_default ? " default" : "", rule->optional ? " optional" : "",
            rule->weak ? " weak" : "");
    for (size_t i = 0; i < n_names; i++) {
        if (!qpw_has_words(row->purpose, names[i].words) || (names[i].port && !has_port(&rule->ports, names[i].port)))
            continue;
        if (names[i].name && !named[i])
            fprintf(out, " name=%s", names[i].name);
        if (names[i].feature)
            fprintf(out, " feature=%s", names[i].feature);
        named[i] = true;
        break;
    }
    if (rule->passive)
        write_parent(im, rule, out);
    write_speaks(im, rule, out);
    fprintf(out, " ref=%s:%u\n", im->base, row->line);
}

/* ---- Head ---- */

static void write_choices(FILE *out, const char *what, const char *const *words, size_t n)
{
    if (!n)
        return;
    fprintf(out, "# %s", what);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%s\"", i ? ", " : " ");
        for (const char *p = words[i]; *p; p++)
            fputc((unsigned char)*p < 0x20 ? ' ' : *p, out);
        fputc('"', out);
    }
    fputc('\n', out);
}

static void write_head(const struct qpw_importer *im, FILE *out)
{
    const struct qpw_import_options *options = im->options;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[65], stem[40], name[40];
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, im->length, (const uint8_t *)im->source);
    sha256_digest(&ctx, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), hex);
    snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(im->base, "."), im->base); /* without its suffixes */
    qpw_import_slug(stem, name, sizeof(name));
    if (im->own)
        fprintf(out, "policy    qumulo/%.50s\n", im->platform);
    else
        fprintf(out, "policy    %.20s%s%s\n", options->vendor ? options->vendor : "", options->vendor ? "/" : "",
                *name ? name : "page");
    fprintf(out, "source    %s sha256:%s\n", im->base, hex);
    if (im->own || options->platform)
        fprintf(out, "platform  %s\n", im->platform);
    write_choices(out, "for the node that the page calls", options->nodes, options->n_nodes);
    write_choices(out, "sections:", options->sections, options->n_sections);
}

/* ---- Sets ---- */

static bool is_used(const struct qpw_importer *im, size_t set)
{
    for (size_t i = 0; i < im->n_rules; i++)
        if (im->rules[i].set == (int)set && im->tables[im->rows[im->rules[i].row].table].selected)
            return true;
    return false;
}

static void write_sets(const struct qpw_importer *im, FILE *out)
{
    bool any = false, empty = false;

    for (size_t i = 0; i < im->n_sets; i++)
        empty |= is_used(im, i) && !im->sets[i].addresses;
    for (size_t i = 0; i < im->n_sets; i++) {
        const struct qpw_import_set *set = &im->sets[i];

        if (!is_used(im, i))
            continue;
        if (!any)
            fprintf(out, "\n%s", empty ? "# Add the addresses after each name: an empty set is an error.\n" : "");
        any = true;
        fprintf(out, "addresses %-24s", set->name);
        if (set->addresses)
            fprintf(out, " %s", set->addresses);
        fputs("  # ", out);
        for (const char *p = set->text; *p; p++)
            fputc((unsigned char)*p < 0x20 ? ' ' : *p, out);
        fprintf(out, " (%s:%u)\n", im->base, set->line);
    }
}

/* ---- The whole ---- */

static void write_failed(const struct qpw_importer *im, FILE *out)
{
    bool any = false;

    for (size_t i = 0; i < im->n_rows; i++) {
        const struct qpw_import_row *row = &im->rows[i];

        if (row->state != QPW_ROW_FAILED)
            continue;
        if (!any)
            fputs("\n# Rows that could not be read; write them by hand:\n", out);
        any = true;
        fprintf(out, "# %s:%u: ", im->base, row->line);
        for (const char *p = row->text ? row->text : ""; *p; p++)
            fputc((unsigned char)*p < 0x20 ? ' ' : *p, out);
        fputc('\n', out);
    }
}

int qpw_import_write(struct qpw_importer *im)
{
    bool named[sizeof(names) / sizeof(*names)] = {false};
    size_t size;
    FILE *out = open_memstream(&im->out.policy, &size);

    if (!out)
        return qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
    write_head(im, out);
    write_sets(im, out);
    for (unsigned direction = QPW_DIR_INBOUND; direction <= QPW_DIR_OUTBOUND; direction++) {
        bool first = true;

        for (size_t i = 0; i < im->n_rules; i++) {
            if (im->rules[i].direction != direction || im->rows[im->rules[i].row].state != QPW_ROW_TAKEN)
                continue;
            if (first)
                fputc('\n', out);
            first = false;
            write_rule(im, &im->rules[i], named, out);
        }
    }
    write_failed(im, out);
    if (im->peer_ports_line || im->family_line[0] || im->family_line[1])
        fputc('\n', out);
    if (im->peer_ports_line)
        fprintf(out, "require-peer-ports  any   # %s:%u\n", im->base, im->peer_ports_line);
    for (int i = 0; i < 2; i++)
        if (im->family_line[i])
            fprintf(out, "require-peer-family ipv%d  # %s:%u\n", i ? 6 : 4, im->base, im->family_line[i]);
    return fclose(out) == 0 ? 0 : qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
}
