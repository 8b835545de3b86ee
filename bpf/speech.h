/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * speech.h - classify the first bytes of one end of an exchange, and judge both ends' classes by the services that the
 * rule names. Pure: the same code natively and in BPF, no loop, no helper.
 *
 * The bytes are two words in network order, so that up to eight of them are compared at once. Order matters: protocols
 * with many fixed bytes are tested before those with few; DNS and NTP, which have fewest, only if the rule names them.
 *
 * Sources stand beside each test.
 */
#ifndef QPW_BPF_SPEECH_H
#define QPW_BPF_SPEECH_H

#include "packet.h"

#define QPW_HEAD_BYTES 16u /* eight are too few for RPC, DNS and LDAP; 32 tell no more */

/* The first bytes that one end sent. Bytes behind the n received are zero. */
struct qpw_head {
    __u64 first, last; /* bytes 0-7 and 8-15, byte 0 the highest */
    __u32 n; /* bytes received, at most QPW_HEAD_BYTES */
    __u32 length; /* UDP: of the datagram's payload; TCP: unused */
    __u8 udp;
    __u8 initiator; /* 1: this end opened the exchange */
};

#define QPW_WORD4(a, b, c, d) ((__u32)(a) << 24 | (__u32)(b) << 16 | (__u32)(c) << 8 | (__u32)(d))

static __always_inline __u8 qpw_head_byte(const struct qpw_head *h, const __u32 at)
{
    return at < 8 ? (__u8)(h->first >> (56 - 8 * at)) : (__u8)(h->last >> (120 - 8 * at));
}

/* Return two, or four, bytes from `at` on. */
static __always_inline __u32 qpw_head_2(const struct qpw_head *h, const __u32 at)
{
    return (__u32)qpw_head_byte(h, at) << 8 | qpw_head_byte(h, at + 1);
}

static __always_inline __u32 qpw_head_4(const struct qpw_head *h, const __u32 at)
{
    return qpw_head_2(h, at) << 16 | qpw_head_2(h, at + 2);
}

/* Return the eight bytes from `at` on; at: 0 to 8, not necessarily a constant. */
static __always_inline __u64 qpw_head_from(const struct qpw_head *h, __u32 at)
{
    return at & 8 ? h->last : h->first << (8 * (at & 7)) | h->last >> 1 >> (63 - 8 * (at & 7));
}

static __always_inline int qpw_is_digit(__u8 c)
{
    return (__u8)(c - '0') <= 9;
}

/*
 * RFC 8446, 5.1; RFC 5246, 6.2.1; RFC 6101, appendix E. Some servers answer garbage with an alert of version 0.
 */
static __always_inline int qpw_is_tls(const struct qpw_head *h)
{
    __u32 length = qpw_head_2(h, 3), sslv2 = qpw_head_2(h, 0) & 0x7fff;
    __u8 type = qpw_head_byte(h, 0), hello = h->initiator ? 1 : 4;

    if (h->n >= 6 && type == 0x16 && qpw_head_byte(h, 1) == 3 && qpw_head_byte(h, 2) <= 4)
        return length >= 4 && length <= 16640 && qpw_head_byte(h, 5) <= 2;
    if (h->n >= 7 && type == 0x15 && qpw_head_byte(h, 1) == 3 && qpw_head_byte(h, 2) <= 4)
        return length >= 2 && length <= 64;
    if (h->n >= 7 && h->first >> 24 == 0x1500000002ull)
        return qpw_head_byte(h, 5) == 1 || qpw_head_byte(h, 5) == 2;
    return h->n >= 5 && (type & 0x80) && qpw_head_byte(h, 2) == hello && sslv2 >= 9 && sslv2 <= 2047 &&
           (!h->initiator || (qpw_head_byte(h, 3) == 3 && qpw_head_byte(h, 4) <= 4) || qpw_head_2(h, 3) == 2);
}

