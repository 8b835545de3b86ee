/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <net/ethernet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/peers.h"
#include "util/names.h"
#include "words/known.h"
#include "words/printer.h"
#include "words/words.h"

/* ---- Names of ports: one table, because getservbyport() reads its file again on every call ---- */

#define SERVICE_BUCKETS 1024

struct service {
    struct service *next;
    uint16_t port;
    uint8_t protocol;
    char name[29];
};

static struct service *services[SERVICE_BUCKETS];

static void read_services(void)
{
    struct servent entry, *found;
    char buf[1024];

    setservent(1);
    while (getservent_r(&entry, buf, sizeof(buf), &found) == 0 && found) {
        struct service *s = calloc(1, sizeof(*s));

        if (!s)
            break;
        s->port = ntohs((uint16_t)entry.s_port);
        s->protocol = !strcmp(entry.s_proto, "tcp") ? IPPROTO_TCP : !strcmp(entry.s_proto, "udp") ? IPPROTO_UDP
                                                                                                 : IPPROTO_SCTP;
        snprintf(s->name, sizeof(s->name), "%.28s", entry.s_name);
        s->next = services[s->port % SERVICE_BUCKETS];
        services[s->port % SERVICE_BUCKETS] = s;
    }
    endservent();
}

/* Ports of storage nodes and their monitoring that /etc/services lacks, or assigns to something older. */
static const struct {
    uint16_t port;
    bool udp;
    const char *name;
} of_storage[] = {
    {662, false, "statd"},           {875, false, "rquotad"},        {988, false, "lustre"},
    {1514, false, "wazuh"},          {2379, false, "etcd"},          {3205, false, "isns"},
    {3260, false, "iscsi"},          {3268, false, "global-catalog"}, {3269, false, "global-catalog-tls"},
    {3300, false, "ceph-mon"},       {3712, false, "qumulo-cluster"}, {4045, false, "nlm"},
    {4045, true, "nlm"},             {4420, false, "nvme-tcp"},      {5044, false, "beats"},
    {5405, true, "corosync"},        {5666, false, "nrpe"},          {5985, false, "winrm"},
    {6556, false, "checkmk-agent"},  {6789, false, "ceph-mon"},      {8009, false, "nvme-discovery"},
    {9090, false, "prometheus"},     {9093, false, "alertmanager"},  {9100, false, "node-exporter"},
    {9997, false, "splunk"},         {10000, false, "ndmp"},         {10050, false, "zabbix-agent"},
    {20048, false, "mountd"},        {20048, true, "mountd"},        {24007, false, "glusterd"},
};

/* Return the policy's purpose, otherwise the name in the table above, otherwise the system's. */
static const char *port_name(unsigned protocol, unsigned port)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (*qpw_known_purpose(protocol, port))
        return qpw_known_purpose(protocol, port);
    for (size_t i = 0; i < sizeof(of_storage) / sizeof(*of_storage); i++)
        if (of_storage[i].port == port && (!of_storage[i].udp || protocol == IPPROTO_UDP) &&
            (of_storage[i].udp || protocol == IPPROTO_TCP))
            return of_storage[i].name;
    pthread_once(&once, read_services);
    for (const struct service *s = services[port % SERVICE_BUCKETS]; s; s = s->next)
        if (s->port == port && s->protocol == protocol)
            return s->name;
    return "";
}

/* ---- Services ---- */

/* Return the name of an EtherType, or of the LLC service access point in its place; NULL: none. */
static const char *ethertype_name(unsigned type)
{
    switch (type) {
    case QPW_ETHERTYPE_CDP: return "CDP";
    case 0x42: return "STP";
    case ETHERTYPE_ARP: return "ARP";
    case ETHERTYPE_REVARP: return "RARP";
    case 0x8100:
    case 0x88a8: return "VLAN";
    case 0x8809: return "LACP";
    case 0x8847:
    case 0x8848: return "MPLS";
    case 0x8863:
    case 0x8864: return "PPPoE";
    case 0x888e: return "EAPOL";
    case 0x88cc: return "LLDP";
    case 0x88e5: return "MACsec";
    case 0x88f7: return "PTP";
    case 0x8906: return "FCoE";
    case 0x8914: return "FIP";
    case 0x8915: return "RoCE";
    default: return NULL;
    }
}

static void ethertype_words(unsigned type, char *buf, size_t size)
{
    const char *name = ethertype_name(type);

    if (name)
        snprintf(buf, size, "%s", name);
    else
        snprintf(buf, size, type < 0x600 ? "LLC 0x%02x" : "EtherType 0x%04x", type);
}

const char *qpw_words_service(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size)
{
    const char *name = qpw_protocol_name(protocol);
    char number[16];

    if (!name) {
        snprintf(number, sizeof(number), "ip/%u", protocol);
        name = number;
    }
    if (kind == QPW_KIND_ETHERTYPE)
        ethertype_words(port, buf, size);
    else if (kind == QPW_KIND_NONE && !protocol && !port)
        snprintf(buf, size, "-");
    else if (kind == QPW_KIND_ICMP || (port && kind != QPW_KIND_PROTOCOL))
        snprintf(buf, size, "%s/%u", name, port);
    else
        snprintf(buf, size, "%s", name);
    return buf;
}

