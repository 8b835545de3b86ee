/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy.h - a policy as its text says it, with every include, only, override and disable applied.
 *
 * Each thing remembers the file, line and column it came from. How the words are meant is in
 * qportwatch-policy(5). Addresses and ports in host order.
 */
#ifndef QPW_POLICY_POLICY_H
#define QPW_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lang/addresses.h"
#include "policy/lang/faults.h"
#include "qportwatch_user.h"
#include "util/error.h"

#define QPW_POLICY_DEFAULT_PATH "/etc/qportwatch/policy"
#define QPW_POLICY_DEFAULT_PLATFORM "on-prem"
#define QPW_ANY_VLAN (-1)
#define QPW_EXPIRY_WARNING_DAYS 7

struct qpw_where {
    const char *file; /* owned by the policy */
    unsigned line;    /* from 1 */
    unsigned column;  /* from 1, in characters; 0: the whole line */
};

struct qpw_port_range {
    uint16_t first;
    uint16_t last; /* inclusive */
};

/* qpw_rule.flags */
#define QPW_RULE_DEFAULT 0x01  /* the administrator can move its ports: override */
#define QPW_RULE_OPTIONAL 0x02 /* of a feature that is off until enabled; in force all the same */
#define QPW_RULE_WEAK 0x04
#define QPW_RULE_DISABLED 0x08 /* by `disable` */
#define QPW_RULE_ANY_PROTOCOL 0x10
#define QPW_RULE_ANY_PORT 0x20
#define QPW_RULE_NEVER 0x40    /* `only` left nothing: another VLAN or interface than the row's own */
#define QPW_RULE_FROM 0x80     /* `from` holds; without it any initiator */
#define QPW_RULE_TO 0x100
#define QPW_RULE_MOVED 0x200   /* by `override` */
#define QPW_RULE_BUILTIN 0x400 /* its file is a built-in policy */
#define QPW_RULE_UNREAD 0x1000    /* it has a fault: only its names are known, for the faults of what follows */
#define QPW_RULE_ANY_ANSWER 0x800 /* answers=any-port: what was asked there may be answered from any port, as by TFTP */

#define QPW_MAX_PORT_RANGES 64
#define QPW_OWNER_TEXT 256 /* longest owner=, with the end */

/* One row. */
struct qpw_rule {
    struct qpw_where where;
    char *text;                   /* the statement as written */
    char name[QPW_NAME_LEN];      /* name=, or the generated one */
    char generated[QPW_NAME_LEN]; /* as in "in-tcp-445"; names the row too */
    char *purpose;                /* NULL where absent, as all strings here */
    char *feature;
    char *parent;                 /* name of the row that vouches for this one */
    char *ref;
    char *iface;
    char *owner;                  /* who may hold the node's end, as in owner=; NULL: anybody */
    uint32_t speaks;              /* services that the node's end may begin with, see services.h; 0: not said */
    uint64_t protocols[4];        /* bit for each IP protocol number */
    struct qpw_port_range *ports; /* ascending, disjoint */
    size_t n_ports;
    struct qpw_addresses from;    /* initiator, see QPW_RULE_FROM */
    struct qpw_addresses to;      /* responder */
    int64_t until;                /* Unix seconds from which it no longer matches; 0: for ever */
    int vlan;                     /* QPW_ANY_VLAN; 0 is untagged */
    uint16_t flags;
    uint8_t direction;            /* QPW_DIR_INBOUND or QPW_DIR_OUTBOUND */
};

struct qpw_peer {
    struct qpw_where where;
    char name[QPW_NAME_LEN];
    struct qpw_addresses addresses;
    bool by_hand; /* from the command line or a peers file */
};

struct qpw_address_set {
    struct qpw_where where;
    char name[QPW_NAME_LEN];
    struct qpw_addresses addresses;
    bool unread; /* one of its lines has a fault */
};

/* What alerts need not be written about; see suppress.h for matching. */
struct qpw_suppression {
    struct qpw_where where;
    char *text;
    char name[QPW_NAME_LEN];
    char *reason;
    char *ref;
    char *rule;        /* only findings that name this rule; NULL: all */
    uint64_t protocols[4];
    struct qpw_port_range *ports;
    size_t n_ports;
    struct qpw_addresses from;
    struct qpw_addresses to;
    int64_t until;
    uint16_t flags;    /* QPW_RULE_ANY_PROTOCOL, _ANY_PORT, _FROM, _TO */
    uint8_t direction; /* QPW_DIR_UNKNOWN: any */
    uint8_t outcome;   /* the highest outcome that it hides, QPW_OUTCOME_REFUSED unless said */
};

/* The tool's own groups, each `allowed` (shown as infra, implied) or `unexpected`. */
#define QPW_INFRA_GROUPS(X) \
    X(ARP, "arp") \
    X(ICMP, "icmp") \
    X(ND, "nd") \
    X(IGMP, "igmp") \
    X(DHCP, "dhcp") \
    X(LINK_CONTROL, "link-control") \
    X(ROUTING, "routing")
#define QPW_IMPLIED_GROUPS(X) \
    X(DNS_TCP, "dns-tcp") \
    X(KERBEROS_UDP, "kerberos-udp") \
    X(KPASSWD, "kpasswd") \
    X(CLDAP, "cldap") \
    X(GLOBAL_CATALOG, "global-catalog") \
    X(SMB_TO_DC, "smb-to-dc") \
    X(RPC_DYNAMIC, "rpc-dynamic") \
    X(NFS_LOCK, "nfs-lock") \
    X(FTP_DATA, "ftp-data") \
    X(NFS_CALLBACK, "nfs-callback")