/*
 * The twelve bytes of a DNS header. RFC 1035, 4.1.1; RFC 2136, 2.2: an update has other counts in the same fields.
 */
static __always_inline int qpw_is_dns_header(__u64 first, __u32 last, int initiator)
{
    __u32 flags = (__u32)(first >> 32) & 0xffff, questions = (__u32)(first >> 16) & 0xffff, answers = first & 0xffff;
    __u32 authorities = last >> 16, additional = last & 0xffff, opcode = flags >> 11 & 15;

    if (opcode > 6 || opcode == 3 || (flags & 0x40) || questions > 1 || additional > 64 ||
        !!(flags & 0x8000) != !initiator)
        return 0;
    if (!initiator)
        return answers <= 1024 && authorities <= 64;
    if (questions != 1 || (flags & 15))
        return 0;
    return opcode == 5 || (!answers && authorities <= 1 && additional <= 2);
}

/* RFC 1035, 4.2.2; RFC 7766, 8: over TCP, a length precedes it. */
static __always_inline int qpw_is_dns(const struct qpw_head *h)
{
    if (h->udp)
        return h->n >= 12 && qpw_is_dns_header(h->first, (__u32)(h->last >> 32), h->initiator);
    return h->n >= 14 && qpw_head_2(h, 0) >= 12 &&
           qpw_is_dns_header(h->first << 16 | h->last >> 48, (__u32)(h->last >> 16), h->initiator);
}

/* RFC 5905, 7.3; RFC 9327, 2; RFC 8915, 5. Modes 6 and 7 are control and private messages. */
static __always_inline int qpw_is_ntp(const struct qpw_head *h)
{
    __u8 head = qpw_head_byte(h, 0), version = head >> 3 & 7, mode = head & 7;
    __u8 second = qpw_head_byte(h, 1), precision = qpw_head_byte(h, 3);

    if (!h->udp || h->n < 8)
        return 0;
    if (mode == 7)
        return !!(head & 0x80) == !h->initiator && qpw_head_byte(h, 2) <= 3;
    if (version < 1 || version > 4)
        return 0;
    if (mode == 6)
        return h->length >= 12 && !!(second & 0x80) == !h->initiator;
    if ((!mode && version != 1) || h->length < 48 || h->length & 3 || second > 16)
        return 0;
    return h->initiator || (mode != 3 && mode != 5 && (!precision || precision >= 0xc0));
}

/*
 * Recognize "HTTP/", a request, or the SETTINGS frame that opens HTTP/2 (RFC 9112, 3 and 4; RFC 9113, 3.4, 4.1, 6.5).
 * Returns 0 for anything else.
 */
static __always_inline __u32 qpw_http_class(const struct qpw_head *h)
{
    __u32 four = (__u32)(h->first >> 32), upper = four & 0xdfdfdfdf;
    __u8 status = qpw_head_byte(h, 9);

    if (h->n >= 5 && upper == QPW_WORD4('H', 'T', 'T', 'P') && qpw_head_byte(h, 4) == '/')
        return h->n >= 10 && (status == '3' || status == '4') ? QPW_SPEECH_HTTPERR : QPW_SPEECH_HTTP;
    if (four == QPW_WORD4('G', 'E', 'T', ' ') || four == QPW_WORD4('P', 'O', 'S', 'T') ||
        four == QPW_WORD4('H', 'E', 'A', 'D') || four == QPW_WORD4('P', 'U', 'T', ' ') ||
        four == QPW_WORD4('O', 'P', 'T', 'I') || four == QPW_WORD4('C', 'O', 'N', 'N') ||
        four == QPW_WORD4('P', 'R', 'I', ' ') || four == QPW_WORD4('P', 'A', 'T', 'C') ||
        four == QPW_WORD4('T', 'R', 'A', 'C') || four == QPW_WORD4('P', 'R', 'O', 'P') ||
        (four == QPW_WORD4('D', 'E', 'L', 'E') && qpw_head_byte(h, 4) == 'T'))
        return QPW_SPEECH_HTTP;
    if (h->n >= 9 && !(four >> 16) && (four >> 8 & 0xff) % 6 == 0 && (four & 0xff) == 4 && qpw_head_byte(h, 4) <= 1 &&
        !(h->first & 0xffffff) && !qpw_head_byte(h, 8))
        return QPW_SPEECH_HTTP;
    return 0;
}

