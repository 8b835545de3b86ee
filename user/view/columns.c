/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/near.h"

#define MAX_COLUMNS 24 /* per tab */

#define RIGHT QPW_COLUMN_RIGHT
#define NUMBER (QPW_COLUMN_RIGHT | QPW_COLUMN_MOST_FIRST)
#define RATE (NUMBER | QPW_COLUMN_RATE)
#define TOTAL (NUMBER | QPW_COLUMN_TOTAL)
#define STRETCH QPW_COLUMN_STRETCH
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Title, minimum and wanted width, priority (0: never dropped), flags. */
static const struct qpw_column unexpected[] = {
    {QPW_COL_SEVERITY, "SEV", 6, 6, 0, 0},
    {QPW_COL_DIR, "DIR", 3, 3, 0, 0},
    {QPW_COL_SERVICE, "SERVICE", 10, 24, 0, 0},
    {QPW_COL_WHO, "REMOTE", 15, 24, 0, STRETCH},
    {QPW_COL_OUTCOME, "OUTCOME", 9, 10, 0, 0},
    {QPW_COL_VERDICT, "VERDICT", 10, 10, 0, 0},
    {QPW_COL_PROCESS, "PROCESS", 9, 24, 1, 0},
    {QPW_COL_CONNS, "COUNT", 5, 6, 2, NUMBER},
    {QPW_COL_PACKET_RATE, "PKT/S", 5, 6, 3, RATE},
    {QPW_COL_LAST, "LAST", 5, 5, 1, RIGHT},
    {QPW_COL_FIRST, "FIRST", 5, 5, 4, RIGHT},
    {QPW_COL_PACKETS, "PACKETS", 7, 7, 5, TOTAL},
    {QPW_COL_BYTES, "BYTES", 6, 6, 5, TOTAL},
    {QPW_COL_TO, "RESPONDER", 15, 26, 7, 0},
    {QPW_COL_FROM, "INITIATOR", 15, 26, 8, 0},
    {QPW_COL_EVIDENCE, "EVIDENCE", 9, 9, 8, 0},
    {QPW_COL_RULE, "RULE", 10, 20, 9, 0},
    {QPW_COL_PEER, "PEER", 6, 12, 9, 0},
    {QPW_COL_IFACE, "IFACE", 5, 10, 10, 0},
    {QPW_COL_VLAN, "VLAN", 4, 4, 10, RIGHT},
    {QPW_COL_REASON, "REASON", 10, 20, 11, 0},
};

static const struct qpw_column ports[] = {
    {QPW_COL_DIR, "DIR", 3, 3, 0, 0},
    {QPW_COL_SERVICE, "SERVICE", 14, 24, 0, 0},
    {QPW_COL_VERDICT, "VERDICT", 10, 10, 0, 0},
    {QPW_COL_RULE, "RULE", 10, 22, 1, STRETCH},
    {QPW_COL_CONNS, "CONNS", 5, 6, 1, NUMBER},
    {QPW_COL_RX_RATE, "RX/S", 5, 6, 2, RATE},
    {QPW_COL_TX_RATE, "TX/S", 5, 6, 2, RATE},
    {QPW_COL_RX_BYTES, "RX", 5, 6, 3, TOTAL},
    {QPW_COL_TX_BYTES, "TX", 5, 6, 3, TOTAL},
    {QPW_COL_SPARK, "HISTORY", 8, 24, 4, 0},
    {QPW_COL_PEER, "PEER", 6, 12, 5, 0},
    {QPW_COL_PACKETS, "PACKETS", 7, 7, 6, TOTAL},
    {QPW_COL_PACKET_RATE, "PKT/S", 5, 6, 6, RATE},
    {QPW_COL_LAST, "LAST", 5, 5, 7, RIGHT},
    {QPW_COL_FIRST, "FIRST", 5, 5, 8, RIGHT},
    {QPW_COL_SCOPE, "SCOPE", 5, 5, 9, 0},
    {QPW_COL_IFACE, "IFACE", 5, 10, 9, 0},
    {QPW_COL_REASON, "REASON", 10, 20, 10, 0},
};