#define QPW_X_INFRA(s, n) QPW_INFRA_##s,
#define QPW_X_IMPLIED(s, n) QPW_IMPLIED_##s,
enum qpw_infra_group { QPW_INFRA_GROUPS(QPW_X_INFRA) QPW_INFRA_COUNT };
enum qpw_implied_group { QPW_IMPLIED_GROUPS(QPW_X_IMPLIED) QPW_IMPLIED_COUNT };

const char *qpw_infra_name(unsigned group);   /* without the "infra-" of its rule */
const char *qpw_implied_name(unsigned group); /* without the "implied-" of its rule */

struct qpw_group_setting {
    struct qpw_where where; /* file NULL: the default */
    bool unexpected;
};

/* Which address family has to work between the nodes. */
struct qpw_peer_family {
    struct qpw_where where;
    uint8_t family; /* 4, 6; 0: not said */
};

struct qpw_policy {
    char name[64];          /* of the last `policy` statement of the outermost file */
    char *path;             /* file, or "built-in:NAME" */
    char digest[72];        /* "sha256:" and 64 hexadecimal digits, over every file read */
    char *source_name;      /* `source`: the vendor's page, NULL where not said */
    char source_digest[72]; /* empty where not said */
    char *platform;         /* `platform`, NULL where not said */
    struct qpw_rule *rules;
    size_t n_rules;
    struct qpw_peer *peers;
    size_t n_peers;
    struct qpw_address_set *sets;
    size_t n_sets;
    struct qpw_suppression *suppressions;
    size_t n_suppressions;
    struct qpw_group_setting infra[QPW_INFRA_COUNT];
    struct qpw_group_setting implied[QPW_IMPLIED_COUNT];
    struct qpw_peer_family peer_family;
    bool peers_on_any_port; /* the page says so (`peers any-port`); peers given count in any case */
    char **files;           /* every file read, the first is the policy itself */
    size_t n_files;
    char **warnings;        /* "FILE:LINE: what", not errors */
    size_t n_warnings;
};

/* Where a policy's text is. */
struct qpw_policy_source {
    const char *name;   /* of the file, or what stands for it in messages */
    const char *text;   /* NULL: that of the file */
    size_t length;
    bool draft;         /* see qpw_policy_parse_draft() */
    struct qpw_faults *faults; /* all that is wrong with the text, where -EINVAL is returned; the caller clears it. May be NULL */
};
int qpw_policy_parse(const struct qpw_policy_source *source, struct qpw_policy *ret, struct qpw_error *err);

/*
 * Reads a policy file with all that it includes. On failure err is one line "FILE:LINE:COLUMN: what", the first fault and
 * how many more there are (or "FILE: why" where the file cannot be read), *ret is untouched and a negative errno is
 * returned (-EINVAL: the text is wrong). The caller clears *ret.
 */
int qpw_policy_parse_file(const char *path, struct qpw_policy *ret, struct qpw_error *err);

/* The same from memory; `name` stands for the file in messages, relative paths start at the working directory. */
int qpw_policy_parse_text(const char *name, const char *text, size_t length, struct qpw_policy *ret,
                          struct qpw_error *err);

/* The same for what `import` writes: sets may still be empty, which any other reading refuses. */
int qpw_policy_parse_draft(const char *name, const char *text, size_t length, struct qpw_policy *ret,
                           struct qpw_error *err);

/* The same for a built-in; -ENOENT where there is none of that name. */
int qpw_policy_parse_builtin(const char *name, struct qpw_policy *ret, struct qpw_error *err);

/* A built-in's text, NULL where there is none. The text is not terminated. `index` from 0, in alphabetical order. */
const char *qpw_builtin_text(const char *name, size_t *ret_length);
const char *qpw_builtin_name(unsigned index);
/* Which guide of the vendor the name stands for, NULL where there is no such built-in. */
const char *qpw_builtin_guide(const char *name);

/*
 * Adds "[NAME=]ADDR|CIDR|RANGE" as a peer by hand; the same name again adds to it, without a name the
 * text is the name. `from` says where it was given. 0, or negative errno with err.
 */
int qpw_policy_add_peer(struct qpw_policy *policy, const char *spec, const char *from, struct qpw_error *err);

/* Adds the peers of a file: lines "[NAME] ADDR…" with # comments. 0, or negative errno with err and FILE:LINE:COLUMN.
 */
int qpw_policy_add_peers_file(struct qpw_policy *policy, const char *path, struct qpw_faults *ret_faults,
                              struct qpw_error *err);

/* Frees everything inside and zeroes it. A zeroed policy is valid and empty. */
void qpw_policy_clear(struct qpw_policy *policy);

/* Whether the row can match at that time: not disabled, not expired, and something is left of it. */
bool qpw_rule_in_force(const struct qpw_rule *rule, int64_t now);

/* Its owner=, "any" where it has none. */
const char *qpw_rule_owner(const struct qpw_rule *rule);

/* Whether `name` is the row's name, generated name or feature. */
bool qpw_rule_is_named(const struct qpw_rule *rule, const char *name);

/* How many ports the row names, 65536 for any; for each of its protocols. */
unsigned qpw_rule_width(const struct qpw_rule *rule);

bool qpw_protocol_in(const uint64_t protocols[4], unsigned protocol);

/* What a proposed rule has for a purpose until somebody writes one; `policy check` remarks on it. */
#define QPW_TODO_PURPOSE "TODO: purpose"

/* The next moment (Unix seconds) after `now` at which a row or suppression expires, 0: none. Compile again then. */
int64_t qpw_policy_next_expiry(const struct qpw_policy *policy, int64_t now);

/*
 * Adds a warning for every row, `suppress` line that has expired, or will within QPW_EXPIRY_WARNING_DAYS
 * of `now` (Unix seconds). 0 or -ENOMEM.
 */
int qpw_policy_warn_expiry(struct qpw_policy *policy, int64_t now);

#endif