/*
 * Recognize words that only one end begins with. HTML: HTTP/0.9 and error pages without a status line (RFC 1945, 6).
 * PROXY: haproxy's proxy-protocol.txt, 2.1 and 2.2. SMTP clients: RFC 5321, 4.1.1.1; FTP clients: RFC 959, 4.1.
 * Returns 0 for anything else.
 */
static __always_inline __u32 qpw_word_class(const struct qpw_head *h)
{
    __u32 four = (__u32)(h->first >> 32);

    if (!h->initiator)
        return four == QPW_WORD4('<', 'h', 't', 'm') || four == QPW_WORD4('<', 'H', 'T', 'M') ||
                       four == QPW_WORD4('<', '!', 'D', 'O') || four == QPW_WORD4('<', '!', 'd', 'o') ||
                       four == QPW_WORD4('<', '?', 'x', 'm') || four == QPW_WORD4('I', 'C', 'Y', ' ')
                   ? QPW_SPEECH_HTML : 0;
    if (four == QPW_WORD4('P', 'R', 'O', 'X') || h->first == 0x0d0a0d0a000d0a51ull)
        return QPW_SPEECH_PROXY;
    if (four == QPW_WORD4('E', 'H', 'L', 'O') || four == QPW_WORD4('H', 'E', 'L', 'O') ||
        four == QPW_WORD4('L', 'H', 'L', 'O'))
        return QPW_SPEECH_SMTPC;
    if (four == QPW_WORD4('U', 'S', 'E', 'R') || four == QPW_WORD4('A', 'U', 'T', 'H') ||
        four == QPW_WORD4('F', 'E', 'A', 'T') || four == QPW_WORD4('O', 'P', 'T', 'S') ||
        four == QPW_WORD4('C', 'L', 'N', 'T') || four == QPW_WORD4('H', 'O', 'S', 'T') ||
        four == QPW_WORD4('S', 'Y', 'S', 'T') || (four == QPW_WORD4('D', 'E', 'L', 'E') && qpw_head_byte(h, 4) == ' '))
        return QPW_SPEECH_FTPC;
    return 0;
}

/* RFC 4253, 4.2 */
static __always_inline int qpw_is_ssh(const struct qpw_head *h)
{
    return h->first >> 32 == QPW_WORD4('S', 'S', 'H', '-');
}

/* MS-SMB2, 2.1, 2.2.1, 2.2.41 and 2.2.42; MS-SMB, 2.2. */
static __always_inline int qpw_is_smb(const struct qpw_head *h)
{
    return h->n >= 8 && !qpw_head_byte(h, 0) && qpw_head_byte(h, 4) >= 0xfc && (h->first & 0xffffff) == 0x534d42;
}

/* RFC 1002, 4.3. */
static __always_inline int qpw_is_nbss(const struct qpw_head *h)
{
    __u32 four = (__u32)(h->first >> 32);

    if (h->n < 4)
        return 0;
    if (four == 0x82000000 || four == 0x83000001 || four == 0x84000006 || four == 0x85000000)
        return 1;
    return h->n >= 5 && (four >> 24) == 0x81 && (four >> 16 & 0xff) <= 1 && (four & 0xffff) >= 0x44 &&
           qpw_head_byte(h, 4) == 0x20;
}

/* Return the size of the BER or DER length field at the beginning of a word, in bytes; 0: not one. */
static __always_inline __u32 qpw_ber_length(__u64 word)
{
    __u32 head = word >> 56;

    return head < 0x80 ? 1 : head >= 0x81 && head <= 0x84 ? head - 0x7f : 0;
}