const char *qpw_words_service_named(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size)
{
    const char *name = port && (kind == QPW_KIND_PORT || kind == QPW_KIND_NONE) ? port_name(protocol, port) : "";
    size_t used;

    qpw_words_service(kind, protocol, port, buf, size);
    used = strlen(buf);
    if (*name)
        snprintf(buf + used, size - used, " %s", name);
    return buf;
}

const char *qpw_words_ports(const struct qpw_port_sum *ports, char *buf, size_t size)
{
    char service[40];
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < QPW_PEER_PORTS && ports[i].sum.packets && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s%s", i ? ", " : "",
                                 qpw_words_service(ports[i].kind, ports[i].protocol, ports[i].port, service,
                                                   sizeof(service)),
                                 ports[i].direction == QPW_DIR_OUTBOUND ? " out" : "");
    return buf;
}

/* ---- Ends and processes ---- */

const char *qpw_words_end(unsigned kind, const uint8_t addr[16], char *buf, size_t size)
{
    return kind == QPW_KIND_ETHERTYPE ? qpw_mac_text(addr + 10, buf, size) : qpw_address_text(addr, buf, size);
}

const char *qpw_words_end_named(unsigned kind, const uint8_t addr[16], const char *name, char *buf, size_t size)
{
    char end[INET6_ADDRSTRLEN];

    if (!*name && kind != QPW_KIND_ETHERTYPE)
        name = qpw_known_name(addr);
    if (!*name)
        return qpw_words_end(kind, addr, buf, size);
    snprintf(buf, size, "%s (%s)", name, qpw_words_end(kind, addr, end, sizeof(end)));
    return buf;
}

