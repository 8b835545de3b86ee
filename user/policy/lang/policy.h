/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy.h - a parsed policy, with every include, only, override and disable applied.
 *
 * Each element records its file, line and column. For the meaning of the language see qportwatch-policy(5). Addresses and
 * ports are in host order.
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
#define QPW_SELF_PORT 9101 /* of `serve`, and of the rule for it, which is in no file of the policy: */
#define QPW_SELF_NAME "self"
#define QPW_SELF_FILE "qportwatch"
#define QPW_EXPIRY_WARNING_DAYS 7

struct qpw_where {
    const char *file; /* owned by the policy */
    unsigned line;    /* from 1; 0: the tool's own, or of the command line */
    unsigned column;  /* from 1, in characters; 0: the whole line */
};

struct qpw_port_range {
    uint16_t first;
    uint16_t last; /* inclusive */
};

/* qpw_rule.flags */
#define QPW_RULE_DEFAULT 0x01 /* its ports may be changed by `override` */
#define QPW_RULE_OPTIONAL 0x02 /* belongs to a feature that is off by default; in force nevertheless */
#define QPW_RULE_WEAK 0x04
#define QPW_RULE_DISABLED 0x08 /* by `disable` */
#define QPW_RULE_ANY_PROTOCOL 0x10
#define QPW_RULE_ANY_PORT 0x20
#define QPW_RULE_NEVER 0x40 /* `only` left nothing: it names another VLAN or interface than the rule */
#define QPW_RULE_FROM 0x80 /* `from` applies; otherwise any initiator */
#define QPW_RULE_TO 0x100
#define QPW_RULE_MOVED 0x200   /* by `override` */
#define QPW_RULE_BUILTIN 0x400 /* its file is a built-in policy */
#define QPW_RULE_UNREAD 0x1000 /* faulty: only its names are known, so that references to them are no faults */
#define QPW_RULE_ANY_ANSWER 0x800 /* answers=any-port: the answer may come from any port, as with TFTP */

#define QPW_MAX_PORT_RANGES 64
#define QPW_OWNER_TEXT 256 /* longest owner=, including the terminating zero */

/* One rule. */
struct qpw_rule {
    struct qpw_where where;
    char *text;                   /* the statement as written */
    char name[QPW_NAME_LEN];      /* name=, or the generated one */
    char generated[QPW_NAME_LEN]; /* such as "in-tcp-445"; also refers to the rule */
    char *purpose; /* NULL if absent, like all strings here */
    char *feature;
    char *parent; /* name of the rule that vouches for this one */
    char *ref;
    char *iface;
    char *owner; /* permitted owners of the node's end, as in owner=; NULL: any */
    uint32_t speaks; /* permitted services of the node's end, see services.h; 0: not specified */
    uint64_t protocols[4]; /* one bit per IP protocol number */
    struct qpw_port_range *ports; /* ascending, disjoint */
    size_t n_ports;
    struct qpw_addresses from;    /* initiator, see QPW_RULE_FROM */
    struct qpw_addresses to;      /* responder */
    int64_t until;                /* Unix seconds from which it no longer matches; 0: for ever */
    int vlan;                     /* QPW_ANY_VLAN; 0 is untagged */
    uint16_t flags;
    uint8_t direction;            /* QPW_DIR_INBOUND or QPW_DIR_OUTBOUND */
};

#define QPW_MAX_KEYS 2   /* per name: the old one and the new one while it is being replaced */
#define QPW_KEY_LEN 64   /* "sha256:" and 44 characters of base64, with terminator */

/* The public keys that a name may prove itself by: SHA-256 of the SubjectPublicKeyInfo, "sha256:BASE64". */
struct qpw_keys {
    char text[QPW_MAX_KEYS][QPW_KEY_LEN];
    size_t n;
};

struct qpw_peer {
    struct qpw_where where;
    char name[QPW_NAME_LEN];
    struct qpw_addresses addresses;
    struct qpw_keys keys;
    bool by_hand; /* from the command line or a peers file */
};

/* Return whether a text can be the name of a peer, reader, set or rule. */
bool qpw_is_name(const char *text);

/* Who may read this node's metrics over the network, and nothing else. */
struct qpw_policy_reader {
    struct qpw_where where;
    char name[QPW_NAME_LEN];
    struct qpw_addresses addresses;
    struct qpw_keys keys;
};

struct qpw_address_set {
    struct qpw_where where;
    char name[QPW_NAME_LEN];
    struct qpw_addresses addresses;
    bool unread; /* one of its lines is faulty */
};

/* A suppression of alerts; see suppress.h for matching. */
struct qpw_suppression {
    struct qpw_where where;
    char *text;
    char name[QPW_NAME_LEN];
    char *reason;
    char *ref;
    char *rule; /* only findings with this rule; NULL: all */
    uint64_t protocols[4];
    struct qpw_port_range *ports;
    size_t n_ports;
    struct qpw_addresses from;
    struct qpw_addresses to;
    int64_t until;
    uint16_t flags;    /* QPW_RULE_ANY_PROTOCOL, _ANY_PORT, _FROM, _TO */
    uint8_t direction; /* QPW_DIR_UNKNOWN: any */
    uint8_t outcome; /* highest outcome suppressed, QPW_OUTCOME_REFUSED by default */
};

/* Built-in groups, each `allowed` (shown as infra, implied) or `unexpected`. */
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