/* RFC 4120, 5.4, 5.9 and 7.2.2: an application tag, then a sequence; over TCP, a length precedes it. */
static __always_inline int qpw_is_kerberos(const struct qpw_head *h)
{
    __u32 start = h->udp ? 0 : 4, length;
    __u64 word = qpw_head_from(h, start);
    __u8 tag = word >> 56;

    if (!h->udp && (qpw_head_byte(h, 0) || qpw_head_byte(h, 1) >= 16))
        return 0;
    length = qpw_ber_length(word << 8);
    return ((tag >= 0x6a && tag <= 0x6e) || tag == 0x7e) && length && h->n > start + 1 + length &&
           (word << 8 << 8 * length) >> 56 == 0x30;
}

/* RFC 5531, 8, 9 and 11; RFC 9289, 4.1: RPC with TLS begins the same way. */
static __always_inline int qpw_is_rpc(const struct qpw_head *h)
{
    __u32 mark = qpw_head_4(h, 0) & 0x7fffffff, type = h->udp ? qpw_head_4(h, 4) : qpw_head_4(h, 8);
    __u32 next = h->udp ? qpw_head_4(h, 8) : qpw_head_4(h, 12);

    if (h->udp ? h->n < 12 || h->length & 3 || h->length < (type ? 20 : 40) :
                 h->n < 16 || mark < 16 || mark > 32u << 20)
        return 0;
    return type ? type == 1 && next <= 1 : next == 2;
}

/* RFC 4511, 4.1.1 and 5.1; RFC 3416: a sequence, an integer, then a tag that distinguishes the two. Returns 0 for neither. */
static __always_inline __u32 qpw_ldap_class(const struct qpw_head *h)
{
    __u32 length = qpw_ber_length(h->first << 8), at = 1 + length, digits;
    __u64 word = qpw_head_from(h, at & 7);
    __u8 tag;

    if (qpw_head_byte(h, 0) != 0x30 || !length || word >> 56 != 2)
        return 0;
    digits = word >> 48 & 0xff;
    at += 2 + digits;
    if (digits < 1 || digits > 4 || h->n <= at)
        return 0;
    tag = (word << 8 * (2 + (digits & 7))) >> 56;
    if (tag >= 0x42 && tag <= 0x79)
        return QPW_SPEECH_LDAP;
    return tag == 4 || tag == 0x30 ? QPW_SPEECH_SNMP : 0;
}

/* C706, 12.6.3.1; MS-RPCE, 2.2.2. */
static __always_inline int qpw_is_dcerpc(const struct qpw_head *h)
{
    return h->n >= 8 && qpw_head_byte(h, 0) == 5 && qpw_head_byte(h, 1) <= 1 && qpw_head_byte(h, 2) <= 20 &&
           !(qpw_head_byte(h, 4) & 0xee) && qpw_head_byte(h, 5) <= 3 && !(h->first & 0xffff);
}

/* Return 1 or 0 without a branch, of which the verifier would follow both ways through all later code. */
static __always_inline __u32 qpw_digit(const struct qpw_head *h, const __u32 at)
{
    __u32 value = (__u8)(qpw_head_byte(h, at) - '0');

    barrier_var(value); /* otherwise the compiler makes a branch of it */
    return (value - 10) >> 31;
}

static __always_inline __u32 qpw_same(const struct qpw_head *h, const __u32 at, const __u8 c)
{
    __u32 value = qpw_head_byte(h, at) ^ c;

    barrier_var(value);
    return (value - 1) >> 31;
}

