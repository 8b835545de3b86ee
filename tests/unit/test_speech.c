/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Classifying first bytes, row by row of the table of forms, with near misses; and judging both ends. */
#include <criterion/criterion.h>
#include <string.h>

#include "bpf/speech.h"
#include "util/names.h"

#define ASK 1    /* from the initiator */
#define ANSWER 0
#define TCP 0
#define UDP 1
#define BIT(speech) (1u << (speech))
#define SHORTENED (QPW_SPEAKS(SMB) | QPW_SPEAKS(SUNRPC) | QPW_SPEAKS(TLS) | QPW_SPEAKS(HTTP) | QPW_SPEAKS(SSH) | \
                       QPW_SPEAKS(KERBEROS) | QPW_SPEAKS(LDAP))

static struct qpw_head head_of(const void *bytes, size_t n, int initiator, int udp)
{
    struct qpw_head h = {.length = (__u32)n, .udp = (__u8)udp, .initiator = (__u8)initiator};
    unsigned char all[16] = {0};

    h.n = n < sizeof(all) ? (__u32)n : sizeof(all);
    memcpy(all, bytes, h.n);
    for (int i = 0; i < 8; i++) {
        h.first = h.first << 8 | all[i];
        h.last = h.last << 8 | all[8 + i];
    }
    return h;
}

/* The short way to a named service's class must be the table's, and find each that it is for. */
static void assert_named(const struct qpw_head *h)
{
    for (unsigned service = 0; service < QPW_SPOKEN_COUNT; service++) {
        unsigned is = qpw_speech_of(h, 1u << service), named = qpw_speech_named(h, 1u << service);
        bool confirms = qpw_speeches_expected(1u << service) & BIT(is);
        bool is_shortened = SHORTENED & 1u << service;

        cr_assert_eq(named, confirms && is_shortened ? is : 0, "service %u: %s, named %s: %016llx %016llx", service,
                     qpw_speech_name(is), qpw_speech_name(named), (unsigned long long)h->first, (unsigned long long)h->last);
    }
}

static unsigned speech(const void *bytes, size_t n, int initiator, int udp, __u32 services)
{
    struct qpw_head h = head_of(bytes, n, initiator, udp);

    assert_named(&h);
    return qpw_speech_of(&h, services);
}