/* The address family that has to work between the nodes. */
struct qpw_peer_family {
    struct qpw_where where;
    uint8_t family; /* 4, 6; 0: not specified */
};

struct qpw_policy {
    char name[64];          /* of the last `policy` statement of the outermost file */
    char *path;             /* file, or "built-in:NAME" */
    char digest[72];        /* "sha256:" and 64 hexadecimal digits, over every file read */
    char *source_name; /* `source`: the vendor's page, NULL if not specified */
    char source_digest[72]; /* empty if not specified */
    char *platform; /* `platform`, NULL if not specified */
    struct qpw_rule *rules;
    size_t n_rules;
    struct qpw_peer *peers;
    size_t n_peers;
    struct qpw_policy_reader *readers;
    size_t n_readers;
    char cluster[QPW_NAME_LEN]; /* `cluster`, empty where not said */
    char *cluster_ca;           /* absolute path of the CA's certificate, NULL where peers are pinned */
    struct qpw_address_set *sets;
    size_t n_sets;
    struct qpw_suppression *suppressions;
    size_t n_suppressions;
    struct qpw_group_setting infra[QPW_INFRA_COUNT];
    struct qpw_group_setting implied[QPW_IMPLIED_COUNT];
    struct qpw_peer_family peer_family;
    bool peers_on_any_port; /* stated by the page (`peers any-port`); configured peers count in any case */
    char **files;           /* every file read, the first is the policy itself */
    size_t n_files;
    char **warnings;        /* "FILE:LINE: what", not errors */
    size_t n_warnings;
};

/* The source of a policy's text. */
struct qpw_policy_source {
    const char *name; /* of the file, or its substitute in messages */
    const char *text;   /* NULL: that of the file */
    size_t length;
    bool draft;         /* see qpw_policy_parse_draft() */
    struct qpw_faults *faults; /* receives all faults if -EINVAL is returned; the caller clears it. May be NULL */
};
int qpw_policy_parse(const struct qpw_policy_source *source, struct qpw_policy *ret, struct qpw_error *err);

/*
 * Read a policy file with all its includes. Returns 0; or a negative errno (-EINVAL: invalid text), *ret untouched, with
 * err as one line: "FILE:LINE:COLUMN: what", the first fault and the number of further ones, or "FILE: why" if the file
 * cannot be read. The caller clears *ret.
 */
int qpw_policy_parse_file(const char *path, struct qpw_policy *ret, struct qpw_error *err);

/* Read a policy from memory. name: used in messages; relative paths are relative to the working directory. */
int qpw_policy_parse_text(const char *name, const char *text, size_t length, struct qpw_policy *ret,
                          struct qpw_error *err);

/* Read the output of `import`: accept empty sets, which are faults anywhere else. */
int qpw_policy_parse_draft(const char *name, const char *text, size_t length, struct qpw_policy *ret,
                           struct qpw_error *err);

/* Read a built-in policy; -ENOENT: no such name. */
int qpw_policy_parse_builtin(const char *name, struct qpw_policy *ret, struct qpw_error *err);

/* Return a built-in policy's text, not terminated; NULL: none. index: from 0, in alphabetical order. */
const char *qpw_builtin_text(const char *name, size_t *ret_length);
const char *qpw_builtin_name(unsigned index);
/* Return the vendor's guide that a built-in is derived from; NULL: no such built-in. */
const char *qpw_builtin_guide(const char *name);

/*
 * Add "[NAME=]ADDR|CIDR|RANGE" as a peer. A repeated name adds addresses to it; without a name, the text is the name.
 * from: its origin, for messages. Returns 0, or a negative errno with err.
 */
int qpw_policy_add_peer(struct qpw_policy *policy, const char *spec, const char *from, struct qpw_error *err);

/* Add the peers of a file: lines "[NAME] ADDR…" with # comments. Returns 0, or a negative errno with err. */
int qpw_policy_add_peers_file(struct qpw_policy *policy, const char *path, struct qpw_faults *ret_faults,
                              struct qpw_error *err);

/* Free the contents and zero the policy. A zeroed policy is valid and empty. */
void qpw_policy_clear(struct qpw_policy *policy);

/* Return whether the rule can match at that time: not disabled, not expired, not narrowed to nothing. */
bool qpw_rule_in_force(const struct qpw_rule *rule, int64_t now);

/* Return its owner=, "any" if not specified. */
const char *qpw_rule_owner(const struct qpw_rule *rule);

/* Return whether `name` is the rule's name, generated name or feature. */
bool qpw_rule_is_named(const struct qpw_rule *rule, const char *name);

/* Return the number of ports that the rule covers per protocol, 65536 for any. */
unsigned qpw_rule_width(const struct qpw_rule *rule);

bool qpw_protocol_in(const uint64_t protocols[4], unsigned protocol);

/* The purpose of a proposed rule until somebody writes one; `policy check` remarks on it. */
#define QPW_TODO_PURPOSE "TODO: purpose"

/* Return when (Unix seconds) the next rule or suppression expires after `now`; 0: never. Compile again then. */
int64_t qpw_policy_next_expiry(const struct qpw_policy *policy, int64_t now);

/*
 * Add a warning for every rule or suppression that has expired, or will within QPW_EXPIRY_WARNING_DAYS of `now` (Unix
 * seconds). Returns 0 or -ENOMEM.
 */
int qpw_policy_warn_expiry(struct qpw_policy *policy, int64_t now);

#endif