/* RFC 5424, 6; RFC 3164, 4.1.1: "<PRI>"; RFC 6587, 3.4.1: a decimal length may precede it. */
static __always_inline int qpw_is_syslog(const struct qpw_head *h)
{
    __u32 d0 = qpw_digit(h, 0), d1 = qpw_digit(h, 1), d2 = qpw_digit(h, 2), d3 = qpw_digit(h, 3);
    __u32 priority = d1 & (qpw_same(h, 2, '>') | (d2 & (qpw_same(h, 3, '>') | (d3 & qpw_same(h, 4, '>')))));
    __u32 four = d3 & qpw_same(h, 4, ' ') & qpw_same(h, 5, '<'), three = qpw_same(h, 3, ' ') & qpw_same(h, 4, '<');
    __u32 two = qpw_same(h, 2, ' ') & qpw_same(h, 3, '<'), one = qpw_same(h, 1, ' ') & qpw_same(h, 2, '<');

    return (qpw_same(h, 0, '<') & priority) | (d0 & (one | (d1 & (two | (d2 & (three | four))))));
}

/*
 * Recognize leading digits: rcmd(3)'s port for errors, or a reply code (RFC 959, 4.2; RFC 5321, 4.2). Returns 0 for
 * neither.
 */
static __always_inline __u32 qpw_digits_class(const struct qpw_head *h)
{
    __u8 b2 = qpw_head_byte(h, 2), b3 = qpw_head_byte(h, 3), b4 = qpw_head_byte(h, 4);

    if (!qpw_is_digit(qpw_head_byte(h, 0)) || !qpw_is_digit(qpw_head_byte(h, 1)))
        return 0;
    if (h->initiator)
        return (h->n >= 3 && !b2) || (qpw_is_digit(b2) && ((h->n >= 4 && !b3) || (h->n >= 5 && qpw_is_digit(b3) && !b4)))
                   ? QPW_SPEECH_RSH : 0;
    return qpw_head_byte(h, 0) >= '1' && qpw_head_byte(h, 0) <= '5' && qpw_is_digit(b2) && (b3 == ' ' || b3 == '-')
               ? QPW_SPEECH_REPLY : 0;
}

/*
 * Recognize protocols that no rule names but that are often found in place of a listed service: FastCGI 3.3; MySQL's
 * HandshakeV10, or an error instead; RFC 1006, 6; RFC 854; RFC 1928, 3; RFC 6347, 4.1. Returns 0 for anything else.
 */
static __always_inline __u32 qpw_other_class(const struct qpw_head *h)
{
    __u8 b0 = qpw_head_byte(h, 0), b1 = qpw_head_byte(h, 1), b2 = qpw_head_byte(h, 2);
    __u8 b4 = qpw_head_byte(h, 4), b5 = qpw_head_byte(h, 5);

    if (h->n >= 8 && b0 == 1 && (b1 == 1 || b1 == 3 || b1 == 6 || b1 == 7) && !qpw_head_byte(h, 7))
        return QPW_SPEECH_FCGI;
    if (h->n >= 6 && !h->udp && !h->initiator && !qpw_head_2(h, 2) && ((b4 == 0x0a && qpw_is_digit(b5)) || b4 == 0xff))
        return QPW_SPEECH_MYSQL;
    if (h->n >= 6 && b0 == 3 && !b1 && b2 <= 0x0f && (b5 == 0xe0 || b5 == 0xd0 || b5 == 0xf0))
        return QPW_SPEECH_TPKT;
    if (h->n >= 3 && !h->udp && b0 == 0xff && b1 >= 0xfa && b1 <= 0xfe)
        return QPW_SPEECH_TELNET;
    if (h->n >= 3 && !h->udp && h->initiator && b0 == 5 && h->n == b1 + 2u)
        return QPW_SPEECH_SOCKS;
    return h->udp && h->n >= 3 && b0 == 0x16 && b1 == 0xfe && (b2 == 0xfd || b2 == 0xff) ? QPW_SPEECH_DTLS : 0;
}

#define QPW_EACH(byte) ((byte) * 0x0101010101010101ull)

/*
 * Return whether the first up to eight bytes are text: printable ASCII, BEL, BS, TAB, LF, CR, ESC. Tests all bytes at
 * once: no byte of a sum exceeds 0xff, so that its highest bit depends on that byte only.
 */