/* A vector: the whole literal; or the literal padded with zeros to sixteen bytes, of a longer datagram. */
#define IS(wanted, bytes, who, how) \
    do { \
        unsigned is_ = speech(bytes, sizeof(bytes) - 1, who, how, 0); \
        cr_expect(is_ == QPW_SPEECH_##wanted, "%s: %s, not %s", #bytes, qpw_speech_name(is_), #wanted); \
    } while (0)
#define IS_LONG(wanted, bytes, more, who, how, services) \
    do { \
        unsigned char all_[64] = {0}; \
        struct qpw_head h_; \
        unsigned is_; \
        memcpy(all_, bytes, sizeof(bytes) - 1); \
        h_ = head_of(all_, 16, who, how); \
        h_.length = more; \
        assert_named(&h_); \
        is_ = qpw_speech_of(&h_, services); \
        cr_expect(is_ == QPW_SPEECH_##wanted, "%s: %s, not %s", #bytes, qpw_speech_name(is_), #wanted); \
    } while (0)

Test(speech, tls)
{
    IS(TLS, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ASK, TCP);
    IS(TLS, "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", ANSWER, TCP);
    IS(TLS, "\x16\x03\x04\x00\x04\x00", ASK, TCP);
    IS(TLS, "\x15\x03\x03\x00\x02\x02\x28", ANSWER, TCP);
    IS(TLS, "\x15\x00\x00\x00\x02\x02\x0a", ANSWER, TCP);
    IS(TLS, "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00", ASK, TCP);
    IS(TLS, "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00", ASK, TCP);
    IS(TLS, "\x82\x2e\x04\x00\x01\x00\x02\x03\x00\x00\x00\x10", ANSWER, TCP);
    IS(BIN, "\x16\x02\x01\x02\x00\x01\x00\x01\xfc\x03\x03zzzzz", ASK, TCP);     /* version */
    IS(BIN, "\x16\x03\x05\x02\x00\x01\x00\x01\xfc\x03\x03zzzzz", ASK, TCP);
    IS(BIN, "\x16\x03\x01\x00\x03\x01\x00\x01\xfc\x03\x03zzzzz", ASK, TCP);     /* too short a record */
    IS(BIN, "\x16\x03\x01\x41\x01\x01\x00\x01\xfc\x03\x03zzzzz", ASK, TCP);     /* too long */
    IS(BIN, "\x16\x03\x01\x02\x00\x03\x00\x01\xfc\x03\x03zzzzz", ASK, TCP);     /* not a hello */
    IS(BIN, "\x15\x03\x03\x00\x41\x02\x28zzzzzzzzz", ANSWER, TCP);
    IS(BIN, "\x15\x00\x00\x00\x02\x03\x0azzzzzzzzz", ANSWER, TCP);
    IS(BIN, "\x80\x08\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00", ASK, TCP);
    IS(BIN, "\x80\x2e\x01\x04\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00", ASK, TCP);
    IS(BIN, "\x80\x2e\x04\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00", ASK, TCP); /* a server's message */
    IS(SHORT, "\x16\x03\x01\x02\x00", ASK, TCP);
}

Test(speech, ssh_and_http)
{
    IS(SSH, "SSH-2.0-OpenSSH_9.2", ASK, TCP);
    IS(SSH, "SSH-1.99-x", ANSWER, TCP);
    IS(TEXT, "SSH 2.0 is what I am", ANSWER, TCP);
    IS(TEXT, "ssh-2.0-dropbear", ANSWER, TCP);
    IS(HTTP, "GET / HTTP/1.1\r\n", ASK, TCP);
    IS(HTTP, "POST /api HTTP/1.1", ASK, TCP);
    IS(HTTP, "HEAD / HTTP/1.0\r\n", ASK, TCP);
    IS(HTTP, "PUT /x HTTP/1.1\r\n", ASK, TCP);
    IS(HTTP, "OPTIONS * HTTP/1.1", ASK, TCP);
    IS(HTTP, "CONNECT a:443 HTTP", ASK, TCP);
    IS(HTTP, "PRI * HTTP/2.0\r\n", ASK, TCP);
    IS(HTTP, "PATCH /x HTTP/1.1", ASK, TCP);
    IS(HTTP, "TRACE / HTTP/1.1", ASK, TCP);
    IS(HTTP, "PROPFIND / HTTP/1", ASK, TCP);
    IS(HTTP, "DELETE /x HTTP/1", ASK, TCP);
    IS(HTTP, "HTTP/1.1 200 OK\r\n", ANSWER, TCP);
    IS(HTTP, "http/1.0 200 OK\r\n", ANSWER, TCP);
    IS(HTTPERR, "HTTP/1.1 400 Bad Request", ANSWER, TCP);
    IS(HTTPERR, "HTTP/1.0 301 Moved", ANSWER, TCP);
    IS(HTTP, "HTTP/1.1 ", ANSWER, TCP); /* the status is missing */
    IS(HTTP, "HTTP/1.1 500 Internal", ANSWER, TCP);
    IS(HTTP, "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00", ANSWER, TCP);
    IS(HTTP, "\x00\x00\x00\x04\x01\x00\x00\x00\x00", ANSWER, TCP);
    IS(BIN, "\x00\x00\x13\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00", ANSWER, TCP);
    IS(BIN, "\x00\x00\x12\x04\x00\x00\x00\x00\x01\x00\x03\x00\x00\x00\x80\x00", ANSWER, TCP);
    IS(TEXT, "GETTING / HTTP/1", ASK, TCP);
    IS(TEXT, "DELEGATE something", ASK, TCP);
    IS(SHORT, "HTTP", ANSWER, TCP);
}

Test(speech, words)
{
    IS(HTML, "<html><head>", ANSWER, TCP);
    IS(HTML, "<HTML>", ANSWER, TCP);
    IS(HTML, "<!DOCTYPE html>", ANSWER, TCP);
    IS(HTML, "<!doctype html>", ANSWER, TCP);
    IS(HTML, "<?xml version", ANSWER, TCP);
    IS(HTML, "ICY 200 OK\r\n", ANSWER, TCP);
    IS(TEXT, "<html><head>", ASK, TCP);
    IS(PROXY, "PROXY TCP4 10.0.0.1 ", ASK, TCP);
    IS(PROXY, "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a", ASK, TCP);
    IS(TEXT, "PROXY TCP4 10.0.0.1 ", ANSWER, TCP);
    IS(BIN, "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x52\x55\x49\x54\x0azzzz", ASK, TCP);
    IS(SMTPC, "EHLO mail.example", ASK, TCP);
    IS(SMTPC, "HELO x\r\n", ASK, TCP);
    IS(SMTPC, "LHLO x\r\n", ASK, TCP);
    IS(FTPC, "USER anonymous\r\n", ASK, TCP);
    IS(FTPC, "AUTH TLS\r\n", ASK, TCP);
    IS(FTPC, "FEAT\r\n", ASK, TCP);
    IS(FTPC, "OPTS UTF8 ON\r\n", ASK, TCP);
    IS(FTPC, "CLNT x\r\n", ASK, TCP);
    IS(FTPC, "HOST x\r\n", ASK, TCP);
    IS(FTPC, "SYST\r\n", ASK, TCP);
    IS(FTPC, "DELE x\r\n", ASK, TCP);
    IS(TEXT, "USER anonymous\r\n", ANSWER, TCP);
    IS(REPLY, "220 (vsFTPd 3.0.3)\r\n", ANSWER, TCP);
    IS(REPLY, "220-welcome", ANSWER, TCP);
    IS(REPLY, "530 ", ANSWER, TCP);
    IS(TEXT, "620 beyond", ANSWER, TCP);
    IS(TEXT, "020 below", ANSWER, TCP);
    IS(TEXT, "220: no reply", ANSWER, TCP);
    IS(TEXT, "220 x", ASK, TCP);
    IS(SHORT, "220", ANSWER, TCP);
    IS(RSH, "1022\0root\0", ASK, TCP);
    IS(RSH, "22\0", ASK, TCP);
    IS(RSH, "122\0", ASK, TCP);
    IS(BIN, "1022\0root\0zzzzzz", ANSWER, TCP);
    IS(BIN, "2\0root\0zzzzzzzzz", ASK, TCP);
}

Test(speech, smb_and_netbios)
{
    IS(SMB, "\x00\x00\x00\x55\xff\x53\x4d\x42\x72", ASK, TCP);
    IS(SMB, "\x00\x00\x01\x10\xfe\x53\x4d\x42\x40", ANSWER, TCP);
    IS(SMB, "\x00\x00\x01\x10\xfd\x53\x4d\x42\x40", ANSWER, TCP);
    IS(SMB, "\x00\x00\x01\x10\xfc\x53\x4d\x42\x40", ANSWER, TCP);
    IS(BIN, "\x00\x00\x00\x55\xfb\x53\x4d\x42\x72zzzzzzz", ASK, TCP);
    IS(BIN, "\x01\x00\x00\x55\xff\x53\x4d\x42\x72zzzzzzz", ASK, TCP);
    IS(BIN, "\x00\x00\x00\x55\xff\x53\x4d\x43\x72zzzzzzz", ASK, TCP);
    IS(NBSS, "\x81\x00\x00\x44\x20\x43\x4b", ASK, TCP);
    IS(NBSS, "\x81\x01\x00\x48\x20\x43\x4b", ASK, TCP);
    IS(NBSS, "\x82\x00\x00\x00", ANSWER, TCP);
    IS(NBSS, "\x83\x00\x00\x01\x8f", ANSWER, TCP);
    IS(NBSS, "\x84\x00\x00\x06\x0a\x00\x00\x01\x00\x8b", ANSWER, TCP);
    IS(NBSS, "\x85\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x81\x00\x00\x43\x20\x43\x4bzzzzzzzzz", ASK, TCP);
    IS(BIN, "\x81\x00\x00\x44\x21\x43\x4bzzzzzzzzz", ASK, TCP);
    IS(BIN, "\x82\x00\x00\x01zzzzzzzzzzzz", ANSWER, TCP);
}

Test(speech, kerberos)
{
    IS(KRB, "\x00\x00\x00\xb5\x6a\x81\xb2\x30\x81\xaf", ASK, TCP);
    IS(KRB, "\x00\x00\x02\x5d\x6b\x82\x02\x59\x30\x82\x02\x55", ANSWER, TCP);
    IS(KRB, "\x00\x00\x00\x20\x7e\x1e\x30\x1c", ANSWER, TCP);
    IS(KRB, "\x00\x01\x00\x00\x6c\x83\x00\xff\xf0\x30\x82", ASK, TCP);
    IS(KRB, "\x00\x01\x00\x00\x6d\x84\x00\x00\xff\xf0\x30\x82", ANSWER, TCP);
    IS(KRB, "\x6a\x81\xb2\x30\x81\xaf", ASK, UDP);
    IS(KRB, "\x7e\x81\xb2\x30\x81\xaf", ANSWER, UDP);
    IS(BIN, "\x00\x10\x00\xb5\x6a\x81\xb2\x30\x81\xafzzzzzz", ASK, TCP); /* longer than permitted */
    IS(BIN, "\x00\x00\x00\xb5\x69\x81\xb2\x30\x81\xafzzzzzz", ASK, TCP);
    IS(BIN, "\x00\x00\x00\xb5\x6f\x81\xb2\x30\x81\xafzzzzzz", ASK, TCP);
    IS(BIN, "\x00\x00\x00\xb5\x6a\x85\xb2\x30\x81\xafzzzzzz", ASK, TCP);
    IS(BIN, "\x00\x00\x00\xb5\x6a\x80\x30\x30\x81\xafzzzzzz", ASK, TCP); /* indefinite length: BER, not DER */
    IS(BIN, "\x00\x00\x00\xb5\x6a\x81\xb2\x31\x81\xafzzzzzz", ASK, TCP);
    IS(BIN, "\x6a\x81\xb2\x31\x81\xaf", ASK, UDP);
}

Test(speech, rpc)
{
    IS(RPC, "\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02", ASK, TCP);
    IS(RPC, "\x00\x00\x40\x00\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02", ASK, TCP); /* not the last fragment */
    IS(RPC, "\x80\x00\x00\x18\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x00", ANSWER, TCP);
    IS(RPC, "\x80\x00\x00\x18\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x01", ANSWER, TCP);
    IS(RPC, "\x80\x00\x01\x2c\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02", ASK, TCP); /* not SSLv2 */
    IS(BIN, "\x80\x00\x00\x0f\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02", ASK, TCP);
    IS(BIN, "\x82\x00\x00\x01\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02", ASK, TCP); /* above 32 MiB */
    IS(BIN, "\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x03", ASK, TCP);
    IS(BIN, "\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x02\x00\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x80\x00\x00\x18\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x02", ANSWER, TCP);
    IS(SHORT, "\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00", ASK, TCP);
    IS_LONG(RPC, "\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0", 56, ASK, UDP, 0);
    IS_LONG(RPC, "\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x00", 24, ANSWER, UDP, 0);
    IS_LONG(BIN, "\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0", 36, ASK, UDP, 0);
    IS_LONG(BIN, "\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0", 57, ASK, UDP, 0);
    IS_LONG(BIN, "\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x00", 16, ANSWER, UDP, 0);
}

Test(speech, ldap_and_snmp)
{
    IS(LDAP, "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", ASK, TCP);
    IS(LDAP, "\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00", ANSWER, TCP);
    IS(LDAP, "\x30\x81\x9f\x02\x01\x02\x63\x81\x99", ASK, TCP);
    IS(LDAP, "\x30\x82\x01\x0f\x02\x02\x02\x01\x64\x82", ANSWER, TCP);
    IS(LDAP, "\x30\x83\x01\x0f\x00\x02\x04\x02\x01\x01\x01\x64", ANSWER, TCP);
    IS(LDAP, "\x30\x05\x02\x01\x03\x42\x00", ASK, TCP);
    IS(LDAP, "\x30\x2b\x02\x01\x01\x63\x26", ASK, UDP);
    IS(SNMP, "\x30\x29\x02\x01\x00\x04\x06public", ASK, UDP);
    IS(SNMP, "\x30\x3e\x02\x01\x03\x30\x11\x02", ASK, UDP);
    IS(BIN, "\x31\x0c\x02\x01\x01\x60\x07zzzzzzzzz", ASK, TCP);
    IS(BIN, "\x30\x80\x02\x01\x01\x60\x07zzzzzzzzz", ASK, TCP);
    IS(BIN, "\x30\x85\x00\x00\x00\x00\x10\x02\x01\x01\x61zzzzz", ASK, TCP);
    IS(BIN, "\x30\x0c\x03\x01\x01\x60\x07zzzzzzzzz", ASK, TCP);
    IS(BIN, "\x30\x0c\x02\x00\x60\x60\x07zzzzzzzzz", ASK, TCP);
    IS(BIN, "\x30\x0c\x02\x05\x01\x01\x01\x01\x01\x60zzzzzz", ASK, TCP);
    IS(BIN, "\x30\x0c\x02\x01\x01\x41\x07zzzzzzzzz", ASK, TCP);
    IS(BIN, "\x30\x0c\x02\x01\x01\x7a\x07zzzzzzzzz", ASK, TCP);
    IS(SHORT, "\x30\x0c\x02\x01\x01", ASK, TCP);
}

Test(speech, dcerpc_and_syslog)
{
    IS(DCERPC, "\x05\x00\x0b\x03\x10\x00\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(DCERPC, "\x05\x01\x0c\x03\x00\x00\x00\x00\x3c\x00", ANSWER, TCP);
    IS(BIN, "\x06\x00\x0b\x03\x10\x00\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x05\x02\x0b\x03\x10\x00\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x05\x00\x15\x03\x10\x00\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x05\x00\x0b\x03\x20\x00\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x05\x00\x0b\x03\x10\x04\x00\x00\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(BIN, "\x05\x00\x0b\x03\x10\x00\x00\x01\xa0\x00\x00\x00\x01\x00\x00\x00", ASK, TCP);
    IS(SYSLOG, "<6>kernel: x", ASK, TCP);
    IS(SYSLOG, "<34>1 2026-01-01", ASK, UDP);
    IS(SYSLOG, "<134>Jan  1", ASK, TCP);
    IS(SYSLOG, "7 <6>abc", ASK, TCP);
    IS(SYSLOG, "57 <34>1 2026", ASK, TCP);
    IS(SYSLOG, "157 <34>1 2026", ASK, TCP);
    IS(SYSLOG, "1570 <34>1 2026", ASK, TCP);
    IS(TEXT, "<1345>Jan  1", ASK, TCP);
    IS(TEXT, "<a4>Jan  1", ASK, TCP);
    IS(TEXT, "<>Jan  1", ASK, TCP);
    IS(TEXT, "15700 <34>1 2026", ASK, TCP);
    IS(TEXT, "157 34>1 2026", ASK, TCP);
}

Test(speech, what_no_rule_names)
{
    IS(FCGI, "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01", ASK, TCP);
    IS(FCGI, "\x01\x06\x00\x01\x00\x40\x00\x00", ANSWER, TCP);
    IS(FCGI, "\x01\x07\x00\x01\x00\x40\x00\x00", ANSWER, TCP);
    IS(FCGI, "\x01\x03\x00\x01\x00\x08\x00\x00", ANSWER, TCP);
    IS(BIN, "\x01\x02\x00\x01\x00\x08\x00\x00zzzzzzzz", ASK, TCP);
    IS(BIN, "\x01\x01\x00\x01\x00\x08\x00\x01zzzzzzzz", ASK, TCP);
    IS(MYSQL, "\x4a\x00\x00\x00\x0a\x38\x2e\x30", ANSWER, TCP);
    IS(MYSQL, "\x10\x00\x00\x00\xff\x10\x04", ANSWER, TCP);
    IS(BIN, "\x4a\x00\x00\x01\x0a\x38\x2e\x30zzzzzzzz", ANSWER, TCP);
    IS(BIN, "\x4a\x00\x00\x00\x0a\x78\x2e\x30zzzzzzzz", ANSWER, TCP);
    IS(TPKT, "\x03\x00\x00\x13\x0e\xe0\x00\x00", ASK, TCP);
    IS(TPKT, "\x03\x00\x00\x0b\x06\xd0\x00\x00", ANSWER, TCP);
    IS(BIN, "\x03\x00\x00\x13\x0e\x80\x00\x00zzzzzzzz", ASK, TCP);
    IS(TELNET, "\xff\xfd\x18\xff\xfd\x20", ANSWER, TCP);
    IS(TELNET, "\xff\xfb\x01", ASK, TCP);
    IS(BIN, "\xff\xf9\x18zzzzzzzzzzzzz", ANSWER, TCP);
    IS(SOCKS, "\x05\x01\x00", ASK, TCP);
    IS(SOCKS, "\x05\x02\x00\x02", ASK, TCP);
    IS(SHORT, "\x05\x02\x00", ASK, TCP);
    IS(DTLS, "\x16\xfe\xff\x00\x00\x00\x00", ASK, UDP);
    IS(DTLS, "\x16\xfe\xfd\x00\x00\x00\x00", ASK, UDP);
    IS(BIN, "\x16\xfe\xfc\x00\x00\x00\x00", ASK, UDP);
    IS(BIN, "\x16\xfe\xff\x00\x00\x00\x00zzzzzzzzz", ASK, TCP);
}

#define DNS QPW_SPEAKS(DNS)
#define NTP QPW_SPEAKS(NTP)

/* Few of their bits are fixed: without a rule that names them they are unknown data. */
Test(speech, dns_where_it_is_asked_for)
{
    IS_LONG(DNS, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS);
    IS_LONG(DNS, "\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01\x03www", 33, ASK, UDP, DNS);
    IS_LONG(DNS, "\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x01\x03www", 80, ANSWER, UDP, DNS);
    IS_LONG(DNS, "\x12\x34\x81\x83\x00\x01\x00\x00\x00\x01\x00\x00\x03www", 80, ANSWER, UDP, DNS);
    IS_LONG(DNS, "\x12\x34\x28\x00\x00\x01\x00\x01\x00\x05\x00\x01\x03www", 80, ASK, UDP, DNS); /* an update */
    IS_LONG(DNS, "\x00\x1c\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03w", 30, ASK, TCP, DNS);
    IS_LONG(BIN, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, 0);
    IS_LONG(BIN, "\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS); /* not a question */
    IS_LONG(BIN, "\x12\x34\x01\x00\x00\x01\x00\x02\x00\x00\x00\x01\x03www", 80, ANSWER, UDP, DNS);
    IS_LONG(BIN, "\x12\x34\x19\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS); /* opcode 3 */
    IS_LONG(BIN, "\x12\x34\x01\x40\x00\x01\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS); /* Z */
    IS_LONG(BIN, "\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS);
    IS_LONG(BIN, "\x12\x34\x01\x00\x00\x01\x00\x01\x00\x00\x00\x00\x03www", 33, ASK, UDP, DNS);
    IS_LONG(BIN, "\x12\x34\x81\x80\x00\x01\x04\x01\x00\x00\x00\x01\x03www", 80, ANSWER, UDP, DNS);
    IS_LONG(BIN, "\x00\x0b\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03w", 30, ASK, TCP, DNS);
}

Test(speech, ntp_where_it_is_asked_for)
{
    IS_LONG(NTP, "\x23\x00\x06\x20", 48, ASK, UDP, NTP);
    IS_LONG(NTP, "\x1b\x00\x00\x00", 48, ASK, UDP, NTP);
    IS_LONG(NTP, "\x24\x02\x06\xe9", 48, ANSWER, UDP, NTP);
    IS_LONG(NTP, "\x16\x02\x00\x01", 12, ASK, UDP, NTP);
    IS_LONG(NTP, "\x16\x82\x00\x01", 12, ANSWER, UDP, NTP);
    IS_LONG(NTP, "\x17\x00\x03\x2a", 8, ASK, UDP, NTP);
    IS_LONG(NTP, "\x97\x00\x03\x2a", 48, ANSWER, UDP, NTP);
    IS_LONG(BIN, "\x23\x00\x06\x20", 48, ASK, UDP, 0);
    IS_LONG(BIN, "\x23\x11\x06\x20", 48, ASK, UDP, NTP); /* stratum */
    IS_LONG(BIN, "\x23\x00\x06\x20", 50, ASK, UDP, NTP);
    IS_LONG(BIN, "\x2b\x00\x06\x20", 48, ASK, UDP, NTP); /* version 5 */
    IS_LONG(BIN, "\x23\x02\x06\xe9", 48, ANSWER, UDP, NTP); /* an answer with a client's mode */
    IS_LONG(BIN, "\x24\x02\x06\x19", 48, ANSWER, UDP, NTP);
    IS_LONG(BIN, "\x16\x82\x00\x01", 12, ASK, UDP, NTP);
}

/* Every byte that is text, and no other, at any position. */
Test(speech, text_byte_by_byte)
{
    for (unsigned at = 0; at < 8; at++)
        for (unsigned c = 0; c < 256; c++) {
            char bytes[17] = "zzzzzzzzzzzzzzzz";
            int is_text = (c >= 0x20 && c < 0x7f) || (c >= 7 && c <= 10) || c == 13 || c == 27;
            struct qpw_head h;

            bytes[at] = (char)c;
            for (size_t n = at + 1; n <= 16; n++) {
                h = head_of(bytes, n, ANSWER, TCP);
                cr_assert_eq(qpw_is_text(&h), is_text, "0x%02x at %u of %zu", c, at, n);
            }
        }
    IS(TEXT, "id\n", ASK, TCP);
    IS(TEXT, "\r\n", ASK, TCP);
    IS(SHORT, "id", ASK, TCP);
    IS(SHORT, "\n", ASK, TCP);
    IS(TEXT, "quit", ASK, TCP);
    IS(SHORT, "", ASK, TCP);
}

Test(speech, too_little)
{
    IS(SHORT, "\0\0\0\0\0\0", ASK, TCP);
    IS(SHORT, "\0\0\0\0\0\0", ASK, UDP);
    IS(BIN, "\0\0\0\0\0\0\0", ASK, UDP);
    IS(BIN, "\x01\x02\x03\x04", ASK, UDP);
    IS(SHORT, "\x01\x02\x03", ASK, UDP);
    IS(SHORT, "\x01\x02\x03\x04\x05\x06\x09\x01\x01\x02\x03\x04\x05\x06\x07", ASK, TCP);
    IS(BIN, "\x01\x02\x03\x04\x05\x06\x09\x01\x01\x02\x03\x04\x05\x06\x07\x08", ASK, TCP);
}

/* A recognized beginning, truncated anywhere, is never classified as another service. */
Test(speech, cut_short_is_never_another_service)
{
    static const struct {
        const char *bytes;
        int initiator;
        __u32 services;
    } all[] = {
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x11\x22\x33\x44", ASK, QPW_SPEAKS(TLS)},
        {"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\x00\x11\x22\x33\x44", ANSWER, QPW_SPEAKS(TLS)},
        {"\x15\x03\x03\x00\x02\x02\x28\0\0\0\0\0\0\0\0", ANSWER, QPW_SPEAKS(TLS)},
        {"HTTP/1.1 400 Bad", ANSWER, QPW_SPEAKS(TLS)},
        {"SSH-2.0-OpenSSH_", ANSWER, QPW_SPEAKS(SSH)},
        {"HTTP/1.1 200 OK\r", ANSWER, QPW_SPEAKS(HTTP)},
        {"220 (vsFTPd 3.0.", ANSWER, QPW_SPEAKS(FTP)},
        {"\x00\x00\x01\x10\xfe\x53\x4d\x42\x40\x00\x00\x00\x00\x00\x00\x00", ANSWER, QPW_SPEAKS(SMB)},
        {"\x80\x00\x00\x18\x12\x34\x56\x78\x00\x00\x00\x01\x00\x00\x00\x00", ANSWER, QPW_SPEAKS(SUNRPC)},
        {"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a", ANSWER, QPW_SPEAKS(LDAP)},
        {"\x00\x00\x02\x5d\x6b\x82\x02\x59\x30\x82\x02\x55\xa0\x03\x02\x01", ANSWER, QPW_SPEAKS(KERBEROS)},
        {"\x00\x1c\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x03\x77", ANSWER, QPW_SPEAKS(DNS)},
        {"\x05\x00\x0c\x03\x10\x00\x00\x00\x3c\x00\x00\x00\x01\x00\x00\x00", ANSWER, QPW_SPEAKS(DCERPC)},
        {"<134>Jan  1 00:0", ASK, QPW_SPEAKS(SYSLOG)},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        for (size_t n = 1; n <= 16; n++) {
            struct qpw_head h = head_of(all[i].bytes, n, all[i].initiator, TCP);
            unsigned class = qpw_speech_of(&h, all[i].services);
            struct qpw_spoken_both both = {.services = all[i].services, .outbound = (__u8)all[i].initiator, .own = (__u8)class,
                                           .other = QPW_SPEECH_BIN | QPW_SPEECH_FIRST};

            if (qpw_speech_waits(&h, class))
                both.own |= QPW_SPEECH_WAITS;
            cr_expect_neq(qpw_speaks_judge(&both), QPW_JUDGED_MISMATCH, "%zu: %zu bytes are %s", i, n, qpw_speech_name(class));
        }
}

static unsigned judge(__u32 services, int outbound, int udp, unsigned own, unsigned other)
{
    struct qpw_spoken_both both = {.services = services, .own = (__u8)own, .other = (__u8)other, .udp = (__u8)udp,
                                   .outbound = (__u8)outbound};

    return qpw_speaks_judge(&both);
}

#define IN 0
#define OUT 1
#define S(s) QPW_SPEECH_##s
#define FIRST QPW_SPEECH_FIRST
#define WAITS QPW_SPEECH_WAITS
#define JUDGE(wanted, services, way, udp, own, other) \
    cr_expect_eq(judge(services, way, udp, own, other), QPW_JUDGED_##wanted, "%s %s: own %s, other %s: %u", #services, #way, \
                 #own, #other, judge(services, way, udp, own, other))

Test(judged, by_what_the_node_says)
{
    const __u32 smb = QPW_SPEAKS(SMB), tls = QPW_SPEAKS(TLS), web = QPW_SPEAKS(TLS) | QPW_SPEAKS(HTTP), log = QPW_SPEAKS(SYSLOG);

    JUDGE(UNASKED, 0, IN, TCP, S(TEXT), S(TEXT));
    JUDGE(UNASKED, QPW_SPEAKS_ANY, IN, TCP, S(SSH), S(SSH));
    JUDGE(MATCH, smb, IN, TCP, S(SMB), S(TEXT)); /* a scanner asked */
    JUDGE(MATCH, smb, IN, TCP, S(NBSS), S(SMB));
    JUDGE(MUTE, smb, IN, TCP, S(NONE), S(TEXT));
    JUDGE(MUTE, smb, IN, TCP, S(NONE), S(SSH) | FIRST);
    JUDGE(SHORT, smb, IN, TCP, S(SHORT), S(SMB));
    JUDGE(SHORT, smb, IN, TCP, S(TEXT) | WAITS, S(SMB));
    JUDGE(JOINED, smb, IN, TCP, S(JOINED), S(JOINED));
    JUDGE(MIDSTREAM, smb, IN, TCP, S(MIDSTREAM), S(SMB));
    JUDGE(MISMATCH, smb, IN, TCP, S(TEXT), S(TEXT)); /* a shell */
    JUDGE(MISMATCH, smb, IN, TCP, S(SSH), S(NONE));
    JUDGE(MISMATCH, smb, IN, TCP, S(TEXT) | FIRST, S(NONE));
    JUDGE(MISMATCH, smb, IN, TCP, S(BIN), S(BIN));
    JUDGE(MISMATCH, smb, IN, TCP, S(BIN) | FIRST, S(NONE));
    JUDGE(UNSURE, smb, IN, TCP, S(BIN), S(SMB)); /* probably unrecognized rather than another service */
    JUDGE(MATCH, tls, IN, TCP, S(TLS), S(TLS));
    JUDGE(TOLERATED, tls, IN, TCP, S(HTTPERR), S(HTTP));
    JUDGE(TOLERATED, tls, IN, TCP, S(HTML), S(HTTP));
    JUDGE(MISMATCH, tls, IN, TCP, S(HTTP), S(HTTP));
    JUDGE(MATCH, web, IN, TCP, S(HTTP), S(HTTP));
    JUDGE(MATCH, web, IN, TCP, S(HTTPERR), S(TEXT));
    JUDGE(MISMATCH, web, IN, TCP, S(TEXT), S(TEXT));
    JUDGE(UNSURE, web, IN, TCP, S(TEXT), S(HTTP));
    JUDGE(UNSURE, web, IN, TCP, S(TEXT), S(TEXT) | WAITS);
    JUDGE(MISMATCH, web, IN, TCP, S(FCGI), S(FCGI));
    JUDGE(TOLERATED, log, OUT, TCP, S(TEXT), S(NONE));
    JUDGE(MATCH, log | tls, OUT, TCP, S(TLS), S(TLS));
    JUDGE(UNSURE, log, OUT, TCP, S(BIN), S(NONE));
}

Test(judged, of_who_speaks_first_and_who_asks)
{
    const __u32 tls = QPW_SPEAKS(TLS), ssh = QPW_SPEAKS(SSH), ftp = QPW_SPEAKS(FTP);

    JUDGE(MISMATCH, tls, OUT, TCP, S(SSH), S(SSH)); /* reverse ssh on 443 */
    JUDGE(MISMATCH, tls, OUT, TCP, S(NONE), S(SSH) | FIRST);
    JUDGE(MISMATCH, tls, OUT, TCP, S(NONE), S(TEXT) | FIRST);
    JUDGE(MISMATCH, tls, OUT, TCP, S(PROXY), S(TEXT) | FIRST);
    JUDGE(MUTE, tls, OUT, TCP, S(NONE), S(TEXT) | FIRST | WAITS);
    JUDGE(MUTE, tls, OUT, TCP, S(NONE), S(HTTPERR) | FIRST); /* 408, to a client that has not sent anything yet */
    JUDGE(MUTE, tls, OUT, TCP, S(NONE), S(BIN) | FIRST);
    JUDGE(MUTE, tls, OUT, UDP, S(NONE), S(TEXT) | FIRST);
    JUDGE(MATCH, tls, OUT, TCP, S(TLS), S(TEXT) | FIRST);
    JUDGE(TOLERATED, tls, OUT, TCP, S(PROXY), S(TLS));
    JUDGE(UNSURE, ssh, IN, TCP, S(TEXT) | FIRST, S(NONE)); /* RFC 4253, 4.2: lines before the version */
    JUDGE(UNSURE, ssh, IN, TCP, S(TEXT) | FIRST, S(SSH));
    JUDGE(MISMATCH, ssh, IN, TCP, S(TEXT) | FIRST, S(TEXT));
    JUDGE(MATCH, ftp, IN, TCP, S(REPLY) | FIRST, S(NONE));
    JUDGE(MATCH, ftp, IN, TCP, S(REPLY) | FIRST, S(HTTP));
}

Test(judged, datagrams)
{
    const __u32 dns = QPW_SPEAKS(DNS), ntp = QPW_SPEAKS(NTP), rpc = QPW_SPEAKS(SUNRPC);

    JUDGE(MATCH, dns, OUT, UDP, S(DNS), S(DNS));
    JUDGE(UNSURE, dns, OUT, UDP, S(BIN), S(BIN)); /* nothing is concluded about the other end */
    JUDGE(MISMATCH, dns, OUT, UDP, S(TEXT), S(NONE));
    JUDGE(MISMATCH, dns, OUT, TCP, S(BIN), S(BIN));
    JUDGE(MATCH, ntp, OUT, UDP, S(NTP), S(NTP));
    JUDGE(UNSURE, ntp, OUT, UDP, S(TEXT), S(TEXT)); /* only recorded */
    JUDGE(UNSURE, ntp, OUT, UDP, S(SSH), S(BIN));
    JUDGE(MISMATCH, rpc, IN, UDP, S(BIN), S(BIN));
    JUDGE(UNSURE, rpc, IN, UDP, S(BIN), S(RPC));
}

/* Heads that are half of a form: bytes drawn from those that the forms are made of. */
Test(speech, named_services_are_recognized_as_by_the_table)
{
    static const unsigned char of[] = "\x00\x00\x00\x01\x02\x03\x04\x05\x06\x10\x16\x15\x30\x6a\x80\x81\x82\xfe\xff"
                                      "SMBHTPGE/ 1234SSH-<>.";
    unsigned long long state = 1;

    for (unsigned n = 0; n < 200000; n++) {
        unsigned char bytes[16];
        struct qpw_head h;

        for (size_t i = 0; i < sizeof(bytes); i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            bytes[i] = of[(state >> 33) % (sizeof(of) - 1)];
        }
        if (n & 1)
            memcpy(bytes + 4 * (n >> 1 & 1), n & 4 ? "\xfeSMB" : n & 8 ? "HTTP" : n & 16 ? "\x16\x03\x01\x01" : "\x6a\x0e\x30\x0c", 4);
        h = head_of(bytes, 1 + (state >> 40) % 16, n >> 5 & 1, n >> 6 & 1);
        h.length = h.n + (unsigned)(state >> 50 & 63);
        assert_named(&h);
    }
}
