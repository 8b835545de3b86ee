/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What speaks in the public captures, every end taken for the node's: whatever is judged another service is one, and named
 * here; and each service is recognized as often as it was when this was written.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

static const char policy[] =
    "policy captures\n"
    "inbound tcp 21 FTP speaks=ftp name=ftp\n"
    "inbound tcp 22 SSH speaks=ssh name=ssh\n"
    "inbound tcp 80 HTTP speaks=http name=http\n"
    "inbound tcp,udp 111,2049 RPC speaks=sunrpc name=rpc\n"
    "inbound tcp 443,636,3269 TLS speaks=tls name=tls\n"
    "inbound tcp 139,445 SMB speaks=smb name=smb\n"
    "inbound tcp 8000,9000 API speaks=tls,http name=api\n"
    "inbound tcp,udp 53 DNS speaks=dns name=dns\n"
    "inbound tcp,udp 88 Kerberos speaks=kerberos name=kerberos\n"
    "inbound tcp 135 DCERPC speaks=dcerpc name=dcerpc\n"
    "inbound tcp,udp 389,3268 LDAP speaks=ldap name=ldap\n"
    "inbound udp 123 NTP speaks=ntp name=ntp\n";

/* Another service by design. */
static const struct {
    const char *capture, *own;
    int port;
} others[] = {
    {"ndpi-tcp9000.pcap", "fastcgi", 9000},
    {"sv-tcp-malformed4.pcap", "text", 443}, /* handmade segments of "abcd..." */
};

/* How many ends of the node's say something, and how many of these what is expected. */
static struct {
    const char *rule;
    unsigned wanted_told, wanted_match;
    unsigned told, match;
    const char *classes;
} services[] = {
    {"ftp", 5, 5, 0, 0, " reply "},        {"ssh", 2, 2, 0, 0, " ssh "},   {"http", 8, 4, 0, 0, " http http-error "},
    {"rpc", 19, 19, 0, 0, " sunrpc "},     {"tls", 1, 0, 0, 0, " tls "},   {"smb", 3, 3, 0, 0, " smb netbios "},
    {"api", 2, 1, 0, 0, " tls http http-error "},                          {"dns", 29, 29, 0, 0, " dns "},
    {"kerberos", 22, 22, 0, 0, " kerberos "}, {"dcerpc", 2, 2, 0, 0, " dcerpc "}, {"ldap", 3, 3, 0, 0, " ldap "},
    {"ntp", 17, 17, 0, 0, " ntp "},
};
#define SERVICES (sizeof(services) / sizeof(*services))

static FILE *replay(const char *file, const char *capture, const char *how)
{
    char command[512];

    snprintf(command, sizeof(command), QPW_BUILD "/qportwatch replay --policy %s --local 0.0.0.0/0 --local ::/0 %s %s%s 2>/dev/null",
             file, how, ORACLE_CAPTURES, capture);
    return popen(command, "r");
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static void count_connections(const char *file, const char *capture)
{
    FILE *in = replay(file, capture, "--connections");
    char *line = NULL, word[40];
    size_t size = 0;

    while (getline(&line, &size, in) > 0) {
        json_t *c = json_loads(line, 0, NULL);
        const char *own = text_of(json_object_get(c, "speaks"), "own");

        snprintf(word, sizeof(word), " %s ", own);
        for (size_t i = 0; i < SERVICES && *own && strcmp(own, "short"); i++)
            if (!strcmp(text_of(c, "rule"), services[i].rule)) {
                services[i].told++;
                services[i].match += strstr(services[i].classes, word) != NULL;
            }
        json_decref(c);
    }
    free(line);
    pclose(in);
}

static unsigned expect_mismatches(const char *file, const char *capture)
{
    FILE *in = replay(file, capture, "--findings --json");
    json_t *document = json_loadf(in, 0, NULL), *f;
    unsigned n = 0;
    size_t i;

    pclose(in);
    cr_assert(document, "%s", capture);
    json_array_foreach(json_object_get(document, "findings"), i, f) {
        const char *own = text_of(json_object_get(f, "speaks"), "own");
        bool known = false;

        if (strcmp(text_of(f, "verdict"), "mismatch"))
            continue;
        n++;
        for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++)
            known |= !strcmp(others[k].capture, capture) && !strcmp(others[k].own, own) &&
                     others[k].port == json_integer_value(json_object_get(f, "port"));
        cr_expect(known, "%s: %s on port %lld", capture, own, json_integer_value(json_object_get(f, "port")));
    }
    json_decref(document);
    return n;
}

Test(speaks_captures, nothing_is_taken_for_another_service, .timeout = 200)
{
    struct oracle_name names[ORACLE_MAX_CAPTURES];
    char file[] = "/tmp/qportwatch-speaks.XXXXXX";
    size_t n = oracle_captures(names);
    unsigned found = 0;
    int fd;

    if (!oracle_present())
        cr_skip("no captures (" ORACLE_CAPTURES ")");
    if (geteuid())
        cr_skip("needs root");
    fd = mkstemp(file);
    cr_assert(fd >= 0 && write(fd, policy, strlen(policy)) == (ssize_t)strlen(policy));
    close(fd);
    for (size_t i = 0; i < n; i++) {
        count_connections(file, names[i].capture);
        found += expect_mismatches(file, names[i].capture);
    }
    unlink(file);
    cr_expect_eq(found, sizeof(others) / sizeof(*others));
    for (size_t i = 0; i < SERVICES; i++) {
        printf("    %s: %u of %u recognized\n", services[i].rule, services[i].match, services[i].told);
        cr_expect_geq(services[i].told, services[i].wanted_told, "%s", services[i].rule);
        cr_expect_geq(services[i].match, services[i].wanted_match, "%s", services[i].rule);
    }
}
