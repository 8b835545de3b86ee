/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_write.c - the rows of a page as a policy's text. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <nettle/base16.h>
#include <nettle/sha2.h>

#include "policy/page/import_int.h"
#include "policy/lang/parse.h"

/* Names by what a row is for; the generated name stands in where there is none. */
static const struct {
    const char *words;
    uint16_t port; /* the row has it; 0: whatever its ports */
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

static bool has_port(const struct qpw_row_ports *ports, uint16_t port)
{
    for (size_t i = 0; i < ports->n; i++)
        if (port >= ports->ports[i].first && port <= ports->ports[i].last)
            return true;
    return false;
}

static void protocol_words(const struct qpw_import_row *row, char *buf, size_t size)
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

    memcpy(rest, row->ports.protocols, sizeof(rest));
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
    if (row->ports.any_protocol)
        snprintf(buf, size, "any");
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

/* The generated name of the row of the same direction with tcp 21, which vouches for the passive range. */
static void write_parent(const struct qpw_importer *im, const struct qpw_import_row *row, FILE *out)
{
    for (size_t i = 0; i < im->n_rows; i++) {
        const struct qpw_import_row *other = &im->rows[i];

        if (other->direction == row->direction && !other->weak && has_port(&other->ports, 21) &&
            qpw_protocol_in(other->ports.protocols, IPPROTO_TCP)) {
            char protocols[64], name[QPW_NAME_LEN];

            protocol_words(other, protocols, sizeof(protocols));
            for (char *p = protocols; *p; p++)
                if (*p == ',')
                    *p = '+';
            snprintf(name, sizeof(name), "%s-%.16s-", row->direction == QPW_DIR_INBOUND ? "in" : "out", protocols);
            qpw_ports_into_name(other->ports.ports, other->ports.n, name, sizeof(name));
            fprintf(out, " parent=%s", name);
            return;
        }
    }
}

static void write_row(const struct qpw_importer *im, const struct qpw_import_row *row, bool *named, FILE *out)
{
    char protocols[64], ports[12 * QPW_MAX_PORT_RANGES] = "";
    const size_t n_names = sizeof(names) / sizeof(*names);

    protocol_words(row, protocols, sizeof(protocols));
    if (row->ports.any)
        strcpy(ports, "any");
    qpw_ports_into_name(row->ports.ports, row->ports.n, ports, sizeof(ports));
    for (char *p = ports; *p; p++)
        if (*p == '+')
            *p = ',';
    fprintf(out, "%-9s %-8s %-12s", row->direction == QPW_DIR_INBOUND ? "inbound" : "outbound", protocols, ports);
    write_purpose(out, row->purpose);
    fprintf(out, "%s%s%s", row->is_default ? " default" : "", row->optional ? " optional" : "",
            row->weak ? " weak" : "");
    for (size_t i = 0; i < n_names; i++) {
        if (!qpw_has_words(row->purpose, names[i].words) || (names[i].port && !has_port(&row->ports, names[i].port)))
            continue;
        if (names[i].name && !named[i])
            fprintf(out, " name=%s", names[i].name);
        if (names[i].feature)
            fprintf(out, " feature=%s", names[i].feature);
        named[i] = true;
        break;
    }
    if (row->weak)
        write_parent(im, row, out);
    fprintf(out, " ref=%s:%u\n", im->base, row->line);
}

int qpw_import_write(struct qpw_importer *im, const char *text, size_t length)
{
    bool named[sizeof(names) / sizeof(*names)] = {false};
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[65] = "";
    struct sha256_ctx ctx;
    size_t size;
    FILE *out = open_memstream(&im->out.policy, &size);
    uint8_t direction = 0;

    if (!out)
        return qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
    sha256_init(&ctx);
    sha256_update(&ctx, length, (const uint8_t *)text);
    sha256_digest(&ctx, sizeof(digest), digest);
    base16_encode_update(hex, sizeof(digest), digest);
    fprintf(out, "policy    %s/%s\nsource    %s sha256:%s\nplatform  %s\n",
            im->options->vendor ? im->options->vendor : "qumulo", im->options->platform, im->base, hex,
            im->options->platform);
    for (size_t i = 0; i < im->n_rows; i++) {
        if (im->rows[i].direction != direction)
            fputc('\n', out);
        direction = im->rows[i].direction;
        write_row(im, &im->rows[i], named, out);
    }
    if (im->peer_ports_line || im->family_line[0] || im->family_line[1])
        fputc('\n', out);
    if (im->peer_ports_line)
        fprintf(out, "require-peer-ports  any   # %s:%u\n", im->base, im->peer_ports_line);
    for (int i = 0; i < 2; i++)
        if (im->family_line[i])
            fprintf(out, "require-peer-family ipv%d  # %s:%u\n", i ? 6 : 4, im->base, im->family_line[i]);
    return fclose(out) == 0 ? 0 : qpw_fail(im->err, -ENOMEM, "%s: out of memory", im->name);
}
