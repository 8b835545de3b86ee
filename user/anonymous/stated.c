/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "anonymous/stated.h"

#include <stdio.h>
#include <string.h>

/* Replace a name in an array. */
static void name(const struct qpw_anonymous *a, const char *kind, char *field, size_t size)
{
    char buf[64];

    snprintf(field, size, "%s", qpw_anonymous_name(a, kind, field, buf, sizeof(buf)));
}

#define NAME(a, kind, array) name(a, kind, array, sizeof(array))

/* Replace a rule's name, unless it is built in or made of ports. */
static void rule(const struct qpw_anonymous *a, char field[QPW_NAME_LEN])
{
    char old[QPW_NAME_LEN], buf[64];

    memcpy(old, field, sizeof(old));
    snprintf(field, QPW_NAME_LEN, "%s", qpw_anonymous_rule(a, old, buf, sizeof(buf)));
}

/* "BOOT-ID:SECONDS": statements of one boot still have the same first part. */
static void epoch(const struct qpw_anonymous *a, struct qpw_statement *s)
{
    char boot[sizeof(s->epoch)], buf[64];
    const char *seconds = strrchr(s->epoch, ':');

    snprintf(boot, sizeof(boot), "%.*s", (int)strcspn(s->epoch, ":"), s->epoch);
    if (!seconds || !strcmp(boot, "unknown")) /* which is equal to no other */
        return;
    snprintf(boot, sizeof(boot), "%s%s", qpw_anonymous_name(a, "boot", boot, buf, sizeof(buf)), seconds);
    memcpy(s->epoch, boot, sizeof(boot));
}

static void devices(const struct qpw_anonymous *a, struct qpw_stated_device *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        NAME(a, "if", list[i].name);
        qpw_anonymous_mac(a, list[i].mac, list[i].mac);
    }
}

static void network(const struct qpw_anonymous *a, struct qpw_statement *s)
{
    devices(a, s->devices, s->n_devices);
    devices(a, s->unwatched, s->n_unwatched);
    for (size_t i = 0; i < s->n_local; i++) {
        qpw_anonymous_address(a, s->local[i].addr, s->local[i].addr);
        NAME(a, "if", s->local[i].dev);
        qpw_anonymous_mac(a, s->local[i].mac, s->local[i].mac);
    }
    for (size_t i = 0; i < s->n_neigh; i++) {
        qpw_anonymous_address(a, s->neigh[i].addr, s->neigh[i].addr);
        qpw_anonymous_mac(a, s->neigh[i].mac, s->neigh[i].mac);
    }
    for (size_t i = 0; i < s->n_scans; i++)
        qpw_anonymous_address(a, s->scans[i].addr, s->scans[i].addr);
}

static void services(const struct qpw_anonymous *a, struct qpw_statement *s)
{
    for (size_t i = 0; i < s->policy.n_unused; i++)
        rule(a, s->policy.unused[i]);
    for (size_t i = 0; i < s->n_ports; i++)
        rule(a, s->ports[i].rule);
    for (size_t i = 0; i < s->n_listen; i++) {
        qpw_anonymous_address(a, s->listen[i].addr, s->listen[i].addr);
        NAME(a, "exe", s->listen[i].exe);
        rule(a, s->listen[i].rule);
    }
}

void qpw_anonymous_stated(const struct qpw_anonymous *a, struct qpw_statement *s)
{
    NAME(a, "cluster", s->cluster);
    NAME(a, "node", s->node);
    epoch(a, s);
    network(a, s);
    services(a, s);
    for (size_t i = 0; i < s->n_pairs; i++) {
        NAME(a, "node", s->pairs[i].peer);
        for (size_t j = 0; j < s->pairs[i].n_macs; j++)
            qpw_anonymous_mac(a, s->pairs[i].mac[j].mac, s->pairs[i].mac[j].mac);
    }
    for (size_t i = 0; i < s->samples.n_pairs; i++)
        NAME(a, "node", s->samples.pairs[i].name);
    for (size_t i = 0; i < s->samples.n_devices; i++)
        NAME(a, "if", s->samples.devices[i].name);
    s->chain_seq = 0; /* the log that it is of would be known by it */
    s->chain_sha256[0] = '\0';
}