const char *qpw_words_endpoint(const uint8_t addr[16], unsigned port, char *buf, size_t size)
{
    const char *name = qpw_known_name(addr);
    char text[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN + 8];

    qpw_address_text(addr, text, sizeof(text));
    if (port)
        snprintf(end, sizeof(end), strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
    else
        snprintf(end, sizeof(end), "%s", text);
    snprintf(buf, size, *name ? "%s (%s)" : "%s%s", name, end);
    return buf;
}

const char *qpw_words_prefix(const uint8_t prefix[16], char *buf, size_t size)
{
    char text[INET6_ADDRSTRLEN];

    qpw_address_text(prefix, text, sizeof(text));
    snprintf(buf, size, "%s/%s", text, strchr(text, ':') ? "48" : "24");
    return buf;
}

const char *qpw_words_local(const uint8_t addr[16], unsigned length, char *buf, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    bool v6;

    qpw_address_text(addr, text, sizeof(text));
    v6 = strchr(text, ':') != NULL;
    snprintf(buf, size, length < 128 ? "%s/%u" : "%s", text, v6 ? length : length - 96);
    return buf;
}

const char *qpw_words_capture(const struct qpw_capture_row *c, char *buf, size_t size)
{
    char packets[40], period[96], left_out[24] = "";

    snprintf(buf, size, "%s: %s, %s%s%s%s%s", c->name, qpw_words_many(c->packets, "packet", packets, sizeof(packets)),
             qpw_words_period(c->from_unix_ns, c->to_unix_ns, period, sizeof(period)), c->left_out ? ", left out " : "",
             c->left_out ? qpw_words_count(c->left_out, left_out, sizeof(left_out)) : "", c->sha256[0] ? ", sha256:" : "",
             c->sha256);
    return buf;
}

const char *qpw_words_process(const char *name, int pid, char *buf, size_t size)
{
    snprintf(buf, size, *name && pid ? "%s[%d]" : "%s", name, pid);
    return buf;
}

const char *qpw_words_policy(const char *name, const char *path, char *buf, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (!*name)
        snprintf(buf, size, "none");
    else if (!strncmp(path, "built-in:", 9))
        snprintf(buf, size, "%s (built-in)", name);
    else if (!*path || !strcmp(path, name) || (slash && !strcmp(slash + 1, name)))
        snprintf(buf, size, "%s", *path ? path : name);
    else
        snprintf(buf, size, "%s (%s)", name, path);
    return buf;
}

const char *qpw_words_policy_source(const char *name, const char *path, char *buf, size_t size)
{
    bool builtin = !strncmp(path, "built-in:", 9);

    if (*path && !builtin)
        snprintf(buf, size, "%s", path);
    else
        snprintf(buf, size, "%s%s", builtin ? "built-in " : "", *name ? name : "none");
    return buf;
}

/* ---- Enums ---- */

const char *qpw_words_verdict(unsigned verdict)
{
    static const char *const meanings[QPW_VERDICT_COUNT] = {
        [QPW_VERDICT_NONE] = "not judged",
        [QPW_VERDICT_TRANSIT] = "not addressed to this node",
        [QPW_VERDICT_PEER] = "between nodes of the cluster",
        [QPW_VERDICT_UNDECIDED] = "could not tell which side opened it",
        [QPW_VERDICT_ALLOWED] = "a policy rule matches",
        [QPW_VERDICT_WEAK] = "matches only a very wide rule",
        [QPW_VERDICT_INFRA] = "basic network traffic (ARP, ND, DHCP, ICMP ...)",
        [QPW_VERDICT_IMPLIED] = "goes with a listed service (not listed itself)",
        [QPW_VERDICT_UNEXPECTED] = "no policy rule matches",
        [QPW_VERDICT_MISMATCH] = "a rule matches, but what speaks looks like another service",
    };

    return verdict < QPW_VERDICT_COUNT ? meanings[verdict] : "";
}

const char *qpw_words_coverage(unsigned kind)
{
    static const char *const words[QPW_COVERAGE_COUNT] = {
        [QPW_COVERAGE_ATTACHED] = "attached",
        [QPW_COVERAGE_DETACHED] = "detached",
        [QPW_COVERAGE_AUDITOR_STARTED] = "auditor started",
        [QPW_COVERAGE_AUDITOR_STOPPED] = "auditor stopped",
        [QPW_COVERAGE_AUDITOR_GAP] = "no auditor",
        [QPW_COVERAGE_INTERFACE_GONE] = "interface gone",
        [QPW_COVERAGE_INTERFACE_BACK] = "interface back",
        [QPW_COVERAGE_INTERFACE_DOWN] = "link down",
        [QPW_COVERAGE_INTERFACE_UP] = "link up",
        [QPW_COVERAGE_INTERFACE_RENAMED] = "interface renamed",
        [QPW_COVERAGE_HOOK_LOST] = "monitoring lost",
        [QPW_COVERAGE_HOOK_NOT_FIRST] = "no longer first",
        [QPW_COVERAGE_HOOK_FIRST] = "first again",
        [QPW_COVERAGE_RELOADED] = "policy reloaded",
        [QPW_COVERAGE_RELOADED_ALONE] = "policy reloaded without an auditor",
        [QPW_COVERAGE_RELOAD_FAILED] = "reload failed",
        [QPW_COVERAGE_CLOCK_STEPPED] = "clock set",
        [QPW_COVERAGE_OWNERS_LOST] = "owners not noted",
        [QPW_COVERAGE_OWNERS_NOTED] = "owners noted again",
        [QPW_COVERAGE_ADDRESSES_LEFT_OUT] = "local addresses left out",
        [QPW_COVERAGE_ADDRESSES_COMPLETE] = "local addresses complete",
        [QPW_COVERAGE_REPLACED] = "replaced",
        [QPW_COVERAGE_UNSEEN] = "unseen since boot",
        [QPW_COVERAGE_HISTORY_STOPPED] = "history not written",
        [QPW_COVERAGE_HISTORY_RESUMED] = "history written again",
        [QPW_COVERAGE_HISTORY_SET_ASIDE] = "history set aside",
    };

    return kind < QPW_COVERAGE_COUNT && words[kind] ? words[kind] : qpw_coverage_name(kind);
}

const char *qpw_words_event(const struct qpw_coverage *record, const char *iface, char *buf, size_t size)
{
    char text[QPW_EVENT_TEXT];

    qpw_words_event_text(record, text, sizeof(text));
    return qpw_format(buf, size, "%s%s%s%s%s", qpw_words_coverage(record->kind), *iface ? " " : "", iface, *text ? ": " : "", text);
}

const char *qpw_words_event_text(const struct qpw_coverage *record, char *buf, size_t size)
{
    int text = (int)strnlen(record->text, sizeof(record->text)), by = (int)strnlen(record->by, sizeof(record->by));

    if (!by)
        return qpw_format(buf, size, "%.*s", text, record->text);
    return qpw_format(buf, size, "%.*s%sBy %.*s.", text, record->text, text ? " " : "", by, record->by);
}

const char *qpw_words_direction(unsigned direction)
{
    return direction == QPW_DIR_NON_IP ? "non-IP" : qpw_direction_name(direction);
}

const char *qpw_words_direction_short(unsigned direction)
{
    static const char *const brief[QPW_DIR_COUNT] = {
        [QPW_DIR_UNKNOWN] = "unk", [QPW_DIR_INBOUND] = "in",      [QPW_DIR_OUTBOUND] = "out",
        [QPW_DIR_TRANSIT] = "tra", [QPW_DIR_UNDECODABLE] = "und", [QPW_DIR_NON_IP] = "-"};

    return direction < QPW_DIR_COUNT ? brief[direction] : "?";
}

const char *qpw_words_mode(unsigned hook)
{
    return hook == QPW_HOOK_XDP ? "XDP" : hook == QPW_HOOK_NONE ? "" : "TC";
}

const char *qpw_words_mode_why(unsigned hook, const char *why, char *buf, size_t size)
{
    const char *mode = qpw_words_mode(hook);

    snprintf(buf, size, *mode && *why ? "%s (%s)" : "%s", mode, why);
    return buf;
}

const char *qpw_words_family(bool v4, bool v6)
{
    return v4 && v6 ? "IPv4+6" : v4 ? "IPv4" : v6 ? "IPv6" : "-";
}