static const struct qpw_column peers[] = {
    {QPW_COL_PEER, "PEER", 10, 16, 0, 0},
    {QPW_COL_STATE, "STATE", 6, 6, 0, 0},
    {QPW_COL_LAST, "LAST", 5, 5, 0, RIGHT},
    {QPW_COL_FAMILY, "FAMILY", 6, 9, 2, 0},
    {QPW_COL_RX_RATE, "RX/S", 5, 6, 1, RATE},
    {QPW_COL_TX_RATE, "TX/S", 5, 6, 1, RATE},
    {QPW_COL_RX_BYTES, "RX", 5, 6, 3, TOTAL},
    {QPW_COL_TX_BYTES, "TX", 5, 6, 3, TOTAL},
    {QPW_COL_CONNS, "CONNS", 5, 6, 4, NUMBER},
    {QPW_COL_BUSIEST, "BUSIEST PORTS", 15, 30, 1, STRETCH},
    {QPW_COL_OUTSIDE, "OUTSIDE THE POLICY", 18, 30, 1, STRETCH},
    {QPW_COL_FIRST, "FIRST", 5, 5, 4, RIGHT},
};

static const struct qpw_column policy[] = {
    {QPW_COL_RULE, "RULE", 14, 24, 0, 0},
    {QPW_COL_DIR, "DIR", 3, 3, 0, 0},
    {QPW_COL_VERDICT, "VERDICT", 7, 10, 2, 0},
    {QPW_COL_PACKETS, "HITS", 6, 7, 0, NUMBER},
    {QPW_COL_CONNS, "CONNS", 5, 6, 1, NUMBER},
    {QPW_COL_LAST, "LAST", 6, 6, 0, RIGHT},
    {QPW_COL_BYTES, "BYTES", 5, 6, 5, TOTAL},
    {QPW_COL_RX_RATE, "RX/S", 5, 6, 6, RATE},
    {QPW_COL_TX_RATE, "TX/S", 5, 6, 6, RATE},
    {QPW_COL_STATEMENT, "STATEMENT", 22, 44, 1, STRETCH},
    {QPW_COL_WHERE, "FILE:LINE", 12, 30, 7, 0},
};

static const struct qpw_column coverage[] = {
    {QPW_COL_SECTION, "WHAT", 11, 11, 0, 0},
    {QPW_COL_ITEM, "WHICH", 20, 20, 0, 0},
    {QPW_COL_VALUE, "VALUE", 15, 15, 0, 0},
    {QPW_COL_NOTE, "MORE", 20, 200, 0, STRETCH},
};

static const struct qpw_column connections[] = {
    {QPW_COL_DIR, "DIR", 3, 3, 0, 0},
    {QPW_COL_SERVICE, "SERVICE", 12, 24, 0, 0},
    {QPW_COL_WHO, "REMOTE", 15, 26, 0, STRETCH},
    {QPW_COL_OUTCOME, "OUTCOME", 9, 10, 0, 0},
    {QPW_COL_PROCESS, "PROCESS", 12, 30, 0, 0},
    {QPW_COL_VERDICT, "VERDICT", 7, 10, 1, 0},
    {QPW_COL_LAST, "LAST", 5, 5, 1, RIGHT},
    {QPW_COL_FIRST, "AGE", 5, 5, 2, RIGHT},
    {QPW_COL_RULE, "RULE", 10, 20, 3, 0},
    {QPW_COL_EVIDENCE, "EVIDENCE", 9, 9, 4, 0},
    {QPW_COL_PEER, "PEER", 6, 12, 5, 0},
    {QPW_COL_FROM, "INITIATOR", 15, 26, 6, 0},
    {QPW_COL_TO, "RESPONDER", 15, 26, 6, 0},
    {QPW_COL_IFACE, "IFACE", 5, 10, 7, 0},
    {QPW_COL_VLAN, "VLAN", 4, 4, 8, RIGHT},
    {QPW_COL_REASON, "REASON", 10, 20, 8, 0},
};

static const struct qpw_column listeners[] = {
    {QPW_COL_VERDICT, "VERDICT", 8, 11, 0, 0},
    {QPW_COL_SERVICE, "SERVICE", 12, 24, 0, 0},
    {QPW_COL_ADDRESS, "ADDRESS", 10, 26, 0, STRETCH},
    {QPW_COL_PROCESS, "PROCESS", 12, 30, 0, 0},
    {QPW_COL_ASKED, "ASKED", 5, 5, 0, RIGHT},
    {QPW_COL_RULE, "RULE", 10, 20, 1, 0},
    {QPW_COL_UNIT, "UNIT", 10, 24, 2, 0},
    {QPW_COL_USER, "USER", 6, 12, 3, 0},
    {QPW_COL_FIRST, "SINCE", 5, 5, 4, RIGHT},
    {QPW_COL_WANTED, "OWNER BY POLICY", 15, 30, 4, 0},
};