static __always_inline int qpw_is_text(const struct qpw_head *h)
{
    __u64 x = h->n >= 8 ? h->first : h->first | QPW_EACH(0x20) >> (8 * (h->n & 7));
    __u64 printable = x + QPW_EACH(0x60), from_bel = x + QPW_EACH(0x79), above_lf = x + QPW_EACH(0x75);
    __u64 not_cr = (x ^ QPW_EACH(0x0d)) + QPW_EACH(0x7f), not_esc = (x ^ QPW_EACH(0x1b)) + QPW_EACH(0x7f);

    if (!h->n || x & QPW_EACH(0x80) || (x + QPW_EACH(0x01)) & QPW_EACH(0x80)) /* above ASCII, DEL */
        return 0;
    return !(~(printable | (from_bel & ~above_lf) | ~not_cr | ~not_esc) & QPW_EACH(0x80));
}

/* Return the last byte received. */
static __always_inline __u8 qpw_head_end(const struct qpw_head *h)
{
    return h->n > 8 ? (__u8)(h->last >> (8 * ((16 - h->n) & 7))) : (__u8)(h->first >> (8 * ((8 - h->n) & 7)));
}

/* Classify bytes that no test above recognized. */
static __always_inline __u32 qpw_unknown_class(const struct qpw_head *h)
{
    int text = qpw_is_text(h);

    if (h->n < 2 || (h->n < 4 && !(text && qpw_head_end(h) == '\n')))
        return QPW_SPEECH_SHORT;
    if (text) /* "HTTP" may be the beginning of an HTTP response */
        return h->n == 4 && h->first >> 32 == QPW_WORD4('H', 'T', 'T', 'P') ? QPW_SPEECH_SHORT : QPW_SPEECH_TEXT;
    if (h->udp ? h->n <= 6 && !h->first : h->n < QPW_HEAD_BYTES)
        return QPW_SPEECH_SHORT;
    return QPW_SPEECH_BIN;
}

/*
 * Return the class that these bytes have if it confirms one of the services, else 0: what qpw_speech_of() returns, in a
 * few instructions for the services that most connections are of.
 */
static __always_inline __u32 qpw_speech_named(const struct qpw_head *h, __u32 services)
{
    __u32 speech;

    if (services & QPW_SPEAKS(SMB) && (qpw_is_smb(h) || qpw_is_nbss(h)))
        return qpw_is_smb(h) ? QPW_SPEECH_SMB : QPW_SPEECH_NBSS;
    if (services & QPW_SPEAKS(SUNRPC) && qpw_is_rpc(h))
        return QPW_SPEECH_RPC;
    if (services & QPW_SPEAKS(TLS) && qpw_is_tls(h))
        return QPW_SPEECH_TLS;
    if (services & QPW_SPEAKS(HTTP)) {
        speech = qpw_http_class(h);
        if (speech)
            return speech;
    }
    if (services & QPW_SPEAKS(SSH) && qpw_is_ssh(h))
        return QPW_SPEECH_SSH;
    if (services & QPW_SPEAKS(KERBEROS) && qpw_is_kerberos(h))
        return QPW_SPEECH_KRB;
    if (services & QPW_SPEAKS(LDAP) && qpw_ldap_class(h) == QPW_SPEECH_LDAP)
        return QPW_SPEECH_LDAP;
    return 0;
}

/* Return the class of these bytes (QPW_SPEECH_*). services: those that the rule names. */
static __always_inline __u32 qpw_speech_of(const struct qpw_head *h, __u32 services)
{
    __u32 speech;

    if (qpw_is_tls(h))
        return QPW_SPEECH_TLS;
    if (services & QPW_SPEAKS(DNS) && qpw_is_dns(h))
        return QPW_SPEECH_DNS;
    if (services & QPW_SPEAKS(NTP) && qpw_is_ntp(h))
        return QPW_SPEECH_NTP;
    if (qpw_is_ssh(h))
        return QPW_SPEECH_SSH;
    speech = qpw_http_class(h);
    if (!speech)
        speech = qpw_word_class(h);
    if (speech)
        return speech;
    if (qpw_is_smb(h))
        return QPW_SPEECH_SMB;
    if (qpw_is_kerberos(h))
        return QPW_SPEECH_KRB;
    if (qpw_is_nbss(h))
        return QPW_SPEECH_NBSS;
    if (qpw_is_rpc(h))
        return QPW_SPEECH_RPC;
    speech = qpw_ldap_class(h);
    if (speech)
        return speech;
    if (qpw_is_dcerpc(h))
        return QPW_SPEECH_DCERPC;
    if (qpw_is_syslog(h))
        return QPW_SPEECH_SYSLOG;
    speech = qpw_digits_class(h);
    if (!speech)
        speech = qpw_other_class(h);
    return speech ? speech : qpw_unknown_class(h);
}

/*
 * Return whether further bytes of a TCP stream, up to QPW_HEAD_BYTES, could still change the class. A recognized
 * protocol is final, except that HTTP's status is needed; text is final after a whole line.
 */
static __always_inline int qpw_speech_waits(const struct qpw_head *h, __u32 speech)
{
    if (h->udp || h->n >= QPW_HEAD_BYTES)
        return 0;
    if (speech == QPW_SPEECH_HTTP)
        return h->n < 10 && (h->first >> 32 & 0xdfdfdfdf) == QPW_WORD4('H', 'T', 'T', 'P');
    return speech == QPW_SPEECH_SHORT || (speech == QPW_SPEECH_TEXT && qpw_head_end(h) != '\n');
}

/* ---- Judgement ---- */

_Static_assert(QPW_JUDGED_COUNT == QPW_JUDGED_VALUES + 1 && QPW_JUDGED_MUTE == QPW_JUDGED_VALUES,
               "one count per judgement except mute");

/*
 * Classes that identify a protocol beyond doubt; those of text, or of a word that any text may begin with, do not.
 */
#define QPW_STRONG_SPEECHES \
    (QPW_LOOKS(SSH) | QPW_LOOKS(TLS) | QPW_LOOKS(HTTP) | QPW_LOOKS(HTTPERR) | QPW_LOOKS(REPLY) | QPW_LOOKS(SMB) | \
     QPW_LOOKS(NBSS) | QPW_LOOKS(RPC) | QPW_LOOKS(KRB) | QPW_LOOKS(DCERPC) | QPW_LOOKS(LDAP) | QPW_LOOKS(SNMP) | \
     QPW_LOOKS(MYSQL) | QPW_LOOKS(TPKT) | QPW_LOOKS(TELNET) | QPW_LOOKS(FCGI) | QPW_LOOKS(RSH) | QPW_LOOKS(DTLS))

/* Classes that do not identify a service: too few bytes, or a prefix of any service. */
#define QPW_EMPTY_SPEECHES (QPW_LOOKS(NONE) | QPW_LOOKS(SHORT) | QPW_LOOKS(PROXY))
#define QPW_UNSEEN_SPEECHES (QPW_LOOKS(JOINED) | QPW_LOOKS(MIDSTREAM))

/*
 * Add `classes` to `sum` if `services` contains that service. Verifier: clang turns each mask into a branch, and Linux
 * 6.18 follows both values of a mask of 0 or all bits, so that a dozen masks become thousands of paths. A factor opaque
 * to both is one path. Sums are computed one after the other, which needs little stack.
 */
static __always_inline __u32 qpw_spoken_add(__u32 sum, __u32 services, __u32 service, __u32 classes)
{
    __u32 bit = services >> service & 1;

    asm volatile("" : "+r"(bit), "+r"(sum));
    return sum | (bit * classes);
}