static const struct qpw_column cluster[] = {
    {QPW_COL_SECTION, "WHAT", 6, 6, 0, 0},
    {QPW_COL_ITEM, "WHICH", 12, 24, 0, 0},
    {QPW_COL_VALUE, "STATE", 13, 16, 0, 0},
    {QPW_COL_LAST, "AGE", 5, 5, 0, RIGHT},
    {QPW_COL_NOTE, "MORE", 20, 200, 0, STRETCH},
};

static const struct qpw_column help[] = {
    {QPW_COL_SECTION, "", 6, 6, 0, 0},
    {QPW_COL_ITEM, "KEY OR WORD", 15, 15, 0, 0},
    {QPW_COL_NOTE, "DOES", 20, 60, 0, STRETCH},
};

#define F(name) (1u << QPW_FIELD_##name)

static const struct qpw_tab_columns tabs[QPW_TAB_COUNT] = {
    [QPW_TAB_UNEXPECTED] = {unexpected, COUNT(unexpected), QPW_COL_SEVERITY,
                            F(PORT) | F(DIR) | F(VERDICT) | F(ADDR) | F(FROM) | F(TO) | F(PROC) | F(PEER) | F(RULE) |
                                F(PROTO) | F(OUTCOME) | F(SEVERITY) | F(EVIDENCE) | F(REASON) | F(IFACE) | F(VLAN)},
    [QPW_TAB_PORTS] = {ports, COUNT(ports), QPW_COL_RX_RATE,
                       F(PORT) | F(DIR) | F(VERDICT) | F(PEER) | F(RULE) | F(PROTO) | F(REASON) | F(IFACE)},
    [QPW_TAB_PEERS] = {peers, COUNT(peers), QPW_COL_PEER, F(PEER)},
    [QPW_TAB_POLICY] = {policy, COUNT(policy), QPW_COL_NONE, F(DIR) | F(VERDICT) | F(RULE)},
    [QPW_TAB_COVERAGE] = {coverage, COUNT(coverage), QPW_COL_NONE, 0},
    [QPW_TAB_CONNECTIONS] = {connections, COUNT(connections), QPW_COL_VERDICT,
                             F(PORT) | F(DIR) | F(VERDICT) | F(ADDR) | F(FROM) | F(TO) | F(PROC) | F(PEER) | F(RULE) |
                                 F(PROTO) | F(OUTCOME) | F(EVIDENCE) | F(REASON) | F(IFACE) | F(VLAN)},
    [QPW_TAB_LISTENERS] = {listeners, COUNT(listeners), QPW_COL_NONE, F(PORT) | F(PROC) | F(RULE) | F(PROTO)},
    [QPW_TAB_CLUSTER] = {cluster, COUNT(cluster), QPW_COL_NONE, 0},
    [QPW_TAB_HELP] = {help, COUNT(help), QPW_COL_NONE, 0},
};

const struct qpw_tab_columns *qpw_tab_columns(enum qpw_tab tab)
{
    return &tabs[tab];
}

const struct qpw_column *qpw_column_find(enum qpw_tab tab, int id)
{
    for (size_t i = 0; id && i < tabs[tab].n; i++)
        if ((int)tabs[tab].columns[i].id == id)
            return &tabs[tab].columns[i];
    return NULL;
}

const char *qpw_column_hint(enum qpw_tab tab, const char *name, char *buf, size_t size)
{
    char words[MAX_COLUMNS][16], word[32];
    struct qpw_near near;
    size_t used = 0;

    snprintf(word, sizeof(word), "%s", name);
    for (char *c = word; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    near = qpw_near_to(word, strlen(word));
    for (size_t i = 0; i < tabs[tab].n && i < MAX_COLUMNS; i++) {
        snprintf(words[i], sizeof(words[i]), "%s", tabs[tab].columns[i].title);
        for (char *c = words[i]; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        qpw_near_offer(&near, words[i]);
    }
    if (near.best)
        return qpw_near_hint(&near, buf, size);
    used = (size_t)snprintf(buf, size, "; it has");
    for (size_t i = 0; i < tabs[tab].n && i < MAX_COLUMNS && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s %s", i ? "," : "", words[i]);
    return buf;
}

const struct qpw_column *qpw_column_named(enum qpw_tab tab, const char *name)
{
    const struct qpw_column *found = NULL;

    for (size_t i = 0; *name && i < tabs[tab].n; i++) {
        if (!strcasecmp(tabs[tab].columns[i].title, name))
            return &tabs[tab].columns[i];
        if (!found && !strncasecmp(tabs[tab].columns[i].title, name, strlen(name)))
            found = &tabs[tab].columns[i];
    }
    return found;
}