#define QPW_X_EXPECTED(s, name, text, expected, tolerated, flags) \
    sum = qpw_spoken_add(sum, services, QPW_SPOKEN_##s, expected);
#define QPW_X_TOLERATED(s, name, text, expected, tolerated, flags) \
    sum = qpw_spoken_add(sum, services, QPW_SPOKEN_##s, tolerated);

/* Return the classes that confirm one of these services. */
static __always_inline __u32 qpw_speeches_expected(__u32 services)
{
    __u32 sum = 0;

    QPW_SPOKEN(QPW_X_EXPECTED)
    return sum;
}

/* Return the classes that neither confirm nor contradict one of these services. */
static __always_inline __u32 qpw_speeches_tolerated(__u32 services)
{
    __u32 sum = 0;

    QPW_SPOKEN(QPW_X_TOLERATED)
    return sum;
}

/* An exchange: its rule's services and both ends' classes, which are struct qpw_conn's speaks[1] and [0]. */
struct qpw_spoken_both {
    __u32 services;
    __u8 own;
    __u8 other;
    __u8 udp;
    __u8 outbound;
};

/*
 * Judge whether the node's own bytes fit one of the services that the rule names. The other end may be a scanner that
 * sends anything, so it counts in two cases only: it greets the node's client first, as no such server does; or the
 * node's own bytes are unrecognized, except for DNS over UDP, which has few fixed bits.
 */
static __always_inline enum qpw_judged qpw_speaks_judge(const struct qpw_spoken_both *b)
{
    __u32 services = b->services & QPW_SPEAKS_SERVICES, expected, tolerated;
    __u32 own = 1u << (b->own & QPW_SPEECH), other = b->other & QPW_SPEECH_WAITS ? QPW_LOOKS(SHORT) : 1u << (b->other & QPW_SPEECH);

    if (!services)
        return QPW_JUDGED_UNASKED;
    if (own & QPW_UNSEEN_SPEECHES)
        return own & QPW_LOOKS(JOINED) ? QPW_JUDGED_JOINED : QPW_JUDGED_MIDSTREAM;
    if (!b->outbound && (own & QPW_LOOKS(NONE))) /* the client's own first bytes: nearly every connection comes by here */
        return QPW_JUDGED_MUTE;
    if (b->own & QPW_SPEECH_WAITS)
        own = QPW_LOOKS(SHORT);
    expected = qpw_speeches_expected(services);
    if (own & expected)
        return QPW_JUDGED_MATCH;
    tolerated = qpw_speeches_tolerated(services);
    if (own & QPW_EMPTY_SPEECHES) {
        if (b->outbound && !b->udp && (b->other & QPW_SPEECH_FIRST) && !(services & QPW_SPEAKS_UNSURE) &&
            (other & (QPW_STRONG_SPEECHES | QPW_LOOKS(TEXT)) & ~(expected | tolerated)))
            return QPW_JUDGED_MISMATCH;
        return own & QPW_LOOKS(NONE) ? QPW_JUDGED_MUTE : own & QPW_LOOKS(SHORT) ? QPW_JUDGED_SHORT : QPW_JUDGED_TOLERATED;
    }
    if (own & tolerated)
        return QPW_JUDGED_TOLERATED;
    if (services & QPW_SPEAKS_UNSURE)
        return QPW_JUDGED_UNSURE;
    if ((own & QPW_STRONG_SPEECHES) || ((own & QPW_LOOKS(TEXT)) && !(services & QPW_SPEAKS_AS_TEXT)))
        return QPW_JUDGED_MISMATCH;
    if (!b->outbound && (b->own & QPW_SPEECH_FIRST) && (own & (QPW_LOOKS(BIN) | QPW_LOOKS(TEXT))) &&
        !(services & QPW_SPEAKS_BY_SERVER))
        return QPW_JUDGED_MISMATCH;
    if ((b->udp && (services & QPW_SPEAKS(DNS))) ||
        (other & (QPW_EMPTY_SPEECHES | QPW_UNSEEN_SPEECHES | expected | tolerated)))
        return QPW_JUDGED_UNSURE;
    return QPW_JUDGED_MISMATCH;
}

#endif
